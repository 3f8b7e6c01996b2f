/// A section with a key that selects which of several groups its other keys are, such as `type: json_parser`.
///
/// ```swift
/// struct PolicyConfig: ConfigVariants {
///   var policy: any Policy
///   static let variants: [ConfigVariant<Self>] = [
///     ConfigVariant("latency", "Keeps slow traces.") { (group: LatencyPolicy, _) in Self(policy: group) },
///     ConfigVariant("status_code", "Keeps failed traces.") { (group: StatusPolicy, _) in Self(policy: group) },
///   ]
///   var selected: (name: String, group: any ConfigGroup) { (policy.type, policy) }
/// }
/// ```
///
/// Every variant accepts the selecting key besides its own, so groups do not declare it.
public protocol ConfigVariants: ConfigValue {
  /// The groups in the order of the reference. Conformers write `static let`.
  static var variants: [ConfigVariant<Self>] { get }
  /// The key that selects; `type` unless said otherwise.
  static var selector: String { get }
  /// The name and the group that was selected.
  var selected: (name: String, group: any ConfigGroup) { get }
}

/// One of the groups of ``ConfigVariants``.
public struct ConfigVariant<Root: ConfigVariants>: Sendable {
  /// What selects it.
  let name: String
  /// Other accepted spellings.
  let aliases: [String]
  let help: String
  let group: GroupDescription
  /// Decodes the section without the selecting key.
  let decode: @Sendable (ConfigNode, VariantSelection, inout ConfigContext) -> Root?

  /// Declares a variant.
  ///
  /// - Parameters:
  ///   - name: the word that selects it.
  ///   - help: one sentence for the reference.
  ///   - aliases: older words, which work with a note.
  ///   - make: makes the value from the decoded group and from where it was written.
  public init<Group: ConfigGroup>(
    _ name: String, _ help: String, aliases: [String] = [],
    make: @escaping @Sendable (Group, VariantSelection) -> Root
  ) {
    self.name = name
    self.aliases = aliases
    self.help = help
    group = GroupDescription(Group.self)
    decode = { node, selection, context in
      Group.decode(node, base: nil, context: &context).map { make($0, selection) }
    }
  }
}

/// Where a variant was selected.
public struct VariantSelection: Sendable {
  /// The configuration path of the section, such as `receivers.file_log.operators[2]`.
  public let path: ConfigPath
  /// Where the selecting word stands.
  public let origin: Origin
  /// The section, without the selecting key.
  public let node: ConfigNode

  /// Where a key of the section stands, or the selecting word when the key is absent.
  public func origin(ofKey key: String) -> Origin { node.entry(key)?.keyOrigin ?? origin }
}

extension ConfigVariants {
  public static var selector: String { "type" }

  public static var configType: ConfigType { .variants(VariantsDescription(Self.self)) }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard case .map(let entries) = node.value else {
      let help = node.kind == .scalar ? "write \"\(selector): \(node.text ?? "…")\"" : nil
      context.mismatch(node, expected: "a section with the key \"\(selector)\"", help: help)
      return nil
    }
    guard let entry = node.entry(selector), !entry.value.isNull else {
      context.report(
        .error, "missing-key", "\"\(selector)\" is required",
        at: node.entry(selector)?.keyOrigin ?? node.origin, help: listed())
      return nil
    }
    guard let name = entry.value.text else {
      let path = context.path.key(selector)
      _ = context.decode(String.self, entry.value, at: path, keyOrigin: entry.keyOrigin)
      return nil
    }
    guard let variant = variant(name, entry.value, context: &context) else { return nil }
    let rest = ConfigNode(
      .map(entries.filter { $0.key != selector }), origin: node.origin, expansion: node.expansion)
    let selection = VariantSelection(path: context.path, origin: entry.value.origin, node: rest)
    return variant.decode(rest, selection, &context)
  }

  private static func variant(
    _ name: String, _ node: ConfigNode, context: inout ConfigContext
  ) -> ConfigVariant<Self>? {
    if let variant = variants.first(where: { $0.name == name }) { return variant }
    let outer = context.path
    context.path = outer.key(selector)
    defer { context.path = outer }
    if let variant = variants.first(where: { $0.aliases.contains(name) }) {
      context.report(
        .note, "deprecated-name", "\"\(name)\" is an older name of \"\(variant.name)\"", at: node.origin,
        help: "use \"\(variant.name)\"")
      return variant
    }
    let closest = Spelling.closest(to: name, among: variants.map(\.name))
    context.report(
      .error, "unknown-type", "unknown \(selector) \"\(name)\"", at: node.origin,
      help: closest.map { "did you mean \"\($0)\"?" } ?? listed())
    return nil
  }

  private static func listed() -> String {
    "known are \(variants.map(\.name).joined(separator: ", "))"
  }

  public var literal: ConfigLiteral {
    let (name, group) = selected
    guard case .map(let entries) = group.literal else { return .null }
    return .map([.init(Self.selector, .string(name))] + entries)
  }
}

/// The groups of ``ConfigVariants``, with their own types forgotten.
public struct VariantsDescription: Sendable {
  /// One group and what selects it.
  public struct Variant: Sendable {
    public let name: String
    public let aliases: [String]
    public let help: String
    public let group: GroupDescription
  }

  /// The key that selects.
  public let selector: String
  /// The Swift type, which tells recursive declarations apart.
  let typeName: String
  let describe: @Sendable () -> [Variant]

  /// The groups in the order of the reference.
  public var variants: [Variant] { describe() }

  init<Root: ConfigVariants>(_ type: Root.Type) {
    selector = Root.selector
    typeName = String(reflecting: type)
    describe = {
      Root.variants.map { Variant(name: $0.name, aliases: $0.aliases, help: $0.help, group: $0.group) }
    }
  }

  /// The group that a section selects.
  func group(of entries: [ConfigNode.Entry]) -> GroupDescription? {
    guard let name = entries.first(where: { $0.key == selector })?.value.text else { return nil }
    return variants.first { $0.name == name || $0.aliases.contains(name) }?.group
  }

  /// The fields that every variant has, with the same help: they are told once.
  var sharedFields: [FieldDescription] {
    let all = variants.map(\.group.fields)
    guard let first = all.first, all.count > 1 else { return [] }
    return first.filter { field in
      all.dropFirst().allSatisfy { $0.contains { $0.name == field.name && $0.help == field.help } }
    }
  }
}
