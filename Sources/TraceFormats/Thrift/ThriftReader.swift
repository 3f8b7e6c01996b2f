internal import WireFormat

/// The two ways in which Thrift writes structures.
package enum ThriftProtocol: Sendable, CaseIterable {
  /// `TBinaryProtocol`.
  case binary
  /// `TCompactProtocol`.
  case compact
}

/// The types of fields and elements, whatever the protocol.
enum ThriftType: UInt8 {
  case bool, byte, i16, i32, i64, double, string, structure, list, map
}

/// The head of a field.
struct ThriftField {
  var id: Int
  var type: ThriftType
  /// The value of a boolean, which the compact protocol puts into the head.
  var flag = false
}

/// Reads Thrift structures from bytes that it borrows.
///
/// Sources: Apache Thrift, `thrift-binary-protocol.md` and `thrift-compact-protocol.md`. Every read is bounded by the
/// bytes left; nothing is allocated for lengths that are only claimed.
struct ThriftReader: ~Escapable {
  /// How deep values that nobody wants may be nested.
  static var maxDepth: Int { 64 }

  let bytes: Span<UInt8>
  let encoding: ThriftProtocol
  var offset = 0
  /// Of the structure at hand: the compact protocol writes differences.
  private var lastID = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ encoding: ThriftProtocol) {
    self.bytes = bytes
    self.encoding = encoding
  }

  // Structures.

  /// Begins a structure; the result is for ``endStructure(_:)``.
  mutating func beginStructure() -> Int {
    defer { lastID = 0 }
    return lastID
  }

  /// Goes back to the structure around.
  mutating func endStructure(_ outer: Int) { lastID = outer }

  /// The head of the next field; nil at the end of the structure.
  mutating func nextField() throws(TraceFormatError) -> ThriftField? {
    let start = offset
    let head = try readByte()
    switch encoding {
    case .binary:
      if head == 0 { return nil }
      let type = try Self.binaryType(head, at: start)
      let id = Int(Int16(truncatingIfNeeded: try readBigEndian(bytes: 2)))
      return ThriftField(id: id, type: type)
    case .compact:
      if head == 0 { return nil }
      let type = try Self.compactType(head & 0x0F, at: start)
      let difference = Int(head >> 4)
      let id =
        difference != 0
        ? lastID &+ difference : Int(Int16(truncatingIfNeeded: ZigZag.decode(try readVarint())))
      lastID = id
      return ThriftField(id: id, type: type, flag: head & 0x0F == 1)
    }
  }

  private static func binaryType(_ code: UInt8, at offset: Int) throws(TraceFormatError) -> ThriftType {
    switch code {
    case 2: .bool
    case 3: .byte
    case 4: .double
    case 6: .i16
    case 8: .i32
    case 10: .i64
    case 11: .string
    case 12: .structure
    case 13: .map
    case 14, 15: .list
    default: throw TraceFormatError(.unknownType(code), at: offset)
    }
  }

  private static func compactType(_ code: UInt8, at offset: Int) throws(TraceFormatError) -> ThriftType {
    switch code {
    case 1, 2: .bool
    case 3: .byte
    case 4: .i16
    case 5: .i32
    case 6: .i64
    case 7: .double
    case 8: .string
    case 9, 10: .list
    case 11: .map
    case 12: .structure
    default: throw TraceFormatError(.unknownType(code), at: offset)
    }
  }

  // Values.

  private mutating func readByte() throws(TraceFormatError) -> UInt8 {
    if offset >= bytes.count { throw TraceFormatError(.truncated, at: offset) }
    defer { offset &+= 1 }
    return bytes[offset]
  }

  private mutating func readBigEndian(bytes count: Int) throws(TraceFormatError) -> UInt64 {
    if bytes.count &- offset < count { throw TraceFormatError(.truncated, at: offset) }
    var value: UInt64 = 0
    for position in offset..<offset &+ count { value = value &<< 8 | UInt64(bytes[position]) }
    offset &+= count
    return value
  }

  private mutating func readVarint() throws(TraceFormatError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try readByte()
      if shift == 63, byte > 1 { throw TraceFormatError(.varintTooLong, at: start) }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
  }

  /// An integer of any width.
  mutating func readInteger(_ type: ThriftType) throws(TraceFormatError) -> Int64 {
    switch (encoding, type) {
    case (_, .byte): return Int64(Int8(bitPattern: try readByte()))
    case (.compact, _): return ZigZag.decode(try readVarint())
    case (.binary, .i16): return Int64(Int16(truncatingIfNeeded: try readBigEndian(bytes: 2)))
    case (.binary, .i32): return Int64(Int32(truncatingIfNeeded: try readBigEndian(bytes: 4)))
    case (.binary, _): return Int64(bitPattern: try readBigEndian(bytes: 8))
    }
  }

  /// The bits of a double: little-endian in the compact protocol.
  mutating func readDouble() throws(TraceFormatError) -> UInt64 {
    let bits = try readBigEndian(bytes: 8)
    return encoding == .compact ? bits.byteSwapped : bits
  }

  /// The value of a boolean field.
  mutating func readBool(_ field: ThriftField) throws(TraceFormatError) -> Bool {
    encoding == .compact ? field.flag : try readByte() != 0
  }

  /// Steps over a string or binary, whose place is returned.
  mutating func readString() throws(TraceFormatError) -> WireRange {
    let start = offset
    let length = try readLength()
    if length > bytes.count &- offset { throw TraceFormatError(.lengthBeyondEnd, at: start) }
    defer { offset &+= length }
    return WireRange(offset, offset &+ length)
  }

  private mutating func readLength() throws(TraceFormatError) -> Int {
    let start = offset
    let length = encoding == .compact ? try readVarint() : try readBigEndian(bytes: 4)
    if length > UInt64(Int32.max) { throw TraceFormatError(.lengthBeyondEnd, at: start) }
    return Int(length)
  }

  /// The head of a list or set: no more elements than there are bytes, since each takes one.
  mutating func readList() throws(TraceFormatError) -> (count: Int, type: ThriftType) {
    let start = offset
    let head = try readByte()
    let (count, type): (Int, ThriftType)
    switch encoding {
    case .binary:
      count = try readLength()
      type = count == 0 ? .byte : try Self.binaryType(head, at: start)
    case .compact:
      count = head >> 4 == 15 ? try readLength() : Int(head >> 4)
      type = count == 0 ? .byte : try Self.compactType(head & 0x0F, at: start)
    }
    if count > bytes.count &- offset { throw TraceFormatError(.lengthBeyondEnd, at: start) }
    return (count, type)
  }

  /// Steps over the value of a field.
  mutating func skip(_ field: ThriftField) throws(TraceFormatError) {
    // The value stands in the head.
    if encoding == .compact, field.type == .bool { return }
    try skip(field.type, depth: 0)
  }

  private mutating func skip(_ type: ThriftType, depth: Int) throws(TraceFormatError) {
    if depth > Self.maxDepth { throw TraceFormatError(.tooDeep, at: offset) }
    switch type {
    case .bool, .byte: _ = try readByte()
    case .i16, .i32, .i64: _ = try readInteger(type)
    case .double: _ = try readDouble()
    case .string: _ = try readString()
    case .structure:
      let outer = beginStructure()
      while let field = try nextField() {
        if encoding == .compact, field.type == .bool { continue }
        try skip(field.type, depth: depth + 1)
      }
      endStructure(outer)
    case .list:
      let list = try readList()
      for _ in 0..<list.count { try skip(list.type, depth: depth + 1) }
    case .map:
      let map = try readMap()
      for _ in 0..<map.count {
        try skip(map.key, depth: depth + 1)
        try skip(map.value, depth: depth + 1)
      }
    }
  }

  private mutating func readMap() throws(TraceFormatError) -> (count: Int, key: ThriftType, value: ThriftType)
  {
    let start = offset
    var count = 0
    var types: (ThriftType, ThriftType) = (.byte, .byte)
    switch encoding {
    case .binary:
      let (key, value) = (try readByte(), try readByte())
      count = try readLength()
      if count > 0 {
        types = (try Self.binaryType(key, at: start), try Self.binaryType(value, at: start))
      }
    case .compact:
      count = try readLength()
      if count > 0 {
        let head = try readByte()
        types = (
          try Self.compactType(head >> 4, at: start), try Self.compactType(head & 0x0F, at: start)
        )
      }
    }
    if count > (bytes.count &- offset) / 2 { throw TraceFormatError(.lengthBeyondEnd, at: start) }
    return (count, types.0, types.1)
  }

  // Messages.

  /// Reads the head of a call, and returns where the name of its method stands.
  mutating func readCall() throws(TraceFormatError) -> WireRange {
    let start = offset
    switch encoding {
    case .compact:
      // Protocol id; version 1 with the type of the message above it; a sequence number.
      guard try readByte() == 0x82, try readByte() & 0x1F == 1 else {
        throw TraceFormatError(.notAMessage, at: start)
      }
      _ = try readVarint()
      return try readString()
    case .binary:
      let head = UInt32(truncatingIfNeeded: try readBigEndian(bytes: 4))
      if head & 0x8000_0000 != 0 {
        guard head & 0xFFFF_0000 == 0x8001_0000 else { throw TraceFormatError(.notAMessage, at: start) }
        let name = try readString()
        _ = try readBigEndian(bytes: 4)
        return name
      }
      // The older form without a version: the name's length comes first.
      offset = start
      let name = try readString()
      _ = try readByte()
      _ = try readBigEndian(bytes: 4)
      return name
    }
  }
}
