@_spi(Inside) internal import WireFormat

/// Unsafe because attributes are nearly all that is written of a log record: stored piece by piece, each with its own check
/// for shared storage and for room, they cost more than twice as much.
extension WireWriter {
  /// Writes a `KeyValue` field whose value is a text or bytes.
  ///
  /// - Parameters:
  ///   - number: below 16.
  ///   - kind: the field of `AnyValue`.
  mutating func writeAttribute(
    _ number: UInt32, _ key: WireRange, text: WireRange, kind: UInt32, in arena: Span<UInt8>
  ) {
    let valueSize = Varint.fieldLength(kind, payload: text.count)
    let keySize = key.isEmpty ? 0 : Varint.fieldLength(1, payload: key.count)
    let size = keySize &+ Varint.fieldLength(2, payload: valueSize)
    // Texts are copied in portions of sixteen bytes.
    unsafe write(atMost: size &+ 32) { start in
      unsafe arena.withUnsafeBytes { source in
        var target = unsafe start
        unsafe target.put(number &<< 3 | 2, length: size)
        if keySize > 0 { unsafe target.put(1 &<< 3 | 2, source, key) }
        unsafe target.put(2 &<< 3 | 2, length: valueSize)
        unsafe target.put(kind &<< 3 | 2, source, text)
        return unsafe target - start
      }
    }
  }

  /// Writes a `KeyValue` field whose value is a number or a boolean.
  mutating func writeAttribute(_ number: UInt32, _ key: WireRange, _ value: LogValue, in arena: Span<UInt8>) {
    let keySize = key.isEmpty ? 0 : Varint.fieldLength(1, payload: key.count)
    let isDouble = value.kind == .double
    let valueSize = isDouble ? 9 : 1 &+ Varint.length(value.bits)
    let size = keySize &+ 2 &+ valueSize
    unsafe write(atMost: size &+ 32) { start in
      unsafe arena.withUnsafeBytes { source in
        var target = unsafe start
        unsafe target.put(number &<< 3 | 2, length: size)
        if keySize > 0 { unsafe target.put(1 &<< 3 | 2, source, key) }
        unsafe target.put(2 &<< 3 | 2, length: valueSize)
        if isDouble {
          unsafe target.put(byte: 4 &<< 3 | 1)
          unsafe target.storeBytes(of: value.bits.littleEndian, as: UInt64.self)
          unsafe target += 8
        } else {
          unsafe target.put(byte: value.kind == .bool ? 2 &<< 3 : 3 &<< 3)
          unsafe target.put(varint: value.bits)
        }
        return unsafe target - start
      }
    }
  }
}

extension UnsafeMutableRawPointer {
  @inline(__always)
  fileprivate mutating func put(byte: UInt8) {
    unsafe storeBytes(of: byte, as: UInt8.self)
    unsafe self += 1
  }

  @inline(__always)
  fileprivate mutating func put(varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      unsafe put(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    unsafe put(byte: UInt8(truncatingIfNeeded: rest))
  }

  /// A tag below 128 and a length.
  @inline(__always)
  fileprivate mutating func put(_ tag: UInt32, length: Int) {
    unsafe put(byte: UInt8(truncatingIfNeeded: tag))
    unsafe put(varint: UInt64(length))
  }

  /// A tag below 128, a length, and bytes.
  @inline(__always)
  fileprivate mutating func put(_ tag: UInt32, _ source: UnsafeRawBufferPointer, _ range: WireRange) {
    let count = range.count
    unsafe put(tag, length: count)
    if count == 0 { return }
    precondition(range.upperBound <= source.count)
    guard let base = source.baseAddress else { return }
    let from = unsafe base + range.lowerBound
    if count <= 16, range.lowerBound &+ 16 <= source.count {
      let bytes = unsafe from.loadUnaligned(as: SIMD16<UInt8>.self)
      unsafe storeBytes(of: bytes, as: SIMD16<UInt8>.self)
    } else {
      unsafe copyMemory(from: from, byteCount: count)
    }
    unsafe self += count
  }
}
