internal import TelemetryData
internal import WireFormat

/// The latest data point of every stream, as the bytes that came.
struct LatestPoints: IntervalStore {
  private struct Metric {
    let scope: Int
    let kind: MetricKind
    /// The fields of the metric without its data.
    let fields: [UInt8]
    /// The fields of the data without its points.
    let data: [UInt8]
    var points: [Point] = []
  }
  private struct Point {
    var time: UInt64
    var fields: [UInt8]
  }
  private struct Place {
    let metric: Int
    let point: Int
  }

  private let seed: StreamSeed
  private let passThrough: IntervalProcessor.PassThrough
  private var scopes: HeldScopes
  private var metrics: [Metric] = []
  private var metricPlaces: [StreamID: Int] = [:]
  private var streams: [StreamID: Place] = [:]
  private var ownBytes = 0

  init(_ seed: StreamSeed, _ passThrough: IntervalProcessor.PassThrough) {
    self.seed = seed
    self.passThrough = passThrough
    scopes = HeldScopes(seed)
  }

  var isEmpty: Bool { streams.isEmpty }
  var byteCount: Int { ownBytes + scopes.byteCount }

  private func gathers(_ metric: MetricView) -> Bool {
    switch metric.kind {
    case .gauge: !passThrough.gauge
    case .summary: !passThrough.summary
    case .sum: metric.isMonotonic && metric.aggregationTemporality == .cumulative
    case .histogram, .exponentialHistogram: metric.aggregationTemporality == .cumulative
    case nil: false
    }
  }

  mutating func take(_ batch: Batch, unixTime: UInt64) -> IntervalIntake {
    var merged = 0
    var identities = StreamScopes(seed)
    var passing = ItemSet(capacity: batch.recordCount, all: true)
    for position in 0..<batch.recordCount {
      let metric = batch.metric(at: position)
      guard gathers(metric), !batch.index.points(ofMetric: position).isEmpty else { continue }
      passing.remove(position)
      merged += gather(metric, position, in: batch, &identities)
    }
    let rest = passing.isEmpty ? Batch(signal: .metrics) : batch.selecting(passing)
    return IntervalIntake(rest: rest, merged: merged)
  }

  /// Takes the points of a metric, and says how many of the metric's and of earlier ones do not go on.
  private mutating func gather(
    _ metric: MetricView, _ position: Int, in batch: Batch, _ identities: inout StreamScopes
  ) -> Int {
    let id = identities.metricID(position, metric, in: batch)
    let place = metricPlaces[id] ?? add(metric, position, id, in: batch, &identities)
    let attributesField = metrics[place].kind.attributesField
    var merged = 0
    for range in batch.dataPoints(ofMetric: position).map(\.payload) {
      let message = WireMessage(batch.bytes.span, range)
      var digest = StreamDigest(seed, from: id)
      digest.add(AttributesView(message, attributesField))
      let time = message.number(.fixed64(3))
      let stream = digest.id
      if let known = streams[stream] {
        // One of both goes: the older, or of two of the same time the later one to come.
        merged += 1
        if time > metrics[place].points[known.point].time {
          ownBytes += range.count - metrics[place].points[known.point].fields.count
          metrics[place].points[known.point] = Point(time: time, fields: message.content)
        }
      } else {
        streams[stream] = Place(metric: place, point: metrics[place].points.count)
        metrics[place].points.append(Point(time: time, fields: message.content))
        ownBytes += range.count + 120
      }
    }
    return merged
  }

  private mutating func add(
    _ metric: MetricView, _ position: Int, _ id: StreamID, in batch: Batch, _ identities: inout StreamScopes
  ) -> Int {
    let scope = scopes.place(
      of: batch.index.scope(ofItem: position), identities.scopeID(ofItem: position, in: batch), in: batch)
    var fields = WireWriter(capacity: 128)
    fields.copyFields(of: metric.message, except: [5, 7, 9, 10, 11])
    var data = WireWriter(capacity: 16)
    data.copyFields(of: metric.data, except: [1])
    let held = Metric(
      scope: scope, kind: metric.kind ?? .gauge, fields: fields.finish(), data: data.finish())
    metrics.append(held)
    metricPlaces[id] = metrics.count - 1
    ownBytes += held.fields.count + held.data.count + 160
    return metrics.count - 1
  }

  mutating func flush(unixTime: UInt64) -> Batch? {
    if streams.isEmpty { return nil }
    var byScope: [Int: [Int]] = [:]
    for (position, metric) in metrics.enumerated() { byScope[metric.scope, default: []].append(position) }
    let batch = scopes.batch(.metrics, capacity: byteCount) { scope, writer in
      for position in byScope[scope] ?? [] {
        let metric = metrics[position]
        writer.message(2) { writer in
          writer.write(metric.fields.span)
          writer.message(metric.kind.rawValue) { writer in
            for point in metric.points { writer.bytesField(1, point.fields.span) }
            writer.write(metric.data.span)
          }
        }
      }
    }
    self = LatestPoints(seed, passThrough)
    return batch
  }
}

extension WireMessage {
  /// A copy of the bytes of the message.
  var content: [UInt8] { BytesView(bytes.extracting(range.range)).array }
}
