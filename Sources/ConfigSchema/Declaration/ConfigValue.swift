/// A type that a configuration field may have.
///
/// Strings, booleans, integers, `Double`, `Duration`, ``Secret``, ``ByteCount``, arrays, ``ConfigMap``,
/// optionals, every ``ConfigEnum``, every ``ConfigGroup`` and ``ConfigNode`` itself conform.
public protocol ConfigValue: Sendable {
  /// What the reference and the JSON Schema say about the type.
  static var configType: ConfigType { get }

  /// Whether `key:` with nothing behind it is a value of its own rather than "use the default".
  static var acceptsNull: Bool { get }

  /// Reads a value, or reports why not and returns nil.
  ///
  /// - Parameters:
  ///   - node: what was written. Not null, unless `acceptsNull`.
  ///   - base: the default, on which sections build: keys that are absent keep its values.
  ///   - context: the path so far, and where findings go.
  static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self?

  /// The value as data; secrets are masked.
  var literal: ConfigLiteral { get }
}

extension ConfigValue {
  public static var acceptsNull: Bool { false }
}

/// The path being decoded, and the findings so far.
public struct ConfigContext: Sendable {
  /// The path of the value being decoded.
  public internal(set) var path: ConfigPath
  /// What was found.
  public internal(set) var diagnostics: Diagnostics
  /// The extensions that were named so far.
  public internal(set) var extensionUses: [ExtensionUse] = []
  /// Whether the value being decoded must not be shown.
  var hidesValue = false
  /// The key the value stands under: where findings about missing parts of it point.
  var keyOrigin: Origin?
  /// How many sections surround the value, to bound recursive declarations.
  var depth = 0

  /// Starts at a path.
  public init(path: ConfigPath = ConfigPath(), diagnostics: Diagnostics = Diagnostics()) {
    self.path = path
    self.diagnostics = diagnostics
  }

  /// Reports something about the current path.
  public mutating func report(
    _ severity: Diagnostic.Severity, _ code: String, _ message: String, at origin: Origin,
    help: String? = nil, context: [Diagnostic.Related] = []
  ) {
    diagnostics.append(
      Diagnostic(
        severity, code: code, message, at: origin, path: path.description, help: help, context: context,
        hidesValue: hidesValue))
  }

  /// Adds what was found elsewhere, such as in a file that the value names.
  public mutating func add(_ found: Diagnostics) { diagnostics.append(contentsOf: found) }

  /// Reports that a value has the wrong type.
  ///
  /// - Parameters:
  ///   - expected: what belongs there, with an example: `a duration such as 300ms or 1h30m`.
  ///   - detail: what is wrong with the value in particular.
  public mutating func mismatch(
    _ node: ConfigNode, expected: String, detail: String? = nil, help: String? = nil
  ) {
    var message = "expected \(expected), found \(found(node))"
    if let detail { message += ": \(detail)" }
    report(.error, "wrong-type", message, at: node.origin, help: help)
  }

  /// Decodes a part below the current path.
  ///
  /// - Parameter keyOrigin: where its key stands; the start of the value when left out.
  public mutating func decode<Value: ConfigValue>(
    _ type: Value.Type, _ node: ConfigNode, base: Value? = nil, at path: ConfigPath, keyOrigin: Origin? = nil
  ) -> Value? {
    let outer = (self.path, self.keyOrigin)
    (self.path, self.keyOrigin) = (path, keyOrigin)
    defer { (self.path, self.keyOrigin) = outer }
    return type.decode(node, base: base, context: &self)
  }

  private func found(_ node: ConfigNode) -> String {
    let source = node.expansion.map { " (from \($0.reference))" } ?? ""
    switch node.value {
    case .map: return "a section of keys" + source
    case .list: return "a list" + source
    case .scalar(let scalar):
      if node.isNull { return "nothing" + source }
      if hidesValue { return "a value" + source }
      let text = scalar.text.count > 60 ? scalar.text.prefix(57) + "..." : scalar.text[...]
      return (scalar.style == .quoted ? "\"\(text)\"" : String(text)) + source
    }
  }
}
