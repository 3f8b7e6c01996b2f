package import ConfigSchema

/// A text of the configuration that is checked together with other keys, and so remembers where it stands.
package struct LayoutText: Sendable, ConfigValue {
  package let text: String
  private let node: ConfigNode?
  /// The configuration path.
  package let path: String

  /// A text that stands nowhere.
  package init(_ text: String) {
    self.text = text
    node = nil
    path = ""
  }

  private init(_ text: String, node: ConfigNode, path: String) {
    self.text = text
    self.node = node
    self.path = path
  }

  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    String.decode(node, base: nil, context: &context).map {
      Self($0, node: node, path: context.path.description)
    }
  }

  package var literal: ConfigLiteral { .string(text) }

  /// Where the character at a byte of the text was written; nil for a text that stands nowhere.
  package func origin(ofByte offset: Int) -> Origin? { node?.origin(ofBytes: offset..<offset) }
}
