/// One value of the configuration tree, with the place it was written.
///
/// The tree is what ``ConfigLoader`` returns: sources merged, overrides applied, references substituted. Typed
/// values come out of it through ``ConfigDecoder``; a field of type `ConfigNode` keeps a part raw, for decoding
/// later.
public struct ConfigNode: Sendable {
  /// What a node is.
  public enum Kind: String, Sendable {
    case map, list, scalar, null
  }

  /// The content of a node.
  public indirect enum Value: Sendable {
    case scalar(ConfigScalar)
    case list([ConfigNode])
    case map([Entry])
  }

  /// A key with its value, in the order of the file.
  public struct Entry: Sendable {
    /// The key as written.
    public let key: String
    /// Where the key stands.
    public let keyOrigin: Origin
    /// What it holds.
    public var value: ConfigNode

    public init(key: String, keyOrigin: Origin, value: ConfigNode) {
      self.key = key
      self.keyOrigin = keyOrigin
      self.value = value
    }
  }

  /// What a reference such as `${env:PORT}` was replaced by.
  public struct Expansion: Sendable {
    /// The reference as written, `${env:PORT}`.
    public let reference: String
    /// The text it stood for, before YAML read it; string fields take this.
    public let text: String

    package init(reference: String, text: String) {
      self.reference = reference
      self.text = text
    }
  }

  /// The content.
  public var value: Value
  /// Where the value stands; for an empty value, where its key stands.
  public let origin: Origin
  /// Set when the whole value came from a reference.
  public let expansion: Expansion?

  /// A node with the given content.
  public init(_ value: Value, origin: Origin, expansion: Expansion? = nil) {
    self.value = value
    self.origin = origin
    self.expansion = expansion
  }

  /// Keeps every text in the node out of what is shown, except for the names in a list of `{name, value}`.
  func hide() {
    switch value {
    case .scalar: if kind == .scalar { origin.source.hide(origin) }
    case .list(let elements): for element in elements { element.hide() }
    case .map(let entries): for entry in entries where entry.key != "name" { entry.value.hide() }
    }
  }

  /// What the node is.
  public var kind: Kind {
    switch value {
    case .map: .map
    case .list: .list
    case .scalar(let scalar): scalar.meaning == .null ? .null : .scalar
    }
  }

  /// Whether the value is empty, `~` or `null`.
  public var isNull: Bool { kind == .null }

  /// The scalar, when the node is one (null included).
  public var scalar: ConfigScalar? {
    if case .scalar(let scalar) = value { scalar } else { nil }
  }

  /// The text of a scalar as written, or the text a reference stood for; nil for maps and lists.
  public var text: String? { expansion?.text ?? scalar?.text }

  /// The entries of a map in file order; empty for anything else.
  public var entries: [Entry] {
    if case .map(let entries) = value { entries } else { [] }
  }

  /// The elements of a list; empty for anything else.
  public var elements: [ConfigNode] {
    if case .list(let elements) = value { elements } else { [] }
  }

  /// The value of a key, when the node is a map that has it.
  public subscript(key: String) -> ConfigNode? { entry(key)?.value }

  /// The key and value, when the node is a map that has the key.
  public func entry(_ key: String) -> Entry? {
    entries.first { $0.key == key }
  }

  /// The node at the end of a path of keys.
  public func node(at path: [String]) -> ConfigNode? {
    var node = self
    for key in path {
      guard let next = node[key] else { return nil }
      node = next
    }
    return node
  }

  /// Every leaf with its dotted path and its origin, for showing where each resolved value came from.
  public var origins: [(path: String, origin: Origin)] {
    var found: [(path: String, origin: Origin)] = []
    collectOrigins(at: ConfigPath(), into: &found)
    return found
  }

  private func collectOrigins(at path: ConfigPath, into found: inout [(path: String, origin: Origin)]) {
    switch value {
    case .scalar: found.append((path.description, origin))
    case .list(let elements):
      for (index, element) in elements.enumerated() {
        element.collectOrigins(at: path.element(index), into: &found)
      }
    case .map(let entries):
      for entry in entries { entry.value.collectOrigins(at: path.key(entry.key), into: &found) }
    }
  }
}

extension ConfigNode: CustomStringConvertible {
  /// Kind and place only: the content may be secret.
  public var description: String { "\(kind.rawValue) at \(origin)" }
}

/// The way from the root to a value: `exporters.otlp.headers[0]`.
public struct ConfigPath: Sendable, Hashable, CustomStringConvertible {
  /// The path as printed.
  public let description: String

  /// The root, or a path written out.
  public init(_ text: String = "") { description = text }

  /// The path of a key below this one.
  public func key(_ name: String) -> ConfigPath {
    description.isEmpty ? ConfigPath(name) : ConfigPath("\(description).\(name)")
  }

  /// The path of a list element below this one.
  public func element(_ index: Int) -> ConfigPath { ConfigPath("\(description)[\(index)]") }
}
