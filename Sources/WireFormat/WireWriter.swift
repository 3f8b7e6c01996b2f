/// Writes protobuf fields into a buffer that it owns and grows.
///
/// Nested messages are written in place: ``beginMessage(_:)`` leaves one byte for the length, and
/// ``endMessage(_:)`` puts the length there, moving the message up by a byte or more when it is longer than
/// 127 bytes. Lengths and tags are always in their shortest form.
public struct WireWriter: ~Copyable {
  /// Storage of full size; only the first ``count`` bytes have been written.
  @usableFromInline
  var storage: [UInt8]
  /// The number of bytes written.
  @usableFromInline
  var written: Int

  /// A writer with room for an expected number of bytes.
  @inlinable
  public init(capacity: Int = 256) {
    storage = Self.storage(of: max(capacity, 16))
    written = 0
  }

  /// The number of bytes written.
  @inlinable
  public var count: Int { written }

  /// How many bytes there is room for without growing.
  @inlinable
  public var capacity: Int { storage.count }

  /// What was written.
  @inlinable
  public consuming func finish() -> [UInt8] {
    storage.removeLast(storage.count - written)
    return storage
  }

  /// Forgets what was written and keeps the memory.
  @inlinable
  public mutating func removeAll() { written = 0 }

  /// The bytes written so far.
  @inlinable
  public var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get { storage.span.extracting(first: written) }
  }

  // The pieces of fields.

  @inlinable
  public mutating func writeTag(_ tag: WireTag) { writeVarint(UInt64(tag.rawValue)) }

  @inlinable
  public mutating func writeVarint(_ value: UInt64) {
    reserve(10)
    written = storeVarint(value, at: written)
  }

  @inlinable
  public mutating func writeFixed64(_ value: UInt64) {
    reserve(8)
    store(value.littleEndian, at: written)
    written &+= 8
  }

  @inlinable
  public mutating func writeFixed32(_ value: UInt32) {
    reserve(4)
    store(value.littleEndian, at: written)
    written &+= 4
  }

  /// Appends one byte, for formats other than protobuf.
  @inlinable
  public mutating func writeByte(_ value: UInt8) {
    reserve(1)
    store(value, at: written)
    written &+= 1
  }

  /// Appends bytes as they are, for fields copied from elsewhere.
  @inlinable
  public mutating func write(_ source: Span<UInt8>) {
    reserve(source.count)
    store(source, at: written)
    written &+= source.count
  }

  /// Appends a part of a buffer as it is.
  @inlinable
  public mutating func write(_ source: Span<UInt8>, in range: WireRange) {
    write(source.extracting(range.range))
  }

  // Whole fields.

  @inlinable
  public mutating func varintField(_ number: UInt32, _ value: UInt64) {
    reserve(15)
    written = storeVarint(UInt64(WireTag.varint(number).rawValue), at: written)
    written = storeVarint(value, at: written)
  }

  /// A field of type int32, int64 or an enumeration: negative values take ten bytes.
  @inlinable
  public mutating func intField(_ number: UInt32, _ value: Int64) {
    varintField(number, UInt64(bitPattern: value))
  }

  /// A field of type sint32 or sint64 (zigzag encoding).
  @inlinable
  public mutating func sintField(_ number: UInt32, _ value: Int64) {
    varintField(number, ZigZag.encode(value))
  }

  @inlinable
  public mutating func boolField(_ number: UInt32, _ value: Bool) { varintField(number, value ? 1 : 0) }

  @inlinable
  public mutating func fixed64Field(_ number: UInt32, _ value: UInt64) {
    reserve(13)
    written = storeVarint(UInt64(WireTag.fixed64(number).rawValue), at: written)
    store(value.littleEndian, at: written)
    written &+= 8
  }

  @inlinable
  public mutating func fixed32Field(_ number: UInt32, _ value: UInt32) {
    reserve(9)
    written = storeVarint(UInt64(WireTag.fixed32(number).rawValue), at: written)
    store(value.littleEndian, at: written)
    written &+= 4
  }

  @inlinable
  public mutating func doubleField(_ number: UInt32, _ value: Double) {
    fixed64Field(number, value.bitPattern)
  }

  /// A field of type bytes or string, or a message that is already encoded.
  @inlinable
  public mutating func bytesField(_ number: UInt32, _ value: Span<UInt8>) {
    reserve(value.count &+ 15)
    written = storeVarint(UInt64(WireTag.lengthDelimited(number).rawValue), at: written)
    written = storeVarint(UInt64(value.count), at: written)
    store(value, at: written)
    written &+= value.count
  }

  @inlinable
  public mutating func bytesField(_ number: UInt32, _ value: [UInt8]) { bytesField(number, value.span) }

  @inlinable
  public mutating func stringField(_ number: UInt32, _ value: String) { bytesField(number, value.utf8.span) }

  /// A packed field of fixed64, sfixed64 or double bit patterns; nothing when empty.
  @inlinable
  public mutating func packedFixed64Field(_ number: UInt32, _ values: [UInt64]) {
    if values.isEmpty { return }
    writeTag(.lengthDelimited(number))
    writeVarint(UInt64(values.count &* 8))
    for value in values { writeFixed64(value) }
  }

  /// A packed field of doubles; nothing when empty.
  @inlinable
  public mutating func packedDoubleField(_ number: UInt32, _ values: [Double]) {
    if values.isEmpty { return }
    writeTag(.lengthDelimited(number))
    writeVarint(UInt64(values.count &* 8))
    for value in values { writeFixed64(value.bitPattern) }
  }

  /// A packed field of varints; nothing when empty.
  @inlinable
  public mutating func packedVarintField(_ number: UInt32, _ values: [UInt64]) {
    if values.isEmpty { return }
    let mark = beginMessage(number)
    for value in values { writeVarint(value) }
    endMessage(mark)
  }

  // Nested messages.

  /// Where a nested message began.
  public struct Mark: Sendable {
    @usableFromInline
    var start: Int
    @usableFromInline
    init(start: Int) { self.start = start }
  }

  /// Writes the tag of a nested message; everything until ``endMessage(_:)`` belongs to it.
  @inlinable
  public mutating func beginMessage(_ number: UInt32) -> Mark {
    writeTag(.lengthDelimited(number))
    reserve(1)
    written &+= 1
    return Mark(start: written)
  }

  /// Puts the length of the innermost open message in its place.
  ///
  /// - Important: Marks are ended in the reverse order of their beginning.
  @inlinable
  public mutating func endMessage(_ mark: Mark) {
    let length = written &- mark.start
    if length < 0x80 {
      storage[mark.start &- 1] = UInt8(truncatingIfNeeded: length)
    } else {
      endLongMessage(mark, length: length)
    }
  }

  /// Takes back an open message, as if it had never been begun; for messages that turn out to be empty.
  @inlinable
  public mutating func cancelMessage(_ mark: Mark, _ number: UInt32) {
    written = mark.start &- 1 &- Varint.length(UInt64(WireTag.lengthDelimited(number).rawValue))
  }

  @usableFromInline
  mutating func endLongMessage(_ mark: Mark, length: Int) {
    let extra = Varint.length(UInt64(length)) - 1
    reserve(extra)
    move(from: mark.start, to: mark.start + extra, count: length)
    _ = storeVarint(UInt64(length), at: mark.start - 1)
    written += extra
  }

  /// Writes a nested message with a closure.
  @inlinable
  public mutating func message<E: Error>(
    _ number: UInt32, _ body: (inout WireWriter) throws(E) -> Void
  ) throws(E) {
    let mark = beginMessage(number)
    try body(&self)
    endMessage(mark)
  }
}

/// The lengths of varints.
public enum Varint {
  /// The number of bytes the shortest encoding takes: 1 to 10.
  @inlinable
  public static func length(_ value: UInt64) -> Int {
    let bits = 64 &- (value | 1).leadingZeroBitCount
    return (bits &* 9 &+ 64) &>> 6
  }

  /// The number of bytes of a length-delimited field: tag, length and payload.
  @inlinable
  public static func fieldLength(_ number: UInt32, payload: Int) -> Int {
    length(UInt64(WireTag.lengthDelimited(number).rawValue)) &+ length(UInt64(payload)) &+ payload
  }
}

/// The mapping of signed to unsigned numbers in sint32 and sint64 fields.
public enum ZigZag {
  @inlinable
  public static func encode(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)) }
  @inlinable
  public static func decode(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }
}
