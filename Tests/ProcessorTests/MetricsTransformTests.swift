import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

@Suite struct MetricsTransformTests {
  /// A metric as tests write it: `name{label=value,…} value@time …`, each data point of a gauge.
  static func gauge(_ name: String, _ points: (labels: String, value: NumberValue)...) -> MetricValue {
    MetricValue(name: name, description: "d", unit: "By", data: .gauge(points.map(point)))
  }

  static func point(_ labels: String, _ value: NumberValue) -> NumberDataPointValue {
    NumberDataPointValue(attributes: attributes(labels), startTime: 1, time: 2, value: value)
  }

  static func attributes(_ labels: String) -> Attributes {
    Attributes(
      labels.split(separator: ",").map { label in
        let parts = label.split(separator: "=", omittingEmptySubsequences: false)
        return Attribute(String(parts[0]), .string(String(parts[1])))
      })
  }

  /// Every data point as `name{labels} value`, metrics in order.
  static func shown(_ batch: Batch?) -> [String] {
    Point.all(batch).map { point in
      let labels = point.attributes.sorted { $0.key < $1.key }.map { entry -> String in
        if case .string(let text) = entry.value { return "\(entry.key)=\(text)" }
        return "\(entry.key)=\(entry.value)"
      }
      let value: String
      switch point.value {
      case .int(let number): value = "\(number)"
      case .double(let number): value = "\(number)d"
      case nil: value = "\(point.count)/\(point.sum.map { "\($0)" } ?? "-")\(point.buckets)"
      }
      return "\(point.metric){\(labels.joined(separator: ","))} \(value)"
    }
  }

  static func run(_ transforms: String, _ batch: Batch) throws -> [String] {
    shown(try MetricsTransformProcessor.testing("{transforms: [\(transforms)]}").process(batch))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let transform: String
    let result: [String]
    var testDescription: String { transform }
    init(_ transform: String, _ result: String...) {
      self.transform = transform
      self.result = result
    }
  }

