internal import WireFormat

/// Writes structures in Thrift's binary protocol (Apache Thrift, `thrift-binary-protocol.md`).
///
/// Numbers are big-endian, and lists say first how many elements they have.
struct ThriftBinaryWriter: ~Copyable {
  private var writer: WireWriter

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Lends room for several fields, see ``WireFormat/WireWriter/withRoom(_:_:)``; each takes 16 bytes and its text.
  @inline(__always)
  mutating func withRoom(_ size: Int, _ body: (inout WireRoom) -> Void) { writer.withRoom(size, body) }

  /// Begins a field.
  mutating func field(_ id: UInt16, _ type: ThriftType) { withRoom(16) { $0.field(id, type) } }

  /// Ends a structure.
  mutating func stop() { writer.writeByte(0) }

  mutating func integerField(_ id: UInt16, _ type: ThriftType, _ value: UInt64) {
    withRoom(16) { $0.integerField(id, type, value) }
  }

  mutating func doubleField(_ id: UInt16, _ value: Double) { withRoom(16) { $0.doubleField(id, value) } }

  mutating func boolField(_ id: UInt16, _ value: Bool) { withRoom(16) { $0.boolField(id, value) } }

  /// A field of type string or binary.
  mutating func stringField(_ id: UInt16, _ value: Span<UInt8>) {
    withRoom(16 + value.count) { $0.stringField(id, value, in: WireRange(0, value.count)) }
  }

  /// The head of a list.
  ///
  /// - Returns: where its length stands, for ``setCount(_:at:)``.
  @discardableResult
  mutating func listField(_ id: UInt16, of type: ThriftType, count: Int) -> Int {
    withRoom(16) { $0.listField(id, of: type, count: count) }
    return writer.count &- 4
  }

  /// Sets the length of a list that was not known when it began.
  mutating func setCount(_ count: Int, at place: Int) {
    writer.replaceFixed32(at: place, with: UInt32(truncatingIfNeeded: count))
  }
}

/// Fields of Thrift's in room of a writer.
extension WireRoom {
  @inline(__always)
  mutating func field(_ id: UInt16, _ type: ThriftType) { write(leading: 3, of: Self.head(id, type)) }

  /// Ends a structure.
  @inline(__always)
  mutating func stop() { write(0 as UInt8) }

  /// A field of type i32 or i64.
  @inline(__always)
  mutating func integerField(_ id: UInt16, _ type: ThriftType, _ value: UInt64) {
    if type == .i32 {
      write(leading: 7, of: Self.head(id, type) | (value & 0xFFFF_FFFF) &<< 8)
    } else {
      field(id, type)
      write(value.byteSwapped)
    }
  }

  @inline(__always)
  mutating func doubleField(_ id: UInt16, _ value: Double) {
    field(id, .double)
    write(value.bitPattern.byteSwapped)
  }

  @inline(__always)
  mutating func boolField(_ id: UInt16, _ value: Bool) {
    write(leading: 4, of: Self.head(id, .bool) | (value ? 1 &<< 32 : 0))
  }

  /// A field of type string or binary, from a part of a buffer.
  @inline(__always)
  mutating func stringField(_ id: UInt16, _ source: Span<UInt8>, in range: WireRange) {
    write(leading: 7, of: Self.head(id, .string) | UInt64(UInt32(truncatingIfNeeded: range.count)) &<< 8)
    copy(source, in: range)
  }

  @inline(__always)
  mutating func listField(_ id: UInt16, of type: ThriftType, count: Int) {
    let count = UInt64(UInt32(truncatingIfNeeded: count))
    write(leading: 8, of: Self.head(id, .list) | Self.code(type) &<< 32 | count)
  }

  /// The three bytes that begin a field, ahead of what follows in a number of eight.
  @inline(__always)
  private static func head(_ id: UInt16, _ type: ThriftType) -> UInt64 {
    code(type) &<< 56 | UInt64(id) &<< 40
  }

  @inline(__always)
  private static func code(_ type: ThriftType) -> UInt64 {
    switch type {
    case .bool: 2
    case .byte: 3
    case .double: 4
    case .i16: 6
    case .i32: 8
    case .i64: 10
    case .string: 11
    case .structure: 12
    case .map: 13
    case .list: 15
    }
  }
}
