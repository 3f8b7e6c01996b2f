internal import WireFormat

/// Writes structures in Thrift's binary protocol (Apache Thrift, `thrift-binary-protocol.md`).
///
/// Numbers are big-endian. Whoever writes a list says before how many elements it has.
struct ThriftBinaryWriter: ~Copyable {
  private var writer: WireWriter

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Appends what is written already.
  mutating func write(_ bytes: Span<UInt8>) { writer.write(bytes) }

  /// Begins a field: three bytes.
  @inline(__always)
  mutating func field(_ id: UInt16, _ type: ThriftType) {
    byte(Self.code(type))
    byte(UInt8(truncatingIfNeeded: id &>> 8))
    byte(UInt8(truncatingIfNeeded: id))
  }

  /// Ends a structure.
  mutating func stop() { byte(0) }

  /// A field of type i32 or i64.
  mutating func integerField(_ id: UInt16, _ type: ThriftType, _ value: UInt64) {
    field(id, type)
    if type == .i32 {
      writer.writeFixed32(UInt32(truncatingIfNeeded: value).byteSwapped)
    } else {
      writer.writeFixed64(value.byteSwapped)
    }
  }

  mutating func doubleField(_ id: UInt16, _ value: Double) {
    field(id, .double)
    writer.writeFixed64(value.bitPattern.byteSwapped)
  }

  mutating func boolField(_ id: UInt16, _ value: Bool) {
    field(id, .bool)
    byte(value ? 1 : 0)
  }

  /// A field of type string or binary.
  mutating func stringField(_ id: UInt16, _ value: Span<UInt8>) {
    field(id, .string)
    writer.writeFixed32(UInt32(truncatingIfNeeded: value.count).byteSwapped)
    writer.write(value)
  }

  /// The head of a list.
  mutating func listField(_ id: UInt16, of type: ThriftType, count: Int) {
    field(id, .list)
    byte(Self.code(type))
    writer.writeFixed32(UInt32(truncatingIfNeeded: count).byteSwapped)
  }

  @inline(__always)
  private mutating func byte(_ value: UInt8) { writer.writeByte(value) }

  private static func code(_ type: ThriftType) -> UInt8 {
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
