import ConfigSchema
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Processors

/// A span of a test, with the service it comes from.
struct TestSpan: Sendable {
  var service = "shop"
  var resource: Attributes = []
  var scope = "lib"
  var value = SpanValue()

  /// - Parameters:
  ///   - trace: the number of its trace, from 1 on.
  ///   - start: milliseconds since a fixed instant; it ends `length` milliseconds later.
  init(
    _ trace: Int, _ name: String = "work", start: Int = 0, length: Int = 10, status: Int32 = 0,
    attributes: Attributes = [], isRoot: Bool = false, service: String = "shop", resource: Attributes = []
  ) {
    self.service = service
    self.resource = resource
    value.traceID = Self.id(trace)
    value.spanID = Array(repeating: 7, count: 8)
    value.parentSpanID = isRoot ? [] : Array(repeating: 9, count: 8)
    value.name = name
    value.startTime = Self.epoch + UInt64(start) * 1_000_000
    value.endTime = UInt64(Int(value.startTime) + length * 1_000_000)
    value.attributes = attributes
    if status != 0 { value.status = StatusValue(code: status) }
  }

  static let epoch: UInt64 = 1_767_323_045_000_000_000

  /// An id whose bytes are spread, so that the numbers of traces do not show in the table.
  static func id(_ trace: Int) -> [UInt8] {
    let number = UInt64(trace) &* 0x9E37_79B9_7F4A_7C15
    return (0..<16).map { UInt8(truncatingIfNeeded: number >> UInt64($0 % 8 * 8)) ^ UInt8($0) }
  }
}

extension Batch {
  /// The spans in order; neighbours of one service and scope share them.
  static func of(_ spans: [TestSpan]) -> Batch {
    var builder = BatchBuilder(.traces)
    var last: TestSpan?
    for span in spans {
      let isSame = last?.service == span.service && last?.resource == span.resource
      if !isSame {
        var attributes = span.resource
        attributes.append("service.name", .string(span.service))
        builder.beginResource(ResourceValue(attributes: attributes, schemaURL: "https://schema/1"))
      }
      if !isSame || last?.scope != span.scope {
        builder.beginScope(ScopeValue(name: span.scope, schemaURL: "https://schema/2"))
      }
      builder.add(span.value)
      last = span
    }
    return builder.finish()
  }

  static func of(_ spans: TestSpan...) -> Batch { of(spans) }

  /// `service/scope/name` of every span.
  var spanNames: [String] {
    var names: [String] = []
    forEachSpan { resource, scope, span in
      let service = resource.attributes.first("service.name")?.string ?? ""
      names.append("\(service)/\(scope.name.string)/\(span.name.string)")
    }
    return names
  }
}

/// Runs the processor over a script on a virtual clock.
struct SamplingRun: Sendable {
  let clock = TestClock()
  let metrics = SelfMetrics()
  let output = CollectingConsumer()
  let context: ComponentContext
  private let settings: String

  /// - Parameter settings: YAML in flow style, without the braces around it.
  init(_ settings: String, memory: ProcessMemory = ProcessMemory()) {
    self.settings = settings
    context = .testing(.processor, "tail_sampling", clock: clock, metrics: metrics, memory: memory)
  }

  static func decode(_ settings: String) -> (TailSamplingProcessor.Config?, Diagnostics) {
    let (loaded, _) = ConfigLoader.load(sources: [.text("{\(settings)}", name: "test.yaml")])
    var diagnostics = Diagnostics()
    guard let loaded else { return (nil, diagnostics) }
    let config = ConfigDecoder.decode(
      TailSamplingProcessor.Config.self, from: loaded, path: "", diagnostics: &diagnostics)
    return (config, diagnostics)
  }

  @discardableResult
  func callAsFunction(_ steps: [ScriptedIntake.Step], gathers: Bool = false) async throws -> Self {
    let (config, diagnostics) = Self.decode(settings)
    let processor = try TailSamplingProcessor(
      config: try #require(config, "\(diagnostics.render())"), context: context)
    await processor.run(intake: ScriptedIntake(steps, clock: clock, gathers: gathers), output: output)
    return self
  }

  /// Names of the spans that came out, sorted.
  var kept: [String] {
    output.arrivals.flatMap(\.batch.spanNames).map { String($0.split(separator: "/").last ?? "") }.sorted()
  }

  /// The value of a counter or gauge, or the count of a histogram, over all series with these labels.
  func metric(_ name: String, _ labels: [String: String] = [:]) -> Int {
    let series = metrics.snapshot().filter {
      $0.name == name || $0.name == "otelcol_processor_tail_sampling_" + name
    }
    .flatMap(\.series)
    return series.reduce(0) { sum, series in
      guard labels.allSatisfy({ label in series.labels.contains { $0 == (label.key, label.value) } }) else {
        return sum
      }
      switch series.value {
      case .number(let value): return sum + Int(value)
      case .histogram(_, let counts, _): return sum + counts.reduce(0, +)
      }
    }
  }

  /// Spans that were booked as ended, by state and reason.
  func booked(_ state: LedgerState, _ reason: String? = nil) -> Int {
    var labels = ["state": state.rawValue]
    labels["reason"] = reason
    return metric("millrace_ledger_items", labels)
  }
}
