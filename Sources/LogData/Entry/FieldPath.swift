internal import WireFormat

/// Where a value stands within an entry: `body.request.path`, `attributes["http.method"]`, `resource`.
///
/// Written as the Collector's field syntax: a root (`body`, `attributes`, `resource`), then keys behind dots or in
/// brackets with quotes.
package struct FieldPath: Sendable, Hashable {
  package enum Root: String, Sendable { case body, attributes, resource }

  package var root: Root
  /// The keys from the root down.
  package var keys: [String]

  package init(_ root: Root, _ keys: [String] = []) {
    self.root = root
    self.keys = keys
  }
}

/// Why an operator could not do its work on one entry.
package struct LogOperatorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A clause without a full stop, such as `expected a string, found a map`.
  package let description: String

  package init(_ description: String) { self.description = description }
}

extension LogEntry {
  /// The value at a path; nil when there is none.
  package func value(at path: FieldPath) -> LogValue? {
    guard let last = path.keys.last else {
      switch path.root {
      case .body: return body
      case .attributes: return LogValue(.map, bits: UInt64(LogChain.attributes.position))
      case .resource: return LogValue(.map, bits: UInt64(LogChain.resource.position))
      }
    }
    guard let map = existingMap(of: path) else { return nil }
    return value(of: last.utf8.span, in: map)
  }

  /// Puts a value at a path as the Collector does: maps on the way there are made, also in the place of something else,
  /// and a map is merged into the map that is there.
  ///
  /// - Parameter value: not part of the entry elsewhere: see ``duplicate(_:)``. The elements of a map belong to the target
  ///   afterwards.
  /// - Throws: when attributes or resource as a whole are given something else than a map; nothing was changed then.
  package mutating func set(_ value: LogValue, at path: FieldPath) throws(LogOperatorError) {
    guard let last = path.keys.last else {
      if value.kind == .map, let elements = value.chain {
        unite(elements, with: map(of: path.root))
      } else if path.root == .body {
        body = value
      } else {
        throw LogOperatorError("\(path.root.rawValue) must be a map, not \(value.kind.noun)")
      }
      return
    }
    var map = map(of: path.root)
    for key in path.keys.dropLast() { map = self.map(of: key, in: map) }
    let position = slot(of: last.utf8.span, in: map)
    if position >= 0 { put(value, into: position) } else { append(key: add(last), value, to: map) }
  }

  /// Puts a value under a key that stands in the arena, as ``set(_:at:)`` does.
  mutating func put(_ value: LogValue, under key: WireRange, in map: LogChain) {
    let position = slot(of: text(key), in: map)
    if position >= 0 { put(value, into: position) } else { append(key: key, value, to: map) }
  }

  private mutating func put(_ value: LogValue, into position: Int) {
    let present = slots[position].value
    if value.kind == .map, present.kind == .map, let elements = value.chain, let target = present.chain {
      unite(elements, with: target)
    } else {
      slots[position].value = value
    }
  }

  private mutating func unite(_ elements: LogChain, with target: LogChain) {
    if elements != target { merge(elements, into: target) }
  }

  /// The map that a root is; a body that is none becomes an empty one.
  private mutating func map(of root: FieldPath.Root) -> LogChain {
    switch root {
    case .attributes: return .attributes
    case .resource: return .resource
    case .body:
      if body.kind == .map, let chain = body.chain { return chain }
      let (chain, value) = makeMap()
      body = value
      return chain
    }
  }

  /// The map under a key; what is there instead is replaced by an empty one.
  private mutating func map(of key: String, in map: LogChain) -> LogChain {
    let position = slot(of: key.utf8.span, in: map)
    if position >= 0, slots[position].value.kind == .map, let chain = slots[position].value.chain {
      return chain
    }
    let (chain, value) = makeMap()
    if position >= 0 { slots[position].value = value } else { append(key: add(key), value, to: map) }
    return chain
  }

  /// The map that holds the last key of a path; nil when there is none.
  private func existingMap(of path: FieldPath) -> LogChain? {
    var map: LogChain
    switch path.root {
    case .attributes: map = .attributes
    case .resource: map = .resource
    case .body:
      guard body.kind == .map, let chain = body.chain else { return nil }
      map = chain
    }
    for key in path.keys.dropLast() {
      guard let value = value(of: key.utf8.span, in: map), value.kind == .map, let chain = value.chain else {
        return nil
      }
      map = chain
    }
    return map
  }

  /// Takes the value at a path out; nil when there is none.
  package mutating func remove(at path: FieldPath) -> LogValue? {
    guard let last = path.keys.last else {
      let value = self.value(at: path)
      switch path.root {
      case .body: body = .null
      case .attributes, .resource:
        let map: LogChain = path.root == .attributes ? .attributes : .resource
        chains.append(chains[map.position])
        removeAll(of: map)
        return LogValue(.map, bits: UInt64(chains.count - 1))
      }
      return value
    }
    guard let map = existingMap(of: path) else { return nil }
    return remove(last.utf8.span, from: map)
  }
}
