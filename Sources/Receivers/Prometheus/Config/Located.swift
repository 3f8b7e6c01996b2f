package import ConfigSchema

/// A section together with where it was written, for checks that need to see several of them.
package struct Located<Value: ConfigGroup>: Sendable {
  package var value: Value
  /// Such as `receivers.prometheus.config.scrape_configs[0]`.
  package let path: String
  private let node: ConfigNode

  package init(_ value: Value) {
    self.value = value
    path = ""
    node = ConfigNode(.map([]), origin: .program("default"))
  }

  private init(_ value: Value, path: String, node: ConfigNode) {
    self.value = value
    self.path = path
    self.node = node
  }

  /// Where a key stands; the section itself where the key is not written.
  func origin(of key: String) -> Origin { node.entry(key)?.keyOrigin ?? node.origin }
}

extension Located: ConfigValue {
  package static var configType: ConfigType { Value.configType }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    let path = context.path.description
    return Value.decode(node, base: base?.value, context: &context).map { Self($0, path: path, node: node) }
  }

  package var literal: ConfigLiteral { value.literal }
}
