/// A value that is one of a few words: an enum of strings.
///
/// ```swift
/// enum Verbosity: String, ConfigEnum { case basic, normal, detailed }
/// ```
public protocol ConfigEnum: ConfigValue, RawRepresentable, CaseIterable where RawValue == String {
  /// Other accepted spellings.
  static var alternatives: [String: Self] { get }
  /// Whether upper and lower case are the same; the default is no.
  static var ignoresCase: Bool { get }
}

extension ConfigEnum {
  public static var alternatives: [String: Self] { [:] }

  public static var ignoresCase: Bool { false }

  public static var configType: ConfigType { .choice(allCases.map(\.rawValue)) }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    let words = allCases.map(\.rawValue)
    let listed = words.map { $0.isEmpty ? "\"\"" : $0 }.joined(separator: ", ")
    let expected = words.count == 1 ? listed : "one of \(listed)"
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: expected)
      return nil
    }
    if let value = Self(rawValue: text) ?? alternatives[text] { return value }
    if ignoresCase {
      let lower = text.lowercased()
      if let value = allCases.first(where: { $0.rawValue.lowercased() == lower }) { return value }
      if let value = alternatives.first(where: { $0.key.lowercased() == lower })?.value { return value }
    }
    if node.isEmptyExpansion, let base { return base }
    context.mismatch(
      node, expected: expected,
      help: Spelling.closest(to: text, among: words).map { "did you mean \"\($0)\"?" })
    return nil
  }

  public var literal: ConfigLiteral { .string(rawValue) }
}