  /// Of `cpu{state=user,cpu=0} 1`, `cpu{state=user,cpu=1} 2`, `cpu{state=idle,cpu=0} 4`, and `mem{} 9`.
  @Test(arguments: [
    Row(
      "{include: cpu, action: update, new_name: processor}", "processor{cpu=0,state=user} 1",
      "processor{cpu=1,state=user} 2", "processor{cpu=0,state=idle} 4", "mem{} 9"),
    Row(
      "{include: '^(c)(?P<rest>.*)$', match_type: regexp, action: update, new_name: 'x.$${rest}.$$1'}",
      "x.pu.c{cpu=0,state=user} 1", "x.pu.c{cpu=1,state=user} 2", "x.pu.c{cpu=0,state=idle} 4", "mem{} 9"),
    Row(
      "{include: nothing, action: update, new_name: x}", "cpu{cpu=0,state=user} 1",
      "cpu{cpu=1,state=user} 2",
      "cpu{cpu=0,state=idle} 4", "mem{} 9"),
    Row(
      "{include: mem, action: insert, new_name: memory, operations: [{action: add_label, new_label: v, new_value: 'v{{version}}'}]}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 2", "cpu{cpu=0,state=idle} 4", "mem{} 9",
      "memory{v=v\(Product.version)} 9"),
    Row(
      "{include: cpu, action: insert, new_name: cpu0, experimental_match_labels: {cpu: '0'}}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 2", "cpu{cpu=0,state=idle} 4", "mem{} 9",
      "cpu0{cpu=0,state=user} 1", "cpu0{cpu=0,state=idle} 4"),
    Row(
      "{include: cpu, action: update, operations: [{action: update_label, label: state, new_label: mode, value_actions: [{value: idle, new_value: '-'}]}]}",
      "cpu{cpu=0,mode=user} 1", "cpu{cpu=1,mode=user} 2", "cpu{cpu=0,mode=-} 4", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: update_label, label: state, new_label: cpu}]}",
      "cpu{cpu=user} 1", "cpu{cpu=user} 2", "cpu{cpu=idle} 4", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: delete_label_value, label: state, label_value: idle}]}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 2", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: delete_label_value, label: state, label_value: idle}, {action: delete_label_value, label: state, label_value: user}]}",
      "mem{} 9"),
    Row(
      "{include: ., match_type: regexp, action: update, operations: [{action: toggle_scalar_data_type}]}",
      "cpu{cpu=0,state=user} 1.0d", "cpu{cpu=1,state=user} 2.0d", "cpu{cpu=0,state=idle} 4.0d", "mem{} 9.0d"),
    Row(
      "{include: cpu, action: update, operations: [{action: experimental_scale_value, experimental_scale: 1.5}]}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 3", "cpu{cpu=0,state=idle} 6", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: aggregate_labels, label_set: [state], aggregation_type: sum}]}",
      "cpu{state=user} 3", "cpu{state=idle} 4", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: aggregate_labels, label_set: [], aggregation_type: max}]}",
      "cpu{} 4", "mem{} 9"),
    Row(
      "{include: cpu, action: update, operations: [{action: aggregate_label_values, label: state, aggregated_values: [user, idle], new_value: all, aggregation_type: mean}]}",
      "cpu{cpu=0,state=all} 2", "cpu{cpu=1,state=all} 2", "mem{} 9"),
    // What is for a whole metric is left out where only some of its data points match; the rest is done on those.
    Row(
      "{include: cpu, action: update, new_name: x, experimental_match_labels: {state: idle}, operations: [{action: add_label, new_label: a, new_value: b}, {action: experimental_scale_value, experimental_scale: 10}, {action: update_label, label: cpu, new_label: core}]}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 2", "cpu{core=0,state=idle} 40", "mem{} 9"),
    Row(
      "{include: cpu, action: update, new_name: x, experimental_match_labels: {other: ''}}",
      "x{cpu=0,state=user} 1", "x{cpu=1,state=user} 2", "x{cpu=0,state=idle} 4", "mem{} 9"),
    Row(
      "{include: c, match_type: regexp, action: update, new_name: x, experimental_match_labels: {state: '^(user|idle)$', cpu: .}}",
      "x{cpu=0,state=user} 1", "x{cpu=1,state=user} 2", "x{cpu=0,state=idle} 4", "mem{} 9"),
    // Later transforms see what earlier ones made.
    Row(
      "{include: mem, action: update, new_name: m}, {include: m, action: update, new_name: n}",
      "cpu{cpu=0,state=user} 1", "cpu{cpu=1,state=user} 2", "cpu{cpu=0,state=idle} 4", "n{} 9"),
  ])
  func `transforms, as the Collector documents them`(row: Row) throws {
    let batch = metrics(
      Self.gauge(
        "cpu", ("state=user,cpu=0", .int(1)), ("state=user,cpu=1", .int(2)), ("state=idle,cpu=0", .int(4))),
      Self.gauge("mem", ("", .int(9))))
    #expect(try Self.run(row.transform, batch) == row.result)
  }

  @Test(arguments: [
    ("sum", "cpu{} 10", "cpu{} 10.5d"), ("mean", "cpu{} 3", "cpu{} 3.5d"), ("min", "cpu{} 1", "cpu{} 0.5d"),
    ("max", "cpu{} 7", "cpu{} 8.0d"), ("count", "cpu{} 3", "cpu{} 3.0d"), ("median", "cpu{} 2", "cpu{} 2.0d"),
  ])
  func `every aggregation, of integers and of doubles`(type: String, int: String, double: String) throws {
    let transform =
      "{include: cpu, action: update, operations: [{action: aggregate_labels, label_set: [], aggregation_type: \(type)}]}"
    let ints = metrics(Self.gauge("cpu", ("a=1", .int(7)), ("a=2", .int(1)), ("a=3", .int(2))))
    #expect(try Self.run(transform, ints) == [int])
    let doubles = metrics(Self.gauge("cpu", ("a=1", .double(2)), ("a=2", .int(8)), ("a=3", .double(0.5))))
    #expect(try Self.run(transform, doubles) == [double])
  }

  @Test func `an even number of values has its median between two, and one value counts one`() throws {
    func run(_ type: String, _ batch: Batch) throws -> [String] {
      try Self.run(
        "{include: m, action: update, operations: [{action: aggregate_labels, label_set: [k], aggregation_type: \(type)}]}",
        batch)
    }
    let batch = metrics(
      Self.gauge(
        "m", ("a=1", .int(1)), ("a=2", .int(4)), ("a=3", .int(9)), ("a=4", .int(6)), ("k=x", .int(5))))
    #expect(try run("median", batch) == ["m{} 5", "m{k=x} 5"])
    #expect(try run("count", batch) == ["m{} 4", "m{k=x} 1"])
  }

  @Test func `points of other times stay apart, and of deltas those of other starts`() throws {
    func sum(_ temporality: AggregationTemporality) -> Batch {
      let points = [(1, 2, 1), (0, 2, 2), (1, 3, 4)].enumerated().map { index, point in
        NumberDataPointValue(
          attributes: ["i": .int(Int64(index))], startTime: UInt64(point.0), time: UInt64(point.1),
          value: .int(Int64(point.2)))
      }
      return metrics(MetricValue(name: "s", data: .sum(points, temporality, isMonotonic: true)))
    }
    let processor = try MetricsTransformProcessor.testing(
      "{transforms: [{include: s, action: update, operations: [{action: aggregate_labels}]}]}")
    let cumulative = Point.all(processor.process(sum(.cumulative)))
    #expect(cumulative.map(\.value) == [.int(3), .int(4)])
    #expect(cumulative.map(\.start) == [0, 1])
    #expect(Point.all(processor.process(sum(.delta))).map(\.value) == [.int(1), .int(2), .int(4)])
  }

  @Test func `histograms are added up and scaled, with their exemplars`() throws {
    func histogram(_ label: String, _ buckets: [UInt64], bounds: [Double]) -> HistogramDataPointValue {
      HistogramDataPointValue(
        attributes: Self.attributes("l=\(label)"), startTime: 1, time: 2, count: buckets.reduce(0, +), sum: 4,
        bucketCounts: buckets, explicitBounds: bounds,
        exemplars: [ExemplarValue(time: 1, value: .double(3)), ExemplarValue(time: 1, value: .int(5))],
        min: 1, max: 3)
    }
    let points = [
      histogram("a", [1, 2], bounds: [2]), histogram("b", [0, 3], bounds: [2]),
      histogram("c", [4, 4], bounds: [3]),
    ]
    let batch = metrics(MetricValue(name: "h", unit: "s", data: .histogram(points, .delta)))
    let processor = try MetricsTransformProcessor.testing(
      "{transforms: [{include: h, action: update, new_name: ms, operations: [{action: aggregate_labels}, {action: experimental_scale_value, experimental_scale: 1000}]}]}"
    )
    let result = try #require(processor.process(batch))
    var seen: [String] = []
    result.metric(at: 0).histogramDataPoints.forEach { point in
      var exemplars: [NumberValue?] = []
      point.exemplars.forEach { exemplars.append($0.value) }
      seen.append(
        "\(point.bucketCounts.array) \(point.explicitBounds.array) \(point.sum ?? 0) \(point.min ?? 0) "
          + "\(point.max ?? 0) \(exemplars.map { $0.map { "\($0)" } ?? "-" })")
    }
    #expect(
      seen == [
        #"[1, 5] [2000.0] 8000.0 1000.0 3000.0 ["double(3000.0)", "int(5000)", "double(3000.0)", "int(5000)"]"#,
        #"[4, 4] [3000.0] 4000.0 1000.0 3000.0 ["double(3000.0)", "int(5000)"]"#,
      ])
    let (unit, name) = (result.metric(at: 0).unit.string, result.metric(at: 0).name.string)
    #expect(unit == "s" && name == "ms")
  }

  @Test func `exponential histograms are added up, summaries stay as they are`() throws {
    func point(_ scale: Int32, _ counts: [UInt64]) -> ExponentialHistogramDataPointValue {
      ExponentialHistogramDataPointValue(
        attributes: ["s": .int(Int64(scale))], startTime: 1, time: 2, count: counts.reduce(0, +),
        scale: scale, positive: BucketsValue(bucketCounts: counts))
    }
    let points = [point(0, [1, 2]), point(1, [4, 4])]
    let batch = metrics(
      MetricValue(name: "e", data: .exponentialHistogram(points, .delta)),
      MetricValue(name: "s", data: .summary([SummaryDataPointValue(attributes: ["a": "b"], count: 3)])))
    let processor = try MetricsTransformProcessor.testing(
      "{transforms: [{include: ., match_type: regexp, action: update, operations: [{action: aggregate_labels}]}]}"
    )
    let result = try #require(processor.process(batch))
    #expect(Self.shown(result) == ["e{} 11/-[0, 9, 2]"])
    #expect(result.itemCount == 2)
  }

  @Test func `combine makes one metric of many, with labels from their names`() throws {
    let batch = metrics(
      Self.gauge("Web/Total Get Requests", ("host=a", .int(3)), ("host=b", .int(1))),
      Self.gauge("other", ("", .int(1))),
      Self.gauge("Web/Total Post Requests", ("host=a", .int(5))))
    let include = "include: '^Web/Total (?P<method>.*) (Re)quests$', match_type: regexp"
    #expect(
      try Self.run("{\(include), action: combine, new_name: iis.requests, submatch_case: lower}", batch) == [
        "other{} 1", "iis.requests{$2=re,host=a,method=get} 3", "iis.requests{$2=re,host=b,method=get} 1",
        "iis.requests{$2=re,host=a,method=post} 5",
      ])
    #expect(
      try Self.run(
        "{\(include), action: combine, new_name: r, operations: [{action: aggregate_labels, label_set: [host], aggregation_type: sum}]}",
        batch) == ["other{} 1", "r{host=a} 8", "r{host=b} 1"])
    // Without groups, points with the same labels become one.
    #expect(
      try Self.run(
        "{include: ^Web, match_type: regexp, action: combine, new_name: r, aggregation_type: max}", batch)
        == ["other{} 1", "r{host=a} 5", "r{host=b} 1"])
  }

  @Test func `metrics that differ in more than their names are not combined`() throws {
    let point = Self.point("a=1", .int(1))
    let transform = "{include: ^m, match_type: regexp, action: combine, new_name: x}"
    let first = MetricValue(name: "m1", unit: "s", data: .sum([point], .delta, isMonotonic: true))
    for other in [
      MetricValue(name: "m2", unit: "s", data: .gauge([point])),
      MetricValue(name: "m2", unit: "ms", data: .sum([point], .delta, isMonotonic: true)),
      MetricValue(name: "m2", unit: "s", data: .sum([point], .cumulative, isMonotonic: true)),
      MetricValue(name: "m2", unit: "s", data: .sum([point], .delta, isMonotonic: false)),
      MetricValue(
        name: "m2", unit: "s", data: .sum([Self.point("b=1", .int(1))], .delta, isMonotonic: true)),
      MetricValue(name: "m2", unit: "s", data: .summary([SummaryDataPointValue()])),
    ] {
      let batch = metrics(first, other)
      let processor = try MetricsTransformProcessor.testing("{transforms: [\(transform)]}")
      #expect(processor.process(batch)?.bytes == batch.bytes)
    }
    let batch = metrics(
      first, MetricValue(name: "m2", unit: "s", data: .sum([point], .delta, isMonotonic: true)))
    #expect(try Self.run(transform, batch) == ["x{a=1} 2"])
  }

  @Test func `group moves metrics to a resource of their own`() throws {
    let batch = metrics(
      Self.gauge("k8s.pod.cpu", ("a=1", .int(1))), Self.gauge("container.cpu", ("a=1", .int(2))),
      Self.gauge("other", ("", .int(3))), resource: ["host": "h", "source": "old"])
    let processor = try MetricsTransformProcessor.testing(
      """
      {transforms: [
        {include: '^k8s\\.pod\\.', match_type: regexp, action: group, group_resource_labels: {resource.type: k8s.pod, source: kubelet}},
        {include: ^container, match_type: regexp, action: group, group_resource_labels: {resource.type: container}},
        {include: ^none, match_type: regexp, action: group, group_resource_labels: {resource.type: none}}]}
      """)
    let result = try #require(processor.process(batch))
    var seen: [String] = []
    result.forEachMetric { resource, scope, metric in
      let attributes = Point.labels(resource.attributes).sorted { $0.key < $1.key }
      let labels = attributes.map { entry -> String in
        if case .string(let text) = entry.value { return "\(entry.key)=\(text)" }
        return entry.key
      }
      seen.append("\(labels.joined(separator: ",")) \(scope.name.string) \(metric.name.string)")
    }
    #expect(
      seen == [
        "host=h,source=old meter other", "host=h,resource.type=k8s.pod,source=kubelet meter k8s.pod.cpu",
        "host=h,resource.type=container,source=old meter container.cpu",
      ])
    #expect(result.itemCount == 3)
    // A scope that has lost all of its metrics goes.
    let alone = try #require(processor.process(metrics(Self.gauge("container.x", ("", .int(1))))))
    #expect(alone.resourceCount == 1 && alone.itemCount == 1)
  }

  @Test func `what no transform means goes on byte for byte`() throws {
    let processor = try MetricsTransformProcessor.testing(
      "{transforms: [{include: x, action: update, new_name: y}, {include: m, action: update, operations: [{action: update_label, label: none, new_label: other}]}]}"
    )
    let batch = metrics(Self.gauge("m", ("a=1", .int(1))), MetricValue(name: "empty"))
    #expect(processor.process(batch)?.bytes == batch.bytes)
  }

  @Test(arguments: [
    ("{}", "transforms"), ("{transforms: [{action: update}]}", "include"),
    ("{transforms: [{include: a}]}", "action"), ("{transforms: [{include: a, action: insert}]}", "new_name"),
    ("{transforms: [{include: a, action: combine}]}", "new_name"),
    ("{transforms: [{include: a, action: group}]}", "group_resource_labels"),
    ("{transforms: [{include: '(', match_type: regexp, action: update}]}", "not a regular expression"),
    ("{transforms: [{include: a, action: update, submatch_case: lower}]}", "combine only"),
    (
      "{transforms: [{include: a, action: update, operations: [{action: add_label, new_label: a}]}]}",
      "new_value"
    ),
    ("{transforms: [{include: a, action: update, operations: [{action: update_label}]}]}", "label"),
    (
      "{transforms: [{include: a, action: update, operations: [{action: experimental_scale_value}]}]}",
      "experimental_scale"
    ),
    ("{transforms: [{include: a, action: update, operations: [{action: aggregate}]}]}", "one of"),
    (
      "{transforms: [{include: a, action: update, operations: [{action: aggregate_labels, aggregation_type: p99}]}]}",
      "one of"
    ),
  ])
  func `mistakes in settings are told`(settings: String, part: String) {
    let (config, diagnostics) = MetricsTransformProcessor.decode(settings)
    #expect(config == nil)
    #expect(diagnostics.render().contains(part))
  }
}
