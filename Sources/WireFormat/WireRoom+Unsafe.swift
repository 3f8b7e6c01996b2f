extension WireWriter {
  /// Lends room behind what is written, for many pieces that need one look at the memory of the writer.
  ///
  /// - Parameters:
  ///   - size: as many bytes as the pieces take at most.
  ///   - body: writes them; nothing else can write meanwhile.
  @inlinable
  @inline(__always)
  public mutating func withRoom<Result>(_ size: Int, _ body: (inout WireRoom) -> Result) -> Result {
    reserve(size)
    let start = written
    var span = storage.mutableSpan
    var room = unsafe WireRoom(span.mutableBytes, at: start)
    let result = body(&room)
    let end = room.position
    written = end
    return result
  }
}

/// Room of a ``WireWriter``, which ``WireWriter/withRoom(_:_:)`` lends.
///
/// Every piece checks that it fits, as writing to an array does, and nothing is checked but that: no field can make the
/// writer grow. A piece that does not fit is a fault of the one who asked for too little room, and traps.
public struct WireRoom: ~Copyable, ~Escapable {
  @usableFromInline
  var storage: MutableRawSpan
  /// Where the next piece goes.
  @usableFromInline
  var position: Int

  @inlinable
  @inline(__always)
  @_lifetime(copy storage)
  init(_ storage: consuming MutableRawSpan, at position: Int) {
    self.storage = storage
    self.position = position
  }

  /// How many bytes fit yet: at least those that were asked for.
  @inlinable
  @inline(__always)
  public var left: Int { storage.byteCount &- position }

  /// Writes the bytes of a number, the lowest first.
  @inlinable
  @inline(__always)
  public mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    storage.storeBytes(of: value.littleEndian, toByteOffset: position, as: T.self)
    position &+= MemoryLayout<T>.size
  }

  /// Writes the first bytes of a number whose highest byte goes first; there must be room for all eight.
  @inlinable
  @inline(__always)
  public mutating func write(leading count: Int, of value: UInt64) {
    storage.storeBytes(of: value.bigEndian, toByteOffset: position, as: UInt64.self)
    position &+= count & 15
  }

  /// Writes a varint; there must be room for ten bytes.
  @inlinable
  @inline(__always)
  public mutating func varint(_ value: UInt64) {
    if value < 0x80 {
      write(UInt8(truncatingIfNeeded: value))
    } else if value < 1 &<< 56 {
      // Groups of seven bits move to bytes of their own by halves, and all but the last byte are marked.
      var spread = value & 0xFFF_FFFF | (value & 0xFF_FFFF_F000_0000) &<< 4
      spread = spread & 0x3FFF_0000_3FFF | (spread & 0x0FFF_C000_0FFF_C000) &<< 2
      spread = spread & 0x007F_007F_007F_007F | (spread & 0x3F80_3F80_3F80_3F80) &<< 1
      let size = Varint.length(value)
      let marks: UInt64 = 0x0080_8080_8080_8080 & ((1 &<< (UInt64(truncatingIfNeeded: size &- 1) &<< 3)) &- 1)
      storage.storeBytes(of: (spread | marks).littleEndian, toByteOffset: position, as: UInt64.self)
      position &+= size
    } else {
      longVarint(value)
    }
  }

  @usableFromInline
  mutating func longVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      write(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    write(UInt8(truncatingIfNeeded: rest))
  }

  /// Puts one byte where a length was left open.
  @inlinable
  @inline(__always)
  public mutating func set(_ value: UInt8, at place: Int) {
    storage.storeBytes(of: value, toByteOffset: place, as: UInt8.self)
  }

  /// Leaves a byte open and returns its place, for ``endShort(_:)``.
  @inlinable
  @inline(__always)
  public mutating func beginShort() -> Int {
    position &+= 1
    return position &- 1
  }

  /// Sets the length of a message of less than 128 bytes that began with ``beginShort()``.
  @inlinable
  @inline(__always)
  public mutating func endShort(_ place: Int) {
    set(UInt8(truncatingIfNeeded: position &- place &- 1), at: place)
  }

  /// Copies a part of a buffer.
  ///
  /// A short one goes in moves of a fixed size that may carry more than was asked for, where there is as much on both
  /// sides; what is too much is written over by what follows.
  @inlinable
  @inline(__always)
  public mutating func copy(_ source: Span<UInt8>, at start: Int, count: Int) {
    if UInt(bitPattern: count) <= 32, start &+ 32 <= source.count, left >= 32 {
      move(source, start, 0)
      if count > 16 { move(source, start, 16) }
      position &+= count
    } else {
      copyExactly(source, at: start, count: count)
    }
  }

  @inlinable
  @inline(__always)
  public mutating func copy(_ source: Span<UInt8>, in range: WireRange) {
    copy(source, at: range.lowerBound, count: range.count)
  }

  /// Copies all of a buffer.
  @inlinable
  @inline(__always)
  public mutating func copy(_ source: Span<UInt8>) { copyExactly(source, at: 0, count: source.count) }

  @inlinable
  @inline(__always)
  mutating func move(_ source: Span<UInt8>, _ start: Int, _ offset: Int) {
    let piece = unsafe source.bytes.unsafeLoadUnaligned(
      fromByteOffset: start &+ offset, as: SIMD16<UInt8>.self)
    storage.storeBytes(of: piece, toByteOffset: position &+ offset, as: SIMD16<UInt8>.self)
  }

  @usableFromInline
  mutating func copyExactly(_ source: Span<UInt8>, at start: Int, count: Int) {
    let part = source.extracting(start..<start + count)
    precondition(count <= left, "as much room as the pieces take must be asked for")
    let place = position
    unsafe storage.withUnsafeMutableBytes { target in
      unsafe part.withUnsafeBytes { bytes in
        if let base = target.baseAddress, let from = bytes.baseAddress {
          unsafe base.advanced(by: place).copyMemory(from: from, byteCount: bytes.count)
        }
      }
    }
    position = place + count
  }
}
