internal import NativeCodecs

/// The relabeling of targets and series, as Prometheus does it: rules in their order, each seeing what the ones before
/// it made.
///
/// Source: Prometheus' documentation of `<relabel_config>`, and its results where that is silent.
package struct RelabelRules: Sendable {
  /// A rule with its texts taken apart.
  fileprivate struct Step: Sendable {
    let rule: RelabelRule
    let pattern: Pattern?
    let target: PatternTemplate
    let replacement: PatternTemplate
  }

  private let steps: [Step]
  private let names: LabelNameScheme

  /// - Parameter names: which names `replace` and `labelmap` may give.
  package init(_ rules: [RelabelRule] = [], names: LabelNameScheme = .utf8) {
    self.names = names
    steps = rules.map { rule in
      Step(
        rule: rule, pattern: rule.pattern, target: PatternTemplate(rule.targetLabel),
        replacement: PatternTemplate(rule.replacement))
    }
  }

  package var isEmpty: Bool { steps.isEmpty }

  /// Applies every rule.
  /// - Returns: false when a rule drops what the labels are of; the labels are then to be forgotten.
  package func apply(_ labels: inout LabelSet) -> Bool {
    for step in steps where !apply(step, &labels) { return false }
    return true
  }

  private func apply(_ step: Step, _ labels: inout LabelSet) -> Bool {
    let rule = step.rule
    switch rule.action {
    case .keep: return step.matches(step.value(in: labels))
    case .drop: return !step.matches(step.value(in: labels))
    case .keepEqual: return Label.isSame(labels[rule.targetLabel] ?? "", step.value(in: labels))
    case .dropEqual: return !Label.isSame(labels[rule.targetLabel] ?? "", step.value(in: labels))
    case .replace: replace(step, &labels)
    case .lowercase: labels[rule.targetLabel] = LetterCase.lower(step.value(in: labels))
    case .uppercase: labels[rule.targetLabel] = LetterCase.upper(step.value(in: labels))
    case .hashMod:
      guard rule.modulus > 0 else { break }
      labels[rule.targetLabel] =
        "\(MessageDigest.lastEightBytesOfMD5(of: step.value(in: labels)) % rule.modulus)"
    case .labelMap:
      // The labels as they were: what one of them is copied to is not copied on.
      for label in labels {
        guard let name = step.replacement(of: label.name, by: step.replacement), names.allows(name)
        else { continue }
        labels[name] = label.value
      }
    case .labelDrop: labels.keep { !step.matches($0) }
    case .labelKeep: labels.keep { step.matches($0) }
    }
    return true
  }

  private func replace(_ step: Step, _ labels: inout LabelSet) {
    let value = step.value(in: labels)
    guard let captures = step.captures(value) else { return }
    let target = step.expanded(step.target, captures, value)
    guard names.allows(target) else { return }
    labels[target] = step.expanded(step.replacement, captures, value)
  }
}

extension RelabelRules.Step {
  /// The values of the source labels; those that are not there count as empty.
  func value(in labels: LabelSet) -> String {
    if rule.sourceLabels.count == 1 { return labels[rule.sourceLabels[0]] ?? "" }
    return rule.sourceLabels.map { labels[$0] ?? "" }.joined(separator: rule.separator)
  }

  func matches(_ text: String) -> Bool { pattern?.matches(text) ?? true }

  /// The groups of the match; without a pattern the whole text is group 1.
  func captures(_ text: String) -> [Range<Int>?]? {
    guard let pattern else { return [0..<text.utf8.count, 0..<text.utf8.count] }
    return pattern.captures(in: text)
  }

  func expanded(_ template: PatternTemplate, _ captures: [Range<Int>?], _ text: String) -> String {
    template.constant ?? template.expanded(captures, names: pattern?.groupNames ?? ["", ""], in: text)
  }

  /// The text that `template` makes of one that matches; nil when it does not match.
  func replacement(of text: String, by template: PatternTemplate) -> String? {
    captures(text).map { expanded(template, $0, text) }
  }
}

/// Upper and lower case letter by letter, as Go's `strings.ToUpper` and `ToLower`: one character never becomes two.
private enum LetterCase {
  static func lower(_ text: String) -> String {
    mapped(text) { scalar in
      // The only letter whose lower case is two characters.
      scalar == "\u{130}" ? "i" : single(scalar.properties.lowercaseMapping) ?? scalar
    }
  }

  static func upper(_ text: String) -> String {
    mapped(text) { scalar in
      let properties = scalar.properties
      return single(properties.uppercaseMapping) ?? single(properties.titlecaseMapping) ?? scalar
    }
  }

  private static func mapped(_ text: String, _ map: (Unicode.Scalar) -> Unicode.Scalar) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(map(scalar)) }
    return String(result)
  }

  private static func single(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
  }
}
