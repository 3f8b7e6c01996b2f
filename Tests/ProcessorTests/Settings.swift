import ConfigSchema
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

extension Component {
  /// An instance with settings as YAML, which must be without mistakes.
  static func testing(
    _ yaml: String, clock: any PipelineClock = TestClock(), metrics: SelfMetrics = SelfMetrics(),
    holdsCompletions: Bool = false
  ) throws -> Self {
    let (config, diagnostics) = decode(yaml)
    return try Self(
      config: try #require(config, "\(diagnostics.render())"),
      context: .testing(
        .processor, descriptor.type, clock: clock, metrics: metrics, signals: descriptor.signals,
        holdsCompletions: holdsCompletions))
  }

  /// Settings from YAML, or what is wrong with them.
  static func decode(_ yaml: String) -> (Config?, Diagnostics) {
    let (loaded, loading) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
    guard let loaded else { return (nil, loading) }
    var diagnostics = Diagnostics()
    let config = ConfigDecoder.decode(Config.self, from: loaded, path: "", diagnostics: &diagnostics)
    return (config, diagnostics)
  }

  /// The messages of the errors in settings.
  static func errors(_ yaml: String) -> [String] {
    decode(yaml).1.all.filter { $0.severity == .error }.map(\.message)
  }
}

extension SelfMetrics {
  /// The value of one series, by the values of its labels other than the processor's; nil when there is none.
  func number(_ name: String, _ labels: String...) -> Int? {
    for family in snapshot() where family.name == name {
      for series in family.series {
        let values = series.labels.filter { $0.name != "processor" }.map(\.value)
        guard values == labels else { continue }
        switch series.value {
        case .number(let value): return Int(value)
        case .histogram(_, let counts, _): return counts.reduce(0, +)
        }
      }
    }
    return nil
  }
}

/// A batch with metrics of one resource and scope.
func metrics(
  _ metrics: MetricValue..., resource: Attributes = ["service.name": "shop"], scope: String = "meter"
) -> Batch {
  var builder = BatchBuilder(.metrics)
  builder.beginResource(ResourceValue(attributes: resource))
  builder.beginScope(ScopeValue(name: scope))
  for metric in metrics { builder.add(metric) }
  return builder.finish()
}

/// A data point as tests compare it.
struct Point: Hashable, CustomStringConvertible {
  var metric: String
  var attributes: [String: AnyValue] = [:]
  var start: UInt64 = 0
  var time: UInt64 = 0
  var value: NumberValue?
  var count: UInt64 = 0
  var sum: Double?
  var buckets: [UInt64] = []

  var description: String {
    let labels = attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    let content = value.map { "\($0)" } ?? "count \(count) sum \(sum.map { "\($0)" } ?? "-") \(buckets)"
    return "\(metric){\(labels)} \(content) [\(start), \(time)]"
  }

  static func labels(_ attributes: AttributesView) -> [String: AnyValue] {
    Dictionary(attributes.values.entries.map { ($0.key, $0.value) }) { $1 }
  }

  /// The points of a batch, in order.
  static func all(_ batch: Batch?) -> [Point] {
    guard let batch else { return [] }
    var points: [Point] = []
    batch.forEachMetric { _, _, metric in
      let name = metric.name.string
      metric.numberDataPoints.forEach { point in
        points.append(
          Point(
            metric: name, attributes: labels(point.attributes), start: point.startTime, time: point.time,
            value: point.value))
      }
      metric.histogramDataPoints.forEach { point in
        points.append(
          Point(
            metric: name, attributes: labels(point.attributes), start: point.startTime, time: point.time,
            count: point.count, sum: point.sum, buckets: point.bucketCounts.array))
      }
      metric.exponentialHistogramDataPoints.forEach { point in
        points.append(
          Point(
            metric: name, attributes: labels(point.attributes), start: point.startTime, time: point.time,
            count: point.count, sum: point.sum,
            buckets: [point.zeroCount] + (point.positive?.bucketCounts.array ?? [])))
      }
    }
    return points
  }
}
