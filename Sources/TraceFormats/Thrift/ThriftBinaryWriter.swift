internal import WireFormat

/// Writes structures in Thrift's binary protocol (Apache Thrift, `thrift-binary-protocol.md`).
///
/// Numbers are big-endian, and lists say first how many elements they have.
struct ThriftBinaryWriter: ~Copyable {
  private var writer: WireWriter

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Appends what is written already.
  mutating func write(_ bytes: Span<UInt8>) { writer.write(bytes) }

  /// Begins a field.
  mutating func field(_ id: UInt16, _ type: ThriftType) { writer.write(leading: 3, of: Self.head(id, type)) }

  /// Ends a structure.
  mutating func stop() { writer.writeByte(0) }

  /// A field of type i32 or i64.
  mutating func integerField(_ id: UInt16, _ type: ThriftType, _ value: UInt64) {
    if type == .i32 {
      writer.write(leading: 7, of: Self.head(id, type) | (value & 0xFFFF_FFFF) &<< 8)
    } else {
      field(id, type)
      writer.writeFixed64(value.byteSwapped)
    }
  }

  mutating func doubleField(_ id: UInt16, _ value: Double) {
    field(id, .double)
    writer.writeFixed64(value.bitPattern.byteSwapped)
  }

  mutating func boolField(_ id: UInt16, _ value: Bool) {
    writer.write(leading: 4, of: Self.head(id, .bool) | (value ? 1 &<< 32 : 0))
  }

  /// A field of type string or binary.
  mutating func stringField(_ id: UInt16, _ value: Span<UInt8>) {
    let count = UInt64(UInt32(truncatingIfNeeded: value.count))
    writer.write(leading: 7, of: Self.head(id, .string) | count &<< 8, value)
  }

  /// The head of a list.
  ///
  /// - Returns: where its length stands, for ``setCount(_:at:)``.
  @discardableResult
  mutating func listField(_ id: UInt16, of type: ThriftType, count: Int) -> Int {
    let count = UInt64(UInt32(truncatingIfNeeded: count))
    writer.write(leading: 8, of: Self.head(id, .list) | Self.code(type) &<< 32 | count)
    return writer.count &- 4
  }

  /// Sets the length of a list that was not known when it began.
  mutating func setCount(_ count: Int, at place: Int) {
    writer.replaceFixed32(at: place, with: UInt32(truncatingIfNeeded: count))
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
