package import ConfigSchema
package import NativeCodecs
package import PrometheusData

/// A regular expression that must match the whole of what it is given.
package typealias RelabelRegex = PatternText<WholeValue>

/// How Prometheus matches: from the first byte to the last, line ends included.
package enum WholeValue: RegexUse {
  package static var anchoring: Pattern.Anchoring { .whole }
  package static var dotMatchesNewline: Bool { true }
  package static var hint: String { "it must match the whole value" }
}

/// The `action` of a rule.
package enum RelabelAction: String, ConfigEnum {
  case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase,
    uppercase

  package static var ignoresCase: Bool { true }

  var action: RelabelRule.Action { RelabelRule.Action(rawValue: rawValue) ?? .replace }
}

/// One rule of `relabel_configs` or `metric_relabel_configs`.
package struct RelabelConfig: ConfigGroup {
  package var action = RelabelAction.replace
  package var sourceLabels: [String]?
  package var separator = RelabelRule.defaultSeparator
  package var regex: RelabelRegex?
  package var modulus: UInt64 = 0
  package var targetLabel = ""
  package var replacement = RelabelRule.defaultReplacement

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("action", \.action, "What the rule does."),
    Field("source_labels", \.sourceLabels, "The labels whose values the rule looks at, joined."),
    Field("separator", \.separator, "What stands between the joined values."),
    Field(
      "regex", \.regex,
      "A regular expression (RE2) that must match the whole of the joined values, or the whole name for `labelmap`, `labeldrop` and `labelkeep`; `(.*)` when left out."
    ),
    Field("modulus", \.modulus, "What `hashmod` takes the hash of the joined values modulo of."),
    Field("target_label", \.targetLabel, "The label that is written; `replace` may use groups in it."),
    Field(
      "replacement", \.replacement,
      "What is written, with the groups of the regular expression as $1, ${1} or ${name}."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.hasError(\.action) { return }
    let name = action.rawValue
    switch action {
    case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
      if targetLabel.isEmpty { checker.error(\.targetLabel, "is required by `action: \(name)`") }
    case .labelmap, .labeldrop, .labelkeep, .keep, .drop: break
    }
    if action == .hashmod, modulus == 0 {
      checker.error(\.modulus, "must be set to more than 0 for `action: hashmod`")
    }
    switch action {
    case .lowercase, .uppercase, .keepequal, .dropequal:
      refuse(\.replacement, replacement != RelabelRule.defaultReplacement, &checker)
    default: break
    }
    if action == .keepequal || action == .dropequal {
      refuse(\.regex, regex.map { $0.pattern.text != RelabelRule.everything } ?? false, &checker)
      refuse(\.modulus, modulus != 0, &checker)
      refuse(\.separator, separator != RelabelRule.defaultSeparator, &checker)
    }
    if action == .labeldrop || action == .labelkeep {
      refuse(\.sourceLabels, sourceLabels != nil, &checker)
      refuse(\.targetLabel, !targetLabel.isEmpty, &checker)
      refuse(\.modulus, modulus != 0, &checker)
      refuse(\.separator, separator != RelabelRule.defaultSeparator, &checker)
      refuse(\.replacement, replacement != RelabelRule.defaultReplacement, &checker)
    }
    if action == .labelmap, PatternTemplate(replacement).constant == "" {
      checker.error(\.replacement, "must not be empty for `action: labelmap`")
    }
    if let label = sourceLabels?.first(where: \.isEmpty) {
      checker.error(\.sourceLabels, "\"\(label)\" is not a label name")
    }
  }

  private func refuse<Value>(
    _ field: KeyPath<Self, Value>, _ isSet: Bool, _ checker: inout ConfigChecker
  ) {
    if isSet { checker.error(field, "cannot be set for `action: \(action.rawValue)`") }
  }

  /// Whether the label that is written has a name that a scheme does not allow; false where groups decide.
  func hasTarget(against names: LabelNameScheme) -> Bool {
    !targetLabel.isEmpty && !targetLabel.contains("$") && !names.allows(targetLabel)
  }

  package var rule: RelabelRule {
    var rule = RelabelRule()
    rule.action = action.action
    rule.sourceLabels = sourceLabels ?? []
    rule.separator = separator
    rule.pattern = regex?.pattern
    rule.modulus = modulus
    rule.targetLabel = targetLabel
    rule.replacement = replacement
    return rule
  }
}
