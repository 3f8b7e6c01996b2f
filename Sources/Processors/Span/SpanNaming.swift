internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import WireFormat

/// How names of spans and attributes are made of each other, compiled.
struct SpanNaming: Sendable {
  private struct Rule: Sendable {
    let pattern: CapturePattern
    let names: [[UInt8]]

    init(_ pattern: Pattern) {
      self.pattern = CapturePattern(pattern)
      names = pattern.groupNames.map { [UInt8]($0.utf8) }
    }
  }

  private let fromAttributes: [[UInt8]]
  private let separator: [UInt8]
  private let rules: [Rule]
  private let breaksAfterMatch: Bool
  private let keepsName: Bool

  init(_ config: SpanNameConfig) {
    fromAttributes = config.fromAttributes.map { [UInt8]($0.utf8) }
    separator = [UInt8](config.separator.utf8)
    rules = (config.toAttributes?.rules ?? []).map { Rule($0.pattern) }
    breaksAfterMatch = config.toAttributes?.breakAfterMatch ?? false
    keepsName = config.toAttributes?.keepOriginalName ?? false
  }

  /// What a span becomes.
  struct Outcome {
    /// Nil when the name stays.
    var name: [UInt8]?
    /// In the order in which they are set.
    var attributes: [(key: [UInt8], value: [UInt8])] = []
  }

  func outcome(for span: borrowing SpanView, _ match: inout PatternMatch) -> Outcome {
    var outcome = Outcome()
    outcome.name = name(ofAttributes: span.attributes)
    if rules.isEmpty { return outcome }
    var name = outcome.name ?? span.name.array
    if name.isEmpty { return outcome }
    for rule in rules {
      guard rule.pattern.find(in: name.span, into: &match) else { continue }
      let renamed = take(rule, from: name, match, into: &outcome)
      if !keepsName {
        name = renamed
        outcome.name = renamed
      }
      if breaksAfterMatch { break }
    }
    return outcome
  }

  /// The name that attributes make; nil when there is none, or one of them is missing.
  private func name(ofAttributes attributes: AttributesView) -> [UInt8]? {
    if fromAttributes.isEmpty { return nil }
    var name: [UInt8] = []
    for (index, key) in fromAttributes.enumerated() {
      guard let value = attributes.first(key) else { return nil }
      if index > 0 { name.append(contentsOf: separator) }
      switch value.kind {
      case .string: name.append(contentsOf: value.bytes.array)
      case .bool: name.append(contentsOf: (value.bool ? "true" : "false").utf8)
      case .int: name.append(contentsOf: String(value.int).utf8)
      case .double: name.append(contentsOf: GoNumber.text(of: value.double).utf8)
      case .empty, .array, .keyValueList, .bytes, .stringIndex:
        name.append(contentsOf: "<unknown-attribute-type>".utf8)
      }
    }
    return name
  }

  /// Takes the groups of a match out of a name; returns the name with their names in it.
  private func take(
    _ rule: Rule, from name: [UInt8], _ match: PatternMatch, into outcome: inout Outcome
  ) -> [UInt8] {
    var renamed: [UInt8] = []
    var done = 0
    for group in 1..<match.count {
      // A group that took no part is an empty text, and no place in the name.
      let place = match[group]
      outcome.attributes.append((rule.names[group], place.map { Array(name[$0]) } ?? []))
      // Neither has a group within another one.
      guard let place, place.lowerBound >= done else { continue }
      renamed += name[done..<place.lowerBound]
      renamed.append(UInt8(ascii: "{"))
      renamed += rule.names[group]
      renamed.append(UInt8(ascii: "}"))
      done = place.upperBound
    }
    renamed += name[done...]
    return renamed
  }
}
