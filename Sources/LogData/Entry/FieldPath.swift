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
    var value: LogValue? =
      switch path.root {
      case .body: body
      case .attributes: LogValue(.map, bits: UInt64(LogChain.attributes.position))
      case .resource: LogValue(.map, bits: UInt64(LogChain.resource.position))
      }
    for key in path.keys {
      guard let current = value, current.kind == .map, let map = current.chain else { return nil }
      value = self.value(of: key.utf8.span, in: map)
    }
    return value
  }

  /// Puts a value at a path, making the maps on the way there.
  ///
  /// - Throws: when something on the way is there and not a map, or when attributes or resource as a whole are given
  ///   something else than a map.
  package mutating func set(_ value: LogValue, at path: FieldPath) throws(LogOperatorError) {
    var map: LogChain
    switch path.root {
    case .body:
      if path.keys.isEmpty {
        body = value
        return
      }
      if body.kind == .null { body = makeMap().value }
      guard body.kind == .map, let chain = body.chain else {
        throw LogOperatorError("the body is not a map, so it has no key \"\(path.keys[0])\"")
      }
      map = chain
    case .attributes: map = .attributes
    case .resource: map = .resource
    }
    guard let last = path.keys.last else {
      guard value.kind == .map, let source = value.chain else {
        throw LogOperatorError("\(path.root.rawValue) must be a map")
      }
      let entries = chains[source.position]
      chains[map.position] = entries
      return
    }
    for key in path.keys.dropLast() {
      if let next = self.value(of: key.utf8.span, in: map) {
        guard next.kind == .map, let chain = next.chain else {
          throw LogOperatorError("\"\(key)\" is not a map")
        }
        map = chain
      } else {
        let (chain, value) = makeMap()
        append(key: add(key), value, to: map)
        map = chain
      }
    }
    let position = slot(of: last.utf8.span, in: map)
    if position >= 0 { slots[position].value = value } else { append(key: add(last), value, to: map) }
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
    var parent = path
    parent.keys.removeLast()
    guard let map = value(at: parent)?.chain, value(at: parent)?.kind == .map else { return nil }
    return remove(last.utf8.span, from: map)
  }
}
