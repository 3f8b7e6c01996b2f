package import WireFormat

/// A value within a ``LogEntry``: a number by itself, or a place in the entry's arena.
///
/// Copying one copies 16 bytes and no content. A value means something only to the entry it came from; to bring it
/// into another use ``LogEntry/copy(_:from:)``.
package struct LogValue: Sendable, Equatable {
  package enum Kind: UInt8, Sendable {
    case null, string, bytes, bool, int, double, list, map
  }

  package let kind: Kind
  /// The number, the range of text in the arena, or the position of the list or map among the entry's chains.
  let bits: UInt64

  init(_ kind: Kind, bits: UInt64) {
    self.kind = kind
    self.bits = bits
  }

  package static let null = LogValue(.null, bits: 0)
  package static func bool(_ value: Bool) -> Self { Self(.bool, bits: value ? 1 : 0) }
  package static func int(_ value: Int64) -> Self { Self(.int, bits: UInt64(bitPattern: value)) }
  package static func double(_ value: Double) -> Self { Self(.double, bits: value.bitPattern) }
  /// UTF-8 text that stands in the entry's arena.
  package static func string(_ range: WireRange) -> Self { Self(.string, bits: packed(range)) }
  /// Bytes that stand in the entry's arena.
  package static func bytes(_ range: WireRange) -> Self { Self(.bytes, bits: packed(range)) }

  package var bool: Bool { kind == .bool && bits != 0 }
  package var int: Int64 { kind == .int ? Int64(bitPattern: bits) : 0 }
  package var double: Double { kind == .double ? Double(bitPattern: bits) : 0 }
  /// Where text or bytes stand; empty for other kinds.
  package var range: WireRange {
    guard kind == .string || kind == .bytes else { return WireRange(start: 0, end: 0) }
    return WireRange(start: UInt32(truncatingIfNeeded: bits), end: UInt32(truncatingIfNeeded: bits >> 32))
  }
  /// The list or map; nil for other kinds.
  package var chain: LogChain? {
    kind == .list || kind == .map ? LogChain(position: Int(truncatingIfNeeded: bits)) : nil
  }

  private static func packed(_ range: WireRange) -> UInt64 { UInt64(range.end) << 32 | UInt64(range.start) }
}

/// A list or a map within a ``LogEntry``: its elements hang together by links.
package struct LogChain: Sendable, Hashable {
  let position: Int

  /// The attributes of every entry.
  package static let attributes = LogChain(position: 0)
  /// The resource attributes of every entry.
  package static let resource = LogChain(position: 1)
}

/// One element of a list or a map.
struct LogSlot: Sendable {
  /// The key in the arena; empty in lists.
  var key: WireRange
  var value: LogValue
  /// The position of the next element, or -1.
  var next: Int32
}
