extension ConfigNode {
  /// Writes the tree as YAML, two spaces per level; reading it again gives the same tree.
  ///
  /// - Parameter origins: whether every leaf is followed by a comment that says where it was set.
  public func renderYAML(origins: Bool = false) -> String {
    var writer = YAMLWriter(showsOrigins: origins)
    writer.write(self, indent: 0)
    return writer.text
  }

  /// The tree with the values of secret fields replaced by `***`.
  ///
  /// - Parameter type: the declaration of what the tree holds, such as `Config.configType`.
  public func masked(by type: ConfigType) -> ConfigNode {
    switch (type, value) {
    case (.secret, .scalar(let scalar)):
      let isEmpty = isNull || scalar.text.isEmpty
      return ConfigNode(isEmpty ? value : .scalar(ConfigScalar(Secret.mask, style: .quoted)), origin: origin)
    case (.secret, _): return ConfigNode(.scalar(ConfigScalar(Secret.mask, style: .quoted)), origin: origin)
    case (.list(let element), .list(let nodes)):
      return ConfigNode(.list(nodes.map { $0.masked(by: element) }), origin: origin)
    case (.map(let inner), .map(let entries)):
      return ConfigNode(.map(entries.map { $0.with($0.value.masked(by: inner)) }), origin: origin)
    case (.map(let inner), .list(let pairs)):
      let masked = pairs.map { pair in
        ConfigNode(
          .map(pair.entries.map { $0.key == "value" ? $0.with($0.value.masked(by: inner)) : $0 }),
          origin: pair.origin)
      }
      return ConfigNode(.list(masked), origin: origin)
    case (.group(let group), .map(let entries)):
      let fields = group.fields
      let masked = entries.map { entry in
        guard let field = fields.first(where: { $0.name == entry.key || $0.aliases.contains(entry.key) })
        else { return entry }
        return entry.with(entry.value.masked(by: field.type))
      }
      return ConfigNode(.map(masked), origin: origin)
    case (.variants(let variants), .map(let entries)):
      return variants.group(of: entries).map { masked(by: .group($0)) } ?? self
    default: return self
    }
  }

  /// The tree as JSON over several lines.
  public func renderJSON() -> String { literal.prettyJSON() + "\n" }
}

extension ConfigNode.Entry {
  fileprivate func with(_ value: ConfigNode) -> ConfigNode.Entry {
    ConfigNode.Entry(key: key, keyOrigin: keyOrigin, value: value)
  }
}

extension ConfigLiteral {
  /// Writes the value as YAML.
  public func renderYAML() -> String { ConfigNode(self, origin: .program("default")).renderYAML() }
}

/// Writes a tree as block YAML.
private struct YAMLWriter {
  let showsOrigins: Bool
  private(set) var text = ""

  init(showsOrigins: Bool) { self.showsOrigins = showsOrigins }

  mutating func write(_ node: ConfigNode, indent: Int) {
    let margin = String(repeating: " ", count: indent)
    switch node.value {
    case .map(let entries) where !entries.isEmpty:
      for entry in entries {
        text += "\(margin)\(Self.quotedIfNeeded(entry.key)):"
        writeValue(entry.value, indent: indent + 2)
      }
    case .list(let elements) where !elements.isEmpty:
      for element in elements {
        text += "\(margin)-"
        writeElement(element, indent: indent + 2)
      }
    default:
      text += margin + Self.inline(node) + "\n"
    }
  }

  private mutating func writeValue(_ node: ConfigNode, indent: Int) {
    if Self.isBlock(node) {
      text += "\n"
      write(node, indent: indent)
    } else {
      writeInline(node)
    }
  }

  private mutating func writeElement(_ node: ConfigNode, indent: Int) {
    guard Self.isBlock(node) else { return writeInline(node) }
    var inner = YAMLWriter(showsOrigins: showsOrigins)
    inner.write(node, indent: indent)
    // The first line follows the dash.
    text += " " + inner.text.dropFirst(indent)
  }

  private mutating func writeInline(_ node: ConfigNode) {
    let value = Self.inline(node)
    text += value.isEmpty ? "" : " \(value)"
    if showsOrigins { text += "  # \(node.origin.fileAndLine)" }
    text += "\n"
  }

  private static func isBlock(_ node: ConfigNode) -> Bool {
    switch node.value {
    case .map(let entries): !entries.isEmpty
    case .list(let elements): !elements.isEmpty
    case .scalar: false
    }
  }

  private static func inline(_ node: ConfigNode) -> String {
    switch node.value {
    case .map: return "{}"
    case .list: return "[]"
    case .scalar(let scalar):
      if scalar.meaning == .null { return "null" }
      if scalar.meaning != .string { return scalar.text }
      return quotedIfNeeded(scalar.text)
    }
  }

  /// A string without quotes when YAML reads it back as the same string.
  static func quotedIfNeeded(_ text: String) -> String {
    isPlainSafe(text) ? text : JSONText.quoted(text)
  }

  private static func isPlainSafe(_ text: String) -> Bool {
    guard ConfigScalar.meaning(ofPlain: text) == .string,
      let first = text.utf8.first, let last = text.utf8.last
    else { return false }
    if ["yes", "no", "on", "off", "y", "n", "<<", "="].contains(text.lowercased()) { return false }
    let special: [UInt8] = Array("!&*-?|>@`\"'%#,[]{}: ".utf8)
    if special.contains(first) || last == 0x20 || last == 0x3A { return false }
    var previous: UInt8 = 0
    for byte in text.utf8 {
      if byte < 0x20 || byte == 0x7F { return false }
      if previous == 0x3A, byte == 0x20 { return false }
      if previous == 0x20, byte == 0x23 { return false }
      if byte == 0x2C || byte == 0x5B || byte == 0x5D || byte == 0x7B || byte == 0x7D { return false }
      previous = byte
    }
    return !text.unicodeScalars.contains(where: JSONText.needsEscapeInYAML)
  }
}
