package import NativeCodecs

/// One rule of `relabel_configs` or `metric_relabel_configs`.
package struct RelabelRule: Sendable {
  /// What a rule does with the labels.
  package enum Action: String, Sendable, CaseIterable {
    case replace, keep, drop
    case keepEqual = "keepequal"
    case dropEqual = "dropequal"
    case hashMod = "hashmod"
    case labelMap = "labelmap"
    case labelDrop = "labeldrop"
    case labelKeep = "labelkeep"
    case lowercase, uppercase
  }

  /// The pattern of rules that name none: the whole value, as group 1.
  package static let everything = "(.*)"
  package static let defaultSeparator = ";"
  package static let defaultReplacement = "$1"

  package var action = Action.replace
  /// Their values, joined by the separator, are what the rule looks at.
  package var sourceLabels: [String] = []
  package var separator = RelabelRule.defaultSeparator
  /// Nil for ``everything``.
  package var pattern: Pattern?
  /// Of `hashmod`; never 0 there.
  package var modulus: UInt64 = 0
  package var targetLabel = ""
  package var replacement = RelabelRule.defaultReplacement

  package init() {}

  /// The pattern of a rule: always matched against the whole value, and `.` takes line ends too.
  package static func pattern(_ text: String) throws(PatternError) -> Pattern {
    try Pattern(text, anchoring: .whole, dotMatchesNewline: true)
  }
}

/// Which names labels may have.
package enum LabelNameScheme: String, Sendable, CaseIterable {
  /// Any text that is not empty, as Prometheus 3 takes them.
  case utf8
  /// `[a-zA-Z_][a-zA-Z0-9_]*`.
  case legacy

  package func allows(_ name: String) -> Bool {
    switch self {
    case .utf8: return !name.isEmpty
    case .legacy:
      let bytes = Array(name.utf8)
      return NameCharacters.isLabelName(bytes.span)
    }
  }
}
