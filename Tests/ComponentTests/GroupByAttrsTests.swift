import PipelineKit
import PipelineTestKit
import SeededRandom
import TelemetryData
import Testing

@testable import Processors

@Suite struct GroupByAttrsTests {
  private static func grouped(
    _ yaml: String, _ batch: Batch, metrics: SelfMetrics = SelfMetrics()
  ) throws -> Batch {
    let processor = try GroupByAttrsProcessor.testing(
      yaml, context: .testing(.processor, "groupbyattrs", metrics: metrics))
    return try #require(processor.process(batch))
  }

  /// A batch with one log record per entry: attributes of its resource, the name of its scope, attributes of its own.
  private static func logs(_ entries: [(resource: Attributes, scope: String, own: Attributes)]) -> Batch {
    var builder = BatchBuilder(.logs)
    for entry in entries {
      builder.beginResource(ResourceValue(attributes: entry.resource))
      builder.beginScope(ScopeValue(name: entry.scope))
      builder.add(LogRecordValue(time: 1, attributes: entry.own))
    }
    return builder.finish()
  }

  @Test func `attributes move to resources, and items with the same ones meet there`() throws {
    let batch = Self.logs([
      (["a": 1], "s", ["host": "x", "n": 1]), (["a": 1], "s", ["n": 2]),
      (["a": 1], "t", ["host": "x", "n": 3]),
      (["a": 1], "s", ["n": 4, "host": "x"]), (["a": 1, "host": "x"], "s", ["n": 5]),
      (["host": "y", "a": 1], "s", ["host": "x", "n": 6]),
    ])
    var expected = BatchBuilder(.logs)
    expected.beginResource(ResourceValue(attributes: ["a": 1, "host": "x"]))
    expected.beginScope(ScopeValue(name: "s"))
    for number: Int64 in [1, 4, 5, 6] {
      expected.add(LogRecordValue(time: 1, attributes: ["n": .int(number)]))
    }
    expected.beginScope(ScopeValue(name: "t"))
    expected.add(LogRecordValue(time: 1, attributes: ["n": 3]))
    expected.beginResource(ResourceValue(attributes: ["a": 1]))
    expected.beginScope(ScopeValue(name: "s"))
    expected.add(LogRecordValue(time: 1, attributes: ["n": 2]))
    let wanted = expected.finish()
    #expect(try Self.grouped("{keys: [host]}", batch).bytes == wanted.bytes)
  }

  @Test func `without keys equal resources and scopes become one, in any order of attributes`() throws {
    let batch = Self.logs([
      (["a": 1, "b": 2], "s", ["n": 1]), (["a": 1], "s", ["n": 2]), (["b": 2, "a": 1], "s", ["n": 3]),
    ])
    let result = try Self.grouped("{}", batch)
    #expect(result.resourceCount == 2)
    #expect(result.scopeCount == 2)
    #expect(result.itemCount == 3)
    let first = result.resource(at: 0).attributes.values
    #expect(first == ["a": 1, "b": 2])
  }

  @Test func `what differs in more than attributes stays apart`() throws {
    var builder = BatchBuilder(.traces)
    for (url, scope) in [
      ("", ScopeValue(name: "s")), ("u", ScopeValue(name: "s")), ("u", ScopeValue(name: "s", version: "1")),
      ("u", ScopeValue(name: "s", attributes: ["x": 1])), ("u", ScopeValue(name: "s", schemaURL: "v")),
    ] {
      builder.beginResource(ResourceValue(attributes: ["a": 1], schemaURL: url))
      builder.beginScope(scope)
      builder.add(SpanValue(traceID: Array(1...16), spanID: Array(1...8), attributes: ["k": 1]))
    }
    let batch = builder.finish()
    let result = try Self.grouped("{keys: [none]}", batch)
    #expect(result.resourceCount == 2)
    #expect(result.scopeCount == 5)
    #expect(result.index.resources.map { $0.schemaURL.count } == [0, 1])
  }

  @Test func `one resource that has nothing to move goes on as it is`() throws {
    let batch = Self.logs([(["a": 1], "s", ["n": 1])])
    #expect(try Self.grouped("{}", batch).bytes == batch.bytes)
    #expect(try Self.grouped("{keys: [host]}", batch).bytes == batch.bytes)
    #expect(try Self.grouped("{}", Batch(signal: .metrics)).bytes == [])
  }

