extension Optional: ConfigValue where Wrapped: ConfigValue {
  public static var configType: ConfigType { Wrapped.configType }

  public static var acceptsNull: Bool { true }

  /// Nothing behind the key means nil, or all defaults when the value is a section.
  public static func decode(_ node: ConfigNode, base: Wrapped??, context: inout ConfigContext) -> Wrapped?? {
    if node.isNull, !Wrapped.acceptsNull { return .some(nil) }
    guard let value = Wrapped.decode(node, base: base ?? nil, context: &context) else { return nil }
    return .some(value)
  }

  public var literal: ConfigLiteral { self?.literal ?? .null }
}

extension Array: ConfigValue where Element: ConfigValue {
  public static var configType: ConfigType { .list(Element.configType) }

  /// A list; reports every element that cannot be read.
  public static func decode(_ node: ConfigNode, base: [Element]?, context: inout ConfigContext) -> [Element]?
  {
    if node.isEmptyExpansion { return [] }
    guard let nodes = list(node) else {
      let help = node.kind == .scalar ? "write it as a list of one: put it in brackets" : nil
      context.mismatch(node, expected: "a list", help: help)
      return nil
    }
    var elements: [Element] = []
    var failed = false
    let path = context.path
    for (index, node) in nodes.enumerated() {
      if let element = context.decode(Element.self, node, at: path.element(index)) {
        elements.append(element)
      } else {
        failed = true
      }
    }
    return failed ? nil : elements
  }

  /// The elements; words separated by commas count as a list of texts, as for the Collector.
  private static func list(_ node: ConfigNode) -> [ConfigNode]? {
    if case .list(let nodes) = node.value { return nodes }
    guard node.scalar != nil, let text = node.text else { return nil }
    switch Element.configType {
    case .string, .secret, .choice:
      return text.split(separator: ",").map { word in
        ConfigNode(.scalar(ConfigScalar(String(word), style: .quoted)), origin: node.origin)
      }
    default: return nil
    }
  }

  public var literal: ConfigLiteral { .list(map(\.literal)) }
}

/// A map with free keys, in the order of the file, with the place of every key.
public struct ConfigMap<Value: ConfigValue>: Sendable, ExpressibleByDictionaryLiteral {
  /// A key with its value.
  public struct Entry: Sendable {
    public let key: String
    public let value: Value
    /// Where the key was written.
    public let origin: Origin

    public init(key: String, value: Value, origin: Origin = .program("default")) {
      self.key = key
      self.value = value
      self.origin = origin
    }
  }

  /// The entries in file order.
  public private(set) var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  public init(dictionaryLiteral elements: (String, Value)...) {
    entries = elements.map { Entry(key: $0.0, value: $0.1) }
  }

  /// The value of a key.
  public subscript(key: String) -> Value? { entries.first { $0.key == key }?.value }

  /// The keys in file order.
  public var keys: [String] { entries.map(\.key) }
}

extension ConfigMap: RandomAccessCollection {
  public var startIndex: Int { entries.startIndex }
  public var endIndex: Int { entries.endIndex }
  public subscript(position: Int) -> Entry { entries[position] }
}

extension ConfigMap: ConfigValue {
  public static var configType: ConfigType { .map(Value.configType) }

  /// A map, or the Collector's other form of it: a list of `{name, value}`.
  public static func decode(
    _ node: ConfigNode, base: ConfigMap?, context: inout ConfigContext
  ) -> ConfigMap? {
    if node.isEmptyExpansion { return ConfigMap() }
    let outer = context.hidesValue
    context.hidesValue = outer || Value.configType.isSecret
    defer { context.hidesValue = outer }
    switch node.value {
    case .map(let entries): return decode(entries, context: &context)
    case .list(let elements): return decode(pairs: elements, context: &context)
    case .scalar:
      context.mismatch(node, expected: "a section of keys such as \"name: value\"")
      return nil
    }
  }

  private static func decode(_ nodes: [ConfigNode.Entry], context: inout ConfigContext) -> ConfigMap? {
    var entries: [Entry] = []
    let path = context.path
    for node in nodes {
      if let value = context.decode(Value.self, node.value, at: path.key(node.key), keyOrigin: node.keyOrigin)
      {
        entries.append(Entry(key: node.key, value: value, origin: node.keyOrigin))
      }
    }
    return entries.count == nodes.count ? ConfigMap(entries) : nil
  }

  private static func decode(pairs: [ConfigNode], context: inout ConfigContext) -> ConfigMap? {
    var entries: [Entry] = []
    let path = context.path
    for (index, pair) in pairs.enumerated() {
      guard let name = pair["name"]?.text, let content = pair["value"], pair.entries.count == 2 else {
        context.report(
          .error, "wrong-type", "expected an element with the keys name and value", at: pair.origin,
          help: "write \"- name: …\" and \"value: …\" below it, or a section of \"name: value\"")
        continue
      }
      if let value = context.decode(Value.self, content, at: path.element(index).key("value")) {
        entries.append(Entry(key: name, value: value, origin: pair.origin))
      }
    }
    return entries.count == pairs.count ? ConfigMap(entries) : nil
  }

  public var literal: ConfigLiteral { .map(entries.map { .init($0.key, $0.value.literal) }) }
}

extension ConfigMap: Equatable where Value: Equatable {
  public static func == (left: ConfigMap, right: ConfigMap) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { $0.key == $1.key && $0.value == $1.value }
  }
}
