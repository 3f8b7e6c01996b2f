/// A text that must never be printed: a password, a token, a header with credentials.
///
/// Every way of turning it into text gives `***`; ``reveal()`` is the only way to the content, so that each use
/// can be found by its name.
public struct Secret: Sendable, Hashable, ExpressibleByStringLiteral {
  private let content: String

  /// Wraps a text.
  public init(_ content: String) { self.content = content }

  public init(stringLiteral content: String) { self.content = content }

  /// The content itself: pass it on to where it is needed, never into a log or a message.
  public func reveal() -> String { content }

  /// Whether there is no content.
  public var isEmpty: Bool { content.isEmpty }

  /// What is printed instead of a secret.
  public static let mask = "***"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { Secret.mask }
  public var debugDescription: String { Secret.mask }
  /// Empty, so that `dump` shows nothing.
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension Secret: ConfigValue {
  public static var configType: ConfigType { .secret }

  public static func decode(_ node: ConfigNode, base: Secret?, context: inout ConfigContext) -> Secret? {
    guard let text = node.text else {
      let hidden = context.hidesValue
      context.hidesValue = true
      context.mismatch(node, expected: "text")
      context.hidesValue = hidden
      return nil
    }
    node.origin.source.hide(node.origin)
    return Secret(text)
  }

  public var literal: ConfigLiteral { .string(isEmpty ? "" : Secret.mask) }
}

extension Secret: Encodable {
  /// Encodes the mask, never the content.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Secret.mask)
  }
}
