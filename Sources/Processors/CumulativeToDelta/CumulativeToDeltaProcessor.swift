package import ConfigSchema
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import WireFormat

/// Makes deltas of cumulative sums that only grow, and of cumulative histograms.
///
/// What it keeps of a stream is the last value and its time. Points of metrics that it does not convert go on as they
/// are, and so does a NaN.
package final class CumulativeToDeltaProcessor: InlineProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "cumulativetodelta", signals: [.metrics],
    summary: "Makes deltas of cumulative sums and histograms.")

  /// What becomes of the first point of a stream.
  package enum InitialValue: String, ConfigEnum { case auto, keep, drop }

  /// The settings of the `cumulativetodelta` processor.
  package struct Config: ConfigGroup {
    package var include = MetricSelection()
    package var exclude = MetricSelection()
    package var maxStaleness = Duration.zero
    package var initialValue = InitialValue.auto
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("include", \.include, "The metrics that are converted; left out, all are."),
      Field("exclude", \.exclude, "Which of the included metrics stay as they are."),
      Field(
        "max_staleness", \.maxStaleness,
        "How long a stream is remembered after its last point; 0 for as long as there is room.",
        check: .atLeast(.zero)),
      Field(
        "initial_value", \.initialValue,
        "The first point of a stream: `auto` sends it when the stream began after the processor did, `keep` always, "
          + "`drop` never."),
    ]
  }

  private let include: MetricSelector
  private let exclude: MetricSelector
  private let seed: StreamSeed
  private let clock: any PipelineClock
  private let meters: CumulativeToDeltaMeters
  private let streams: Mutex<DeltaStreams>

  package init(config: Config, context: ComponentContext) throws {
    include = try MetricSelector(config.include)
    exclude = try MetricSelector(config.exclude)
    seed = StreamSeed(context.randomness.unit)
    clock = context.clock
    meters = CumulativeToDeltaMeters(context)
    let rule: InitialValueRule =
      switch config.initialValue {
      case .auto: .auto(since: context.clock.unixNanoseconds)
      case .keep: .keep
      case .drop: .drop
      }
    let limits = StreamLimits(
      streams: .max, bytes: context.streamBytes,
      staleness: config.maxStaleness > .zero ? config.maxStaleness : nil)
    streams = Mutex(DeltaStreams(limits, rule))
  }

  package func process(_ batch: Batch) -> Batch? {
    streams.withLock { streams in
      let now = clock.now
      streams.expire(now: now)
      var scopes = StreamScopes(seed)
      // Only a result beyond 4 GiB cannot be addressed, and it is no larger than what came.
      let result = try? batch.rewritingItems { position, writer in
        let metric = batch.metric(at: position)
        guard let kind = convertedKind(of: metric) else { return .kept }
        let id = scopes.metricID(position, metric, in: batch)
        return writer.writeMetric(metric, .delta) { payload, writer in
          let message = WireMessage(batch.bytes.span, payload)
          return convert(message, kind, id, &streams, now, &writer)
        }
      }
      meters.track(streams.count)
      return result ?? batch
    }
  }

  /// The kind of a metric that is converted; nil for others.
  private func convertedKind(of metric: MetricView) -> MetricKind? {
    guard metric.aggregationTemporality == .cumulative, let kind = metric.kind,
      kind != .sum || metric.isMonotonic,
      include.includes(metric, kind), !exclude.excludes(metric, kind)
    else { return nil }
    return kind
  }

  /// Writes the delta that a point makes; false when it makes none.
  private func convert(
    _ message: WireMessage, _ kind: MetricKind, _ metricID: StreamID, _ streams: inout DeltaStreams,
    _ now: MonotonicInstant, _ writer: inout WireWriter
  ) -> Bool {
    let drop: DeltaDrop?
    switch kind {
    case .sum: drop = convert(NumberDataPointView(message), metricID, &streams, now, &writer)
    case .histogram: drop = convert(HistogramDataPointView(message), metricID, &streams, now, &writer)
    case .exponentialHistogram:
      drop = convert(ExponentialHistogramDataPointView(message), metricID, &streams, now, &writer)
    case .gauge, .summary: drop = nil
    }
    if let drop { meters.drop(kind, drop) } else { meters.convert(kind) }
    return drop == nil
  }

  private func streamID(
    _ metricID: StreamID, _ attributes: AttributesView, start: UInt64, type: UInt64
  ) -> StreamID {
    var digest = StreamDigest(seed, from: metricID)
    digest.add(attributes)
    digest.add(start)
    digest.add(type)
    return digest.id
  }

  private func convert(
    _ point: NumberDataPointView, _ metricID: StreamID, _ streams: inout DeltaStreams,
    _ now: MonotonicInstant, _ writer: inout WireWriter
  ) -> DeltaDrop? {
    guard !DataPointFlags.hasNoValue(point.flags), let value = point.value else { return .noValue }
    let (start, time) = (point.startTime, point.time)
    func begin(_ startTime: UInt64) {
      writer.copyFields(of: point.message, except: [2, 4, 6])
      if startTime != 0 { writer.fixed64Field(2, startTime) }
    }
    switch value {
    case .int(let value):
      let id = streamID(metricID, point.attributes, start: start, type: 1)
      switch streams.delta(of: value, id, start: start, time: time, now: now) {
      case .dropped(let drop): return drop
      case .delta(let delta, let startTime):
        begin(startTime)
        writer.fixed64Field(6, UInt64(bitPattern: delta))
      }
    case .double(let value):
      if value.isNaN {
        writer.copyFields(of: point.message, except: [])
        return nil
      }
      let id = streamID(metricID, point.attributes, start: start, type: 2)
      switch streams.delta(of: value, id, start: start, time: time, now: now) {
      case .dropped(let drop): return drop
      case .delta(let delta, let startTime):
        begin(startTime)
        writer.doubleField(4, delta)
      }
    }
    return nil
  }

  private func convert(
    _ point: HistogramDataPointView, _ metricID: StreamID, _ streams: inout DeltaStreams,
    _ now: MonotonicInstant, _ writer: inout WireWriter
  ) -> DeltaDrop? {
    if DataPointFlags.hasNoValue(point.flags) { return .noValue }
    let start = point.startTime
    let id = streamID(metricID, point.attributes, start: start, type: 0)
    switch streams.delta(of: ExplicitCounts(point, seed), id, start: start, time: point.time, now: now) {
    case .dropped(let drop): return drop
    case .delta(var delta, let startTime):
      // The least and the greatest of all that was ever counted say nothing about the time since.
      delta.min = nil
      delta.max = nil
      writer.copyFields(of: point.message, except: ExplicitCounts.fields)
      delta.write(to: &writer, startTime: startTime)
      return nil
    }
  }

  private func convert(
    _ point: ExponentialHistogramDataPointView, _ metricID: StreamID, _ streams: inout DeltaStreams,
    _ now: MonotonicInstant, _ writer: inout WireWriter
  ) -> DeltaDrop? {
    if DataPointFlags.hasNoValue(point.flags) { return .noValue }
    let start = point.startTime
    let id = streamID(metricID, point.attributes, start: start, type: 0)
    switch streams.delta(of: ExponentialCounts(point), id, start: start, time: point.time, now: now) {
    case .dropped(let drop): return drop
    case .delta(var delta, let startTime):
      delta.min = nil
      delta.max = nil
      writer.copyFields(of: point.message, except: ExponentialCounts.fields)
      delta.write(to: &writer, startTime: startTime)
      return nil
    }
  }
}
