/// What a component needs an extension for, named as messages call it.
public protocol ExtensionRole: Sendable {
  /// Such as `storage` or `server authentication`.
  static var name: String { get }
}

/// The id of an extension that a component works with, such as `storage: file_storage/queues`.
///
/// Whoever plans the configuration resolves it: decoding leaves a ``ExtensionUse`` for each.
public struct ExtensionReference<Role: ExtensionRole>: Sendable, Hashable {
  /// The id as written, `type` or `type/name`.
  public let id: String

  public init(_ id: String) { self.id = id }
}

extension ExtensionReference: ConfigValue {
  public static var configType: ConfigType { .string }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, !text.isEmpty else {
      context.mismatch(node, expected: "the id of an extension for \(Role.name)")
      return nil
    }
    context.extensionUses.append(
      ExtensionUse(id: text, role: Role.name, path: context.path.description, origin: node.origin))
    return Self(text)
  }

  public var literal: ConfigLiteral { .string(id) }
}

/// A place in the configuration that names an extension.
public struct ExtensionUse: Sendable, Hashable {
  /// The id as written.
  public let id: String
  /// What it is needed for, see ``ExtensionRole/name``.
  public let role: String
  /// The configuration path, such as `exporters.otlp_http.sending_queue.storage`.
  public let path: String
  public let origin: Origin
}