  @Test func `data points are moved one by one, and metrics that differ in nothing else meet`() throws {
    func gauge(_ name: String, unit: String = "", _ points: [(Attributes, Int64)]) -> MetricValue {
      MetricValue(
        name: name, unit: unit,
        data: .gauge(points.map { NumberDataPointValue(attributes: $0.0, time: 1, value: .int($0.1)) }))
    }
    var builder = BatchBuilder(.metrics)
    builder.beginResource(ResourceValue(attributes: ["a": 1]))
    builder.add(gauge("m", [(["host": "x"], 1), (["host": "y", "z": 1], 2), ([:], 3)]))
    builder.add(gauge("m", unit: "s", [(["host": "x"], 4)]))
    builder.add(gauge("none", []))
    builder.beginResource(ResourceValue(attributes: ["a": 1]))
    builder.add(gauge("m", [(["host": "x"], 5)]))
    let batch = builder.finish()
    var expected = BatchBuilder(.metrics)
    expected.beginResource(ResourceValue(attributes: ["a": 1, "host": "x"]))
    expected.add(gauge("m", [([:], 1), ([:], 5)]))
    expected.add(gauge("m", unit: "s", [([:], 4)]))
    expected.beginResource(ResourceValue(attributes: ["a": 1, "host": "y"]))
    expected.add(gauge("m", [(["z": 1], 2)]))
    expected.beginResource(ResourceValue(attributes: ["a": 1]))
    expected.add(gauge("m", [([:], 3)]))
    let wanted = expected.finish()
    let metrics = SelfMetrics()
    #expect(try Self.grouped("{keys: [host]}", batch, metrics: metrics).bytes == wanted.bytes)
    var counts: [String: Double] = [:]
    for family in metrics.snapshot() where family.name.contains("metric") {
      switch family.series[0].value {
      case .number(let number): counts[family.name] = number
      case .histogram(_, _, let sum): counts[family.name] = Double(sum)
      }
    }
    let prefix = "otelcol_processor_groupbyattrs_"
    #expect(
      counts == [
        "\(prefix)num_grouped_metrics": 4, "\(prefix)num_non_grouped_metrics": 1, "\(prefix)metric_groups": 3,
      ])
  }

  /// Everything that a record stands under and holds, once attributes have moved.
  private struct Fact: Hashable {
    var resource: Set<Attribute>
    var scope: String
    var own: Attributes
  }

  private static func facts(_ batch: Batch, moving keys: [String]) -> [Fact: Int] {
    var facts: [Fact: Int] = [:]
    batch.forEachLogRecord { (resource, scope, record) in
      var own = record.attributes.values
      let moved = own.entries.filter { keys.contains($0.key) }
      own.entries.removeAll { keys.contains($0.key) }
      let names = Set(moved.map(\.key))
      let kept = resource.attributes.values.entries.filter { !names.contains($0.key) }
      facts[Fact(resource: Set(kept + moved), scope: scope.name.string, own: own), default: 0] += 1
    }
    return facts
  }

  @Test(arguments: 0..<40)
  func `nothing is lost or changed, and no two resources are equal`(seed: Int) throws {
    var random = SeededGenerator(UInt64(seed))
    let names = ["a", "b", "host", "pod"]
    func attributes(_ most: Int) -> Attributes {
      var attributes = Attributes()
      for name in names.shuffled(using: &random).prefix(random.below(most + 1)) {
        attributes.append(name, random.pick([.int(1), "x", true, .array(["y"])]))
      }
      return attributes
    }
    let entries = (0..<60).map { _ in (attributes(2), random.pick(["s", "t"]), attributes(4)) }
    let batch = Self.logs(entries.map { (resource: $0.0, scope: $0.1, own: $0.2) })
    let keys = Array(["host", "pod", "a"].prefix(random.below(4)))
    let result = try Self.grouped("{keys: [\(keys.joined(separator: ", "))]}", batch)
    #expect(Self.facts(result, moving: []) == Self.facts(batch, moving: keys))
    var resources: Set<Set<Attribute>> = []
    for position in 0..<result.resourceCount {
      resources.insert(Set(result.resource(at: position).attributes.values.entries))
      var scopes: Set<String> = []
      let all = result.resource(at: position).scopes
      for scope in all { scopes.insert(result.scope(at: scope).name.string) }
      #expect(scopes.count == all.count)
    }
    #expect(resources.count == result.resourceCount)
  }
}
