package import ConfigSchema
internal import WireFormat

extension LogEntry {
  /// Becomes equal to another entry, in the memory this one has.
  package mutating func replace(with other: borrowing LogEntry) {
    reset()
    arena.append(contentsOf: other.arena)
    slots.append(contentsOf: other.slots)
    chains.removeAll(keepingCapacity: true)
    chains.append(contentsOf: other.chains)
    body = other.body
    timestamp = other.timestamp
    observedTimestamp = other.observedTimestamp
    severityNumber = other.severityNumber
    severityText = other.severityText
    traceID = other.traceID
    spanID = other.spanID
    traceFlags = other.traceFlags
    scopeName = other.scopeName
    source = other.source
  }

  /// A value of another entry, with all that is in it, as a value of this one.
  package mutating func copy(_ value: LogValue, from other: borrowing LogEntry) -> LogValue {
    switch value.kind {
    case .null, .bool, .int, .double: return value
    case .string: return .string(add(other.text(value.range)))
    case .bytes: return .bytes(add(other.text(value.range)))
    case .list, .map:
      guard let source = value.chain else { return .null }
      let (chain, copied) = value.kind == .map ? makeMap() : makeList()
      var position = other.chains[source.position].first
      while position >= 0 {
        let slot = other.slots[Int(position)]
        let key = add(other.text(slot.key))
        append(key: key, copy(slot.value, from: other), to: chain)
        position = slot.next
      }
      return copied
    }
  }

  /// The same value once more, so that a change within one of the two leaves the other as it is.
  package mutating func duplicate(_ value: LogValue) -> LogValue {
    guard value.kind == .list || value.kind == .map, let source = value.chain else { return value }
    let (chain, copied) = value.kind == .map ? makeMap() : makeList()
    var position = chains[source.position].first
    while position >= 0 {
      let slot = slots[Int(position)]
      append(key: slot.key, duplicate(slot.value), to: chain)
      position = slot.next
    }
    return copied
  }

  /// A value of the configuration as a value of this entry.
  package mutating func value(of literal: ConfigLiteral) -> LogValue {
    switch literal {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .integer(let value): return .int(value)
    case .unsigned(let value): return Int64(exactly: value).map { .int($0) } ?? .double(Double(value))
    case .number(let value): return .double(value)
    case .string(let text): return string(text)
    case .list(let elements):
      let (chain, list) = makeList()
      for element in elements { append(value(of: element), to: chain) }
      return list
    case .map(let entries):
      let (chain, map) = makeMap()
      for entry in entries { append(key: add(entry.key), value(of: entry.value), to: chain) }
      return map
    }
  }

  /// Texts of the arena one behind the other.
  mutating func join(_ pieces: [WireRange]) -> WireRange {
    let start = arena.count
    for piece in pieces { repeatArena(from: piece.lowerBound, to: piece.upperBound) }
    return WireRange(start, arena.count)
  }
}

extension LogValue.Kind {
  /// How messages call a value of this kind: `a string`, `an integer`.
  package var noun: String {
    switch self {
    case .null: "nothing"
    case .string: "a string"
    case .bytes: "bytes"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a number"
    case .list: "a list"
    case .map: "a map"
    }
  }
}
