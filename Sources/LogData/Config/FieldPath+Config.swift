package import ConfigSchema

extension FieldPath: ConfigValue {
  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let path = parsed(node, context: &context) else { return nil }
    if path.keys.isEmpty, path.root != .body {
      context.report(
        .error, "invalid-field", "a field of \(path.root.rawValue) is needed here, not all of them",
        at: node.origin,
        help: "write \(path.root.rawValue).key")
      return nil
    }
    return path
  }

  /// Reads a field, or reports what is wrong and where.
  fileprivate static func parsed(_ node: ConfigNode, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil, !text.isEmpty else {
      context.mismatch(node, expected: "a field such as body, attributes.name or resource[\"host.name\"]")
      return nil
    }
    do {
      return try FieldPath(text)
    } catch {
      context.report(
        .error, "invalid-field", error.reason, at: node.origin(ofBytes: error.range), help: error.help)
      return nil
    }
  }

  package var literal: ConfigLiteral { .string(description) }
}

/// A field that may also be `attributes` or `resource` as a whole.
package struct RootableFieldPath: Sendable, Hashable, ConfigValue {
  package let path: FieldPath

  package init(_ path: FieldPath) { self.path = path }

  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    FieldPath.parsed(node, context: &context).map { Self($0) }
  }

  package var literal: ConfigLiteral { path.literal }
}
