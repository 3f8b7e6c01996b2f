/// The arguments of `--set`, and keys that hold a path.
enum Overrides {
  /// Reads `a.b.c=value`, whose value is YAML; nil after reporting an error.
  static func parse(_ argument: String, diagnostics: inout Diagnostics) -> ConfigNode? {
    let source = ConfigSourceText(
      name: URLSecrets.masked("--set \(argument)"), kind: .commandLine, text: argument,
      nameWithSecrets: "--set \(argument.prefix { $0 != "=" })")
    let start = Origin(source: source, line: 1, column: 1, length: argument.unicodeScalars.count)
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
      diagnostics.error(
        "bad-override", "expected a key and a value, found \"\(argument)\"", at: start,
        help: "write --set processors.batch.timeout=2s")
      return nil
    }
    let key = argument[..<equals]
    let text = String(argument[argument.index(after: equals)...])
    let column = key.unicodeScalars.count + 2
    let path = key.contains("::") ? key.split(separator: "::", omittingEmptySubsequences: false) : split(key)
    guard !path.contains(where: \.isEmpty), path.count <= 100 else {
      diagnostics.error(
        "bad-override", "the key \"\(key)\" has an empty part", at: start,
        help: "write --set processors.batch.timeout=2s")
      return nil
    }
    let errors = diagnostics.errorCount
    let read = YAMLReader.read(text, source: source, firstColumn: column, diagnostics: &diagnostics)
    guard diagnostics.errorCount == errors else { return nil }
    let keyOrigin = Origin(source: source, line: 1, column: 1, length: key.unicodeScalars.count)
    let value = read ?? ConfigNode(.scalar(ConfigScalar("")), origin: keyOrigin)
    return nest(value, path.map(String.init)[...], keyOrigin: keyOrigin)
  }

  /// Turns keys such as `processors::batch::timeout` into nested maps.
  static func unflatten(_ node: ConfigNode) -> ConfigNode {
    guard case .map(let entries) = node.value else { return node }
    var result = ConfigNode(.map([]), origin: node.origin)
    for entry in entries {
      let path = entry.key.split(separator: "::", omittingEmptySubsequences: true).map(String.init)
      let value = unflatten(entry.value)
      let isPath = path.count > 1
      result = Merging.merge(
        result, nest(value, isPath ? path[...] : [entry.key][...], keyOrigin: entry.keyOrigin))
    }
    return result
  }

  private static func split(_ key: Substring) -> [Substring] {
    key.split(separator: ".", omittingEmptySubsequences: false)
  }

  private static func nest(_ value: ConfigNode, _ path: ArraySlice<String>, keyOrigin: Origin) -> ConfigNode {
    path.reversed().reduce(value) { node, key in
      ConfigNode(.map([.init(key: key, keyOrigin: keyOrigin, value: node)]), origin: keyOrigin)
    }
  }
}
