package import ConfigSchema
internal import Logging
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import WireFormat

/// Adds up the deltas of sums and of histograms of both kinds.
///
/// What it keeps of a stream is the sum so far. Deltas that are older than what was added, or for which there is no
/// room, are dropped and counted by their reason.
package final class DeltaToCumulativeProcessor: InlineProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "deltatocumulative", signals: [.metrics],
    summary: "Adds up the deltas of sums and histograms.")

  /// The settings of the `deltatocumulative` processor.
  package struct Config: ConfigGroup {
    package var maxStale = Duration.seconds(300)
    package var maxStreams = Int.max
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "max_stale", \.maxStale, "How long a stream is remembered after its last data point.",
        check: .atLeast(.nanoseconds(1))),
      Field(
        "max_streams", \.maxStreams,
        "The most streams that are added up; data points of others are dropped. Left out or 0, as many as memory allows.",
        check: .atLeast(0)),
    ]
  }

  private let seed: StreamSeed
  private let clock: any PipelineClock
  private let meters: DeltaToCumulativeMeters
  private let log: RateLimitedLog
  private let streams: Mutex<StreamTable<AccumulatedStream>>

  package var removal: LedgerState { .dropped }

  package init(config: Config, context: ComponentContext) {
    seed = StreamSeed(context.randomness.unit)
    clock = context.clock
    log = RateLimitedLog(context.logger, clock: context.clock)
    let isLimited = config.maxStreams > 0 && config.maxStreams < .max
    // Whoever says how many streams there may be has thought of the memory.
    let limits = StreamLimits(
      streams: isLimited ? config.maxStreams : .max, bytes: isLimited ? .max : context.streamBytes,
      staleness: config.maxStale)
    meters = DeltaToCumulativeMeters(context, limits)
    streams = Mutex(StreamTable(limits))
  }

  package func process(_ batch: Batch) -> Batch? {
    var failures: [AccumulationError: Int] = [:]
    let result = streams.withLock { streams in
      let now = clock.now
      streams.expire(now: now)
      var scopes = StreamScopes(seed)
      // Only a result beyond 4 GiB cannot be addressed: then nothing goes on.
      let result = try? batch.rewritingItems { position, writer in
        let metric = batch.metric(at: position)
        guard metric.aggregationTemporality == .delta, let kind = metric.kind else { return .kept }
        let id = scopes.metricID(position, metric, in: batch)
        return writer.writeMetric(metric, .cumulative) { payload, writer in
          let message = WireMessage(batch.bytes.span, payload)
          let error = accumulate(message, kind, id, &streams, now, &writer)
          meters.count(error)
          if let error { failures[error, default: 0] += 1 }
          return error == nil
        }
      }
      meters.track(streams.count)
      return result
    }
    for (error, count) in failures { tell(error, count) }
    return result
  }

  private func tell(_ error: AccumulationError, _ count: Int) {
    let message: Logger.Message =
      switch error {
      case .olderStart:
        "dropped data points that began before their stream: do several processes send the same one?"
      case .outOfOrder: "dropped data points that are not newer than what was added before"
      case .limit: "dropped data points of new streams: there is no room for more"
      }
    log.log(.warning, message, metadata: ["items": "\(count)"])
  }

  /// Adds a delta and writes the sum; an error says why not.
  private func accumulate(
    _ message: WireMessage, _ kind: MetricKind, _ metricID: StreamID,
    _ streams: inout StreamTable<AccumulatedStream>, _ now: MonotonicInstant, _ writer: inout WireWriter
  ) -> AccumulationError? {
    var digest = StreamDigest(seed, from: metricID)
    let delta: AccumulatedStream
    switch kind {
    case .histogram:
      let point = HistogramDataPointView(message)
      if copyIfEmpty(message, point.flags, &writer) { return nil }
      digest.add(point.attributes)
      delta = AccumulatedStream(
        start: point.startTime, time: point.time,
        value: .distribution(.explicit(ExplicitCounts(point, seed))))
    case .exponentialHistogram:
      let point = ExponentialHistogramDataPointView(message)
      if copyIfEmpty(message, point.flags, &writer) { return nil }
      digest.add(point.attributes)
      var counts = ExponentialCounts(point)
      counts.narrow()
      delta = AccumulatedStream(
        start: point.startTime, time: point.time, value: .distribution(.exponential(counts)))
    case .sum, .gauge, .summary:
      let point = NumberDataPointView(message)
      if copyIfEmpty(message, point.flags, &writer) { return nil }
      digest.add(point.attributes)
      let value: AccumulatedStream.Value =
        switch point.value {
        case .double(let value): .double(value)
        case .int(let value): .int(value)
        case nil: .int(0)
        }
      delta = AccumulatedStream(start: point.startTime, time: point.time, value: value)
    }
    let id = digest.id
    guard let place = streams.find(id) else {
      if !streams.hasRoom(for: delta) { return .limit }
      streams.insert(id, delta, now: now)
      Self.write(delta, message, &writer)
      return nil
    }
    return streams.update(place, now: now) { stream in
      if let error = stream.add(delta) { return error }
      Self.write(stream, message, &writer)
      return nil
    }
  }

  /// A point that says that there is no value adds nothing; it goes on as it is.
  private func copyIfEmpty(_ message: WireMessage, _ flags: UInt32, _ writer: inout WireWriter) -> Bool {
    if !DataPointFlags.hasNoValue(flags) { return false }
    writer.copyFields(of: message, except: [])
    return true
  }

  private static func write(
    _ stream: AccumulatedStream, _ message: WireMessage, _ writer: inout WireWriter
  ) {
    switch stream.value {
    case .distribution(.explicit(let counts)):
      writer.copyFields(of: message, except: ExplicitCounts.fields)
      counts.write(to: &writer, startTime: stream.start)
    case .distribution(.exponential(let counts)):
      writer.copyFields(of: message, except: ExponentialCounts.fields)
      counts.write(to: &writer, startTime: stream.start)
    case .int(let value):
      writer.copyFields(of: message, except: [2, 4, 6])
      if stream.start != 0 { writer.fixed64Field(2, stream.start) }
      writer.fixed64Field(6, UInt64(bitPattern: value))
    case .double(let value):
      writer.copyFields(of: message, except: [2, 4, 6])
      if stream.start != 0 { writer.fixed64Field(2, stream.start) }
      writer.doubleField(4, value)
    }
  }
}
