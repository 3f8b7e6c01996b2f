package import ConfigSchema
package import PipelineKit
internal import TelemetryData

/// How the texts of a section of ``MatchProperties`` are compared.
package enum MatchType: String, ConfigEnum { case strict, regexp }

/// `include` and `exclude`: what an item must be like, in the words of the Collector.
///
/// Every property that is set must match; of the texts of one property any one, of `attributes` and `resources` all.
package struct MatchProperties: ConfigGroup {
  package var matchType: MatchType?
  package var services: [String] = []
  package var spanNames: [String] = []
  package var spanKinds: [String] = []
  package var logBodies: [String] = []
  package var logSeverityTexts: [String] = []
  package var logSeverityNumber: SeverityBound?
  package var metricNames: [String] = []
  package var attributes: [AttributeProperty] = []
  package var resources: [AttributeProperty] = []
  package var libraries: [LibraryProperty] = []

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "match_type", \.matchType,
      "Whether texts must be equal (`strict`) or match a regular expression of RE2 somewhere (`regexp`).",
      required: true),
    .accepted("regexp", "regular expressions need no cache here"),
    Field("services", \.services, "Values of the resource's `service.name`, for spans."),
    Field("span_names", \.spanNames, "Names of spans."),
    Field("span_kinds", \.spanKinds, "Kinds of spans, such as `SPAN_KIND_SERVER`."),
    Field("log_bodies", \.logBodies, "Bodies of log records that are text."),
    Field("log_severity_texts", \.logSeverityTexts, "Severity texts of log records."),
    Field("log_severity_number", \.logSeverityNumber, "The least severity number of log records."),
    Field("metric_names", \.metricNames, "Names of metrics."),
    Field("attributes", \.attributes, "Attributes that spans or log records must have."),
    Field("resources", \.resources, "Attributes that the resource must have."),
    Field("libraries", \.libraries, "Names, and versions where given, of instrumentation scopes."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if isEmpty {
      checker.error(
        "says nothing about what matches",
        help: "set at least one of services, span_names, span_kinds, log_bodies, log_severity_texts, "
          + "log_severity_number, metric_names, attributes, resources or libraries")
    }
    let kinds = SpanKindText.all
    if matchType == .strict, let wrong = spanKinds.first(where: { !kinds.contains($0) }) {
      checker.error(
        \.spanKinds, "\"\(wrong)\" is no kind of span; there are \(kinds.joined(separator: ", "))")
    }
    guard matchType == .regexp else { return }
    checkPatterns(\.services, &checker)
    checkPatterns(\.spanNames, &checker)
    checkPatterns(\.spanKinds, &checker)
    checkPatterns(\.logBodies, &checker)
    checkPatterns(\.logSeverityTexts, &checker)
    checkPatterns(\.metricNames, &checker)
    for property in attributes + resources {
      if case .string(let text)? = property.value?.value {
        checkPattern(text, \.attributes, &checker)
      } else if property.value != nil {
        checker.error(\.attributes, "the value of \"\(property.key)\" must be text for match_type: regexp")
      }
    }
    for library in libraries {
      checkPattern(library.name, \.libraries, &checker)
      if let version = library.version { checkPattern(version, \.libraries, &checker) }
    }
  }

  private func checkPatterns(_ field: KeyPath<Self, [String]>, _ checker: inout ConfigChecker) {
    for text in self[keyPath: field] { checkPattern(text, field, &checker) }
  }

  private func checkPattern<Value>(
    _ text: String, _ field: KeyPath<Self, Value>, _ checker: inout ConfigChecker
  ) {
    if let reason = TextMatch.problem(ofPattern: text) {
      checker.error(field, "\"\(text)\" is not a regular expression of RE2: \(reason)")
    }
  }

  /// Why the properties do not fit what a processor carries; nil when they do.
  func problem(carrying signals: [Signal]) -> String? {
    for signal in signals {
      let foreign = foreign(to: signal)
      if !foreign.isEmpty {
        let isOne = foreign.count == 1
        return
          "\(foreign.joined(separator: ", ")) \(isOne ? "says" : "say") nothing about \(signal.rawValue): "
          + "use a processor of its own for each signal"
      }
    }
    return nil
  }

  private func foreign(to signal: Signal) -> [String] {
    var keys: [String] = []
    if signal != .traces {
      if !services.isEmpty { keys.append("services") }
      if !spanNames.isEmpty { keys.append("span_names") }
      if !spanKinds.isEmpty { keys.append("span_kinds") }
    }
    if signal != .logs {
      if !logBodies.isEmpty { keys.append("log_bodies") }
      if !logSeverityTexts.isEmpty { keys.append("log_severity_texts") }
      if logSeverityNumber != nil { keys.append("log_severity_number") }
    }
    if signal != .metrics, !metricNames.isEmpty { keys.append("metric_names") }
    if signal == .metrics {
      if !attributes.isEmpty { keys.append("attributes") }
      if !libraries.isEmpty { keys.append("libraries") }
    }
    return keys
  }

  private var isEmpty: Bool {
    services.isEmpty && spanNames.isEmpty && spanKinds.isEmpty && logBodies.isEmpty
      && logSeverityTexts.isEmpty && logSeverityNumber == nil && metricNames.isEmpty && attributes.isEmpty
      && resources.isEmpty && libraries.isEmpty
  }
}

/// A key, and the value it must have; without a value any will do.
package struct AttributeProperty: ConfigGroup {
  package var key = ""
  package var value: LiteralValue?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("key", \.key, "The key that must be there.", check: .nonEmpty, required: true),
    Field("value", \.value, "The value that it must have; left out, any value will do."),
  ]
}

/// An instrumentation scope.
package struct LibraryProperty: ConfigGroup {
  package var name = ""
  package var version: String?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("name", \.name, "The name of the scope.", required: true),
    Field("version", \.version, "Its version; left out, any will do."),
  ]
}

/// A bound of severity numbers.
package struct SeverityBound: ConfigGroup {
  package var min: SeverityNumber = SeverityNumber(rawValue: 1)
  package var matchUndefined = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "min", \.min, "The least severity: a number from 1 to 24, or a name such as `WARN` or `INFO2`.",
      required: true),
    Field(
      "match_undefined", \.matchUndefined, "Whether log records without a severity number match as well."),
  ]
}

/// A severity number of OTLP, 1 to 24, written as number or as name.
package struct SeverityNumber: ConfigValue, Hashable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  private static let names = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

  package static var configType: ConfigType { .any }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    let text = node.text ?? ""
    if let number = Int32(text), 0...24 ~= number { return Self(rawValue: number) }
    for (index, name) in Self.names.enumerated() {
      guard text.uppercased().hasPrefix(name) else { continue }
      let rest = text.dropFirst(name.count)
      if rest.isEmpty { return Self(rawValue: Int32(index * 4 + 1)) }
      if let step = Int32(rest), 1...4 ~= step { return Self(rawValue: Int32(index * 4) + step) }
    }
    context.mismatch(node, expected: "a severity number from 1 to 24, or a name such as WARN or INFO2")
    return nil
  }

  package var literal: ConfigLiteral { .integer(Int64(rawValue)) }
}

/// The names of span kinds as the Collector writes them.
enum SpanKindText {
  /// By number from 0.
  static let all = [
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
  ]
}
