import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

@Suite struct ProbabilisticSamplerTests {
  /// Its last 56 bits are 0a0b0c0d0e0f10; hashed with seed 0 it has the randomness 976837c4f25a25.
  static let id = [UInt8](1...16)

  static func spans(_ values: [SpanValue]) -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
    for value in values { builder.add(value) }
    return builder.finish()
  }

  static func records(_ values: [LogRecordValue]) -> Batch {
    var builder = BatchBuilder(.logs)
    for value in values { builder.add(value) }
    return builder.finish()
  }

  struct SpanRow: Sendable, CustomTestStringConvertible {
    let settings: String
    var id = ProbabilisticSamplerTests.id
    var before = ""
    var priority: AnyValue?
    /// Nil when the span is left out.
    let after: String?
    var testDescription: String { "\(settings) \(before) \(priority.map { "\($0)" } ?? "")" }
  }

  @Test(arguments: [
    // Mode hash_seed, also when none is named.
    SpanRow(settings: "{sampling_percentage: 41}", after: "ot=rv:976837c4f25a25;th:970c"),
    SpanRow(settings: "{sampling_percentage: 40}", after: nil),
    SpanRow(settings: "{sampling_percentage: 100, mode: hash_seed}", after: "ot=rv:976837c4f25a25;th:0"),
    SpanRow(settings: "{sampling_percentage: 800, mode: hash_seed}", after: "ot=rv:976837c4f25a25;th:0"),
    SpanRow(settings: "{sampling_percentage: 41, hash_seed: 22}", after: nil),
    SpanRow(settings: "{sampling_percentage: 0}", after: nil),
    SpanRow(settings: "{sampling_percentage: 41}", before: "a=b", after: "ot=rv:976837c4f25a25;th:970c,a=b"),
    // What other samplers wrote is not touched.
    SpanRow(settings: "{sampling_percentage: 100}", before: "ot=th:8", after: nil),
    SpanRow(settings: "{sampling_percentage: 100, fail_closed: false}", before: "ot=th:8", after: "ot=th:8"),
    SpanRow(
      settings: "{sampling_percentage: 1, fail_closed: false}", before: "ot=rv:00000000000001",
      after: "ot=rv:00000000000001"),
    // Mode proportional.
    SpanRow(settings: "{sampling_percentage: 97, mode: proportional}", after: "ot=th:07ae1"),
    SpanRow(settings: "{sampling_percentage: 96, mode: proportional}", after: nil),
    SpanRow(
      settings: "{sampling_percentage: 50, mode: proportional}", before: "ot=th:8;rv:c0000000000000,x=y",
      after: "ot=rv:c0000000000000;th:c,x=y"),
    SpanRow(
      settings: "{sampling_percentage: 50, mode: proportional}", before: "ot=th:8;rv:bfffffffffffff",
      after: nil),
    SpanRow(
      settings: "{sampling_percentage: 100, mode: proportional}", before: "ot=rv:c0000000000000;th:8",
      after: "ot=rv:c0000000000000;th:8"),
    // Mode equalizing.
    SpanRow(
      settings: "{sampling_percentage: 50, mode: equalizing}", before: "ot=th:4;rv:80000000000000",
      after: "ot=rv:80000000000000;th:8"),
    SpanRow(
      settings: "{sampling_percentage: 50, mode: equalizing}", before: "ot=th:c;rv:c0000000000000",
      after: "ot=rv:c0000000000000;th:c"),
    SpanRow(
      settings: "{sampling_percentage: 50, mode: equalizing}", before: "ot=th:4;rv:7fffffffffffff", after: nil
    ),
    // A threshold that would have rejected the span is a lie.
    SpanRow(settings: "{sampling_percentage: 100, mode: proportional}", before: "ot=th:8", after: nil),
    SpanRow(
      settings: "{sampling_percentage: 1, mode: equalizing, fail_closed: false}", before: "ot=th:8",
      after: "ot=th:0"),
    // Malformed.
    SpanRow(settings: "{sampling_percentage: 100}", before: "ot=th", after: nil),
    SpanRow(settings: "{sampling_percentage: 1, fail_closed: false}", before: "ot=th", after: "ot=th"),
    SpanRow(
      settings: "{sampling_percentage: 1, mode: proportional, fail_closed: false}", before: "OT", after: "OT"),
    // Without an id.
    SpanRow(settings: "{sampling_percentage: 100}", id: [], after: nil),
    SpanRow(
      settings: "{sampling_percentage: 100, mode: equalizing}", id: Array(repeating: 0, count: 16), after: nil
    ),
    SpanRow(
      settings: "{sampling_percentage: 1, mode: equalizing, fail_closed: false}", id: [], after: "ot=th:0"),
    SpanRow(
      settings: "{sampling_percentage: 50, mode: equalizing}", id: [], before: "ot=rv:80000000000000",
      after: "ot=rv:80000000000000;th:8"),
    // A priority wins.
    SpanRow(settings: "{sampling_percentage: 100}", priority: 0, after: nil),
    SpanRow(settings: "{sampling_percentage: 100}", priority: "0.0", after: nil),
    SpanRow(settings: "{sampling_percentage: 0}", priority: 1, after: "ot=th:0"),
    SpanRow(settings: "{sampling_percentage: 0}", priority: 0.5, after: "ot=th:0"),
    SpanRow(settings: "{sampling_percentage: 0}", priority: "1e2", after: "ot=th:0"),
    SpanRow(settings: "{sampling_percentage: 0}", priority: "1e999", after: nil),
    SpanRow(settings: "{sampling_percentage: 0}", priority: "high", after: nil),
    SpanRow(settings: "{sampling_percentage: 0}", priority: -1, after: nil),
    SpanRow(settings: "{sampling_percentage: 0}", priority: true, after: nil),
    SpanRow(settings: "{sampling_percentage: 40}", priority: 1, after: "ot=rv:976837c4f25a25;th:0"),
    SpanRow(
      settings: "{sampling_percentage: 10, mode: equalizing}", before: "ot=rv:c0000000000000;th:8",
      priority: 1,
      after: "ot=rv:c0000000000000;th:8"),
  ])
  func `spans are kept, and say with which probability, as in the Collector`(row: SpanRow) throws {
    let processor = try ProbabilisticSamplerProcessor.testing(row.settings)
    var attributes: Attributes = ["http.route": "/cart"]
    if let priority = row.priority { attributes.append("sampling.priority", priority) }
    let span = SpanValue(
      traceID: row.id, spanID: Array(1...8), traceState: row.before, name: "GET", attributes: attributes)
    let result = processor.process(Self.spans([span]))
    #expect(result.map { $0.span(at: 0).traceState.string } == row.after)
    if let result {
      var expected = span
      expected.traceState = row.after ?? ""
      #expect(result.bytes == Self.spans([expected]).bytes)
    }
  }

  static let nested = AnyValue.keyValueList([
    Attribute("b", .empty), Attribute("a", .array([1, true, "x<y"])),
  ])

  struct LogRow: Sendable, CustomTestStringConvertible {
    let settings: String
    var id = ProbabilisticSamplerTests.id
    var before: Attributes = [:]
    /// Nil when the record is left out.
    let after: Attributes?
    var testDescription: String { "\(settings) \(before.entries.map { "\($0.key)=\($0.value)" })" }
  }

  @Test(arguments: [
    LogRow(
      settings: "{sampling_percentage: 41}",
      after: ["sampling.randomness": "976837c4f25a25", "sampling.threshold": "970c"]),
    LogRow(settings: "{sampling_percentage: 40}", after: nil),
    LogRow(settings: "{sampling_percentage: 100}", id: [], after: nil),
    LogRow(
      settings: "{sampling_percentage: 1, fail_closed: false}", id: [], after: ["sampling.threshold": "0"]),
    LogRow(
      settings: "{sampling_percentage: 100, from_attribute: log.id}", id: [], before: ["log.id": "shop-1"],
      after: ["log.id": "shop-1", "sampling.randomness": "4a2002b6adad77", "sampling.threshold": "0"]),
    LogRow(
      settings: "{sampling_percentage: 100, from_attribute: log.id, attribute_source: record}",
      before: ["log.id": Self.nested],
      after: [
        "log.id": Self.nested, "sampling.randomness": "5e843c761e685e",
        "sampling.threshold": "0",
      ]),
    LogRow(
      settings: "{sampling_percentage: 100, from_attribute: n, attribute_source: record}",
      before: ["n": 1e-7],
      after: ["n": 1e-7, "sampling.randomness": "148030c333fadf", "sampling.threshold": "0"]),
    LogRow(
      settings: "{sampling_percentage: 100, from_attribute: n, attribute_source: record}", before: ["n": ""],
      after: nil),
    LogRow(
      settings: "{sampling_percentage: 50, mode: proportional}",
      before: ["sampling.threshold": "8", "sampling.randomness": "c0000000000000"],
      after: ["sampling.threshold": "c", "sampling.randomness": "c0000000000000"]),
    LogRow(
      settings: "{sampling_percentage: 97, mode: equalizing}", before: ["a": 1],
      after: ["a": 1, "sampling.threshold": "07ae1"]),
    LogRow(
      settings: "{sampling_percentage: 100, mode: equalizing, from_attribute: a}", id: [], before: ["a": 1],
      after: nil),
    LogRow(settings: "{sampling_percentage: 100}", before: ["sampling.threshold": "0"], after: nil),
    LogRow(
      settings: "{sampling_percentage: 100, mode: equalizing}", before: ["sampling.threshold": "x"],
      after: nil),
    LogRow(
      settings: "{sampling_percentage: 1, mode: equalizing, fail_closed: false}",
      before: ["sampling.randomness": "1"], after: ["sampling.randomness": "1"]),
    LogRow(
      settings: "{sampling_percentage: 100, mode: equalizing}", before: ["sampling.threshold": 1],
      after: ["sampling.threshold": "0"]),
    LogRow(
      settings: "{sampling_percentage: 0, sampling_priority: p}", before: ["p": 50],
      after: ["p": 50, "sampling.threshold": "8"]),
    LogRow(settings: "{sampling_percentage: 0, sampling_priority: p}", before: ["p": 0], after: nil),
    LogRow(settings: "{sampling_percentage: 0, sampling_priority: p}", before: ["p": 101], after: nil),
    LogRow(settings: "{sampling_percentage: 0, sampling_priority: p}", before: ["p": "50"], after: nil),
    LogRow(
      settings: "{sampling_percentage: 100, mode: equalizing, sampling_priority: p}", before: ["p": 12.5],
      after: nil),
  ])
  func `log records are kept, and say with which probability, as in the Collector`(row: LogRow) throws {
    let processor = try ProbabilisticSamplerProcessor.testing(row.settings)
    let record = LogRecordValue(time: 1, body: "paid", attributes: row.before, traceID: row.id)
    let result = processor.process(Self.records([record]))
    #expect(result.map { $0.logRecord(at: 0).attributes.values } == row.after)
  }

  @Test func `what is kept keeps its order, bytes and scopes`() throws {
    let processor = try ProbabilisticSamplerProcessor.testing("{sampling_percentage: 50, mode: equalizing}")
    var builder = BatchBuilder(.traces)
    var expected = BatchBuilder(.traces)
    for resource in 0..<4 {
      let value = ResourceValue(attributes: ["service.name": .string("s\(resource)")])
      builder.beginResource(value)
      if resource != 2 { expected.beginResource(value) }
      for index in 0..<10 {
        let isKept = resource != 2 && index % 3 == 0
        var span = SpanValue(
          traceID: Array(1...9) + Array(repeating: isKept ? 0x80 : 0x7F, count: 7), traceState: "ot=th:8",
          name: "\(resource) \(index)")
        if !isKept { span.traceState = "" }
        builder.add(span)
        if isKept { expected.add(span) }
      }
    }
    let wanted = expected.finish()
    let batch = builder.finish()
    #expect(processor.process(batch)?.bytes == wanted.bytes)
  }

  @Test func `decisions and faults are counted`() throws {
    let metrics = SelfMetrics()
    let context = ComponentContext.testing(
      .processor, "probabilistic_sampler", metrics: metrics, signals: [.traces])
    let processor = try ProbabilisticSamplerProcessor.testing(
      "{sampling_percentage: 50, mode: equalizing}", context: context)
    let result = processor.process(
      Self.spans([
        SpanValue(traceID: Array(repeating: 0xFF, count: 16)), SpanValue(traceID: Self.id), SpanValue(),
        SpanValue(traceID: Self.id, traceState: "?"), SpanValue(traceID: Self.id, traceState: "ot=th:8"),
        SpanValue(attributes: ["sampling.priority": 1]),
      ]))
    #expect(result?.itemCount == 2)
    var counts: [String: Double] = [:]
    for family in metrics.snapshot() {
      for series in family.series {
        guard case .number(let number) = series.value else { continue }
        counts["\(family.name) " + series.labels.dropFirst().map(\.value).joined(separator: " ")] = number
      }
    }
    let sampled = "otelcol_processor_probabilistic_sampler_count_traces_sampled"
    let faulty = "millrace_probabilistic_sampler_faulty_items traces"
    #expect(
      counts == [
        "\(sampled) trace_id_w3c true": 1, "\(sampled) trace_id_w3c false": 2,
        "\(sampled) missing_randomness false": 2, "\(sampled) sampling_priority true": 1,
        "\(faulty) malformed": 1, "\(faulty) missing_randomness": 2, "\(faulty) inconsistent_threshold": 1,
      ])
  }
}
