/// A section of the configuration: a mapping with declared keys.
///
/// One declaration serves decoding, defaults, unknown-key errors, the reference and the JSON Schema:
///
/// ```swift
/// struct Config: ConfigGroup {
///   var endpoint = "localhost:4317"
///   var timeout: Duration = .seconds(5)
///   static let fields: [Field<Self>] = [
///     Field("endpoint", \.endpoint, "Address to listen on, host:port.", check: .hostPort),
///     Field("timeout", \.timeout, "How long one attempt may take.", check: .atLeast(.zero)),
///   ]
/// }
/// ```
public protocol ConfigGroup: ConfigValue {
  /// The defaults.
  init()
  /// The keys, in the order of the reference. Conformers write `static let`.
  static var fields: [Field<Self>] { get }
  /// Checks that need more than one field; runs after every field was decoded.
  func check(_ checker: inout FieldChecker<Self>)
}

extension ConfigGroup {
  /// The checker of this group: `func check(_ checker: inout ConfigChecker)`.
  public typealias ConfigChecker = FieldChecker<Self>

  public func check(_ checker: inout FieldChecker<Self>) {}

  public static var configType: ConfigType { .group(GroupDescription(Self.self)) }

  public static var acceptsNull: Bool { true }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    GroupDecoding.decode(node, base: base ?? Self(), context: &context)
  }

  /// Every field with its present value; secrets are masked.
  public var literal: ConfigLiteral {
    .map(
      Self.fields.flatMap { $0.descriptions(self) }.compactMap { field in
        guard field.status == .supported, let value = field.defaultValue else { return nil }
        return ConfigLiteral.Entry(field.name, value)
      })
  }
}

/// Reads a whole group.
public enum ConfigDecoder {
  /// Decodes a section, or reports every reason why not.
  ///
  /// - Parameters:
  ///   - node: the section; null means all defaults.
  ///   - path: where the section stands, such as `exporters.otlp/2`; diagnostics begin with it.
  ///   - keyOrigin: where its key stands: findings about missing keys point there.
  /// - Returns: nil exactly when an error was added to `diagnostics`.
  public static func decode<Group: ConfigGroup>(
    _ type: Group.Type, from node: ConfigNode, path: String, keyOrigin: Origin? = nil, base: Group = Group(),
    diagnostics: inout Diagnostics
  ) -> Group? {
    var uses: [ExtensionUse] = []
    return decode(
      type, from: node, path: path, keyOrigin: keyOrigin, base: base, diagnostics: &diagnostics,
      extensionUses: &uses)
  }

  /// Decodes a section like ``decode(_:from:path:keyOrigin:base:diagnostics:)``, and adds the extensions it names to
  /// `extensionUses`.
  public static func decode<Group: ConfigGroup>(
    _ type: Group.Type, from node: ConfigNode, path: String, keyOrigin: Origin? = nil, base: Group = Group(),
    diagnostics: inout Diagnostics, extensionUses: inout [ExtensionUse]
  ) -> Group? {
    var context = ConfigContext(path: ConfigPath(path))
    context.keyOrigin = keyOrigin
    let group = Group.decode(node, base: base, context: &context)
    let failed = context.diagnostics.hasErrors
    diagnostics.append(contentsOf: context.diagnostics)
    extensionUses += context.extensionUses
    return failed ? nil : group
  }
}
