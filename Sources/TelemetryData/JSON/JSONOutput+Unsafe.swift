internal import WireFormat

/// JSON text that grows at its end.
///
/// It starts in the memory of the array that is going to be the result and moves to memory of its own only
/// when that does not suffice. Every operation makes its own room first and then stores without a check per
/// byte. Working on an array instead, with its check for shared storage in every operation, made writing a
/// span of ten attributes half as fast again, and a buffer that is copied at the end cost page faults for
/// twice the memory.
@safe
struct JSONOutput: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  private var ownsMemory: Bool
  /// The bytes written.
  private(set) var count = 0

  private init(_ memory: UnsafeMutableRawBufferPointer) {
    if let address = memory.baseAddress {
      unsafe base = address
      capacity = memory.count
      ownsMemory = false
    } else {
      capacity = 64
      unsafe base = .allocate(byteCount: capacity, alignment: 16)
      ownsMemory = true
    }
  }

  deinit { if ownsMemory { unsafe base.deallocate() } }

  /// The text that a closure writes; nothing is copied when it is no longer than expected.
  static func text<E: Error>(
    expecting size: Int, _ write: (consuming JSONOutput) throws(E) -> JSONOutput
  ) throws(E) -> [UInt8] {
    var outgrown: [UInt8]?
    var failure: E?
    let text = unsafe [UInt8](unsafeUninitializedCapacity: max(size, 64)) { memory, used in
      do throws(E) {
        let output = try unsafe write(JSONOutput(UnsafeMutableRawBufferPointer(memory)))
        if output.ownsMemory {
          unsafe outgrown = [UInt8](UnsafeRawBufferPointer(start: output.base, count: output.count))
        } else {
          used = output.count
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return outgrown ?? text
  }

  /// Forgets what was written from a place on.
  mutating func truncate(to place: Int) { count = min(count, max(place, 0)) }

  /// Replaces a byte that has been written.
  @inline(__always)
  mutating func replace(at place: Int, with byte: UInt8) {
    precondition(place >= 0 && place < count)
    unsafe base.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
  }

  @inline(never)
  private mutating func grow(_ room: Int) {
    capacity = max(capacity * 2, count + room)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    unsafe larger.copyMemory(from: base, byteCount: count)
    if ownsMemory { unsafe base.deallocate() }
    ownsMemory = true
    unsafe base = larger
  }

  /// Lets a closure store up to `room` bytes at the end; it returns how many it did.
  @inline(__always)
  private mutating func extend(_ room: Int, _ store: (UnsafeMutableRawPointer) -> Int) {
    if capacity &- count < room { grow(room) }
    unsafe count &+= store(base + count)
  }

  // Pieces of text.

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    unsafe extend(1) { target in
      unsafe target.storeBytes(of: byte, as: UInt8.self)
      return 1
    }
  }

  /// A short text known when compiling.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    unsafe extend(text.utf8CodeUnitCount) { target in
      unsafe target.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
      return text.utf8CodeUnitCount
    }
  }

  /// Bytes as they are, of any number.
  mutating func append(_ bytes: Span<UInt8>) {
    unsafe extend(bytes.count) { target in
      unsafe bytes.withUnsafeBytes { source in
        if let base = source.baseAddress { unsafe target.copyMemory(from: base, byteCount: source.count) }
      }
      return bytes.count
    }
  }

  /// Up to 32 bytes from a buffer that has 32 at the place, as ``OTLPMessageTable/names`` has behind every
  /// label.
  @inline(__always)
  mutating func appendLabel(_ names: Span<UInt8>, at start: Int, length: Int) {
    let first = names.load16(at: start)
    let second = names.load16(at: start &+ 16)
    unsafe extend(32) { target in
      unsafe target.storeBytes(of: first, as: SIMD16<UInt8>.self)
      unsafe target.storeBytes(of: second, toByteOffset: 16, as: SIMD16<UInt8>.self)
      return length
    }
  }

  /// Up to eight characters, the first in the lowest byte.
  @inline(__always)
  mutating func append(packed characters: UInt64, length: Int) {
    unsafe extend(8) { target in
      unsafe target.storeBytes(of: characters.littleEndian, as: UInt64.self)
      return length
    }
  }

  /// A number in decimal.
  @inline(__always)
  mutating func append(decimal value: UInt64) {
    var rest = value
    if rest >= 10_000_000_000_000_000 {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10_000_000_000_000_000)
      appendLeading(UInt32(truncatingIfNeeded: quotient))
      appendEight(UInt32(truncatingIfNeeded: remainder / 100_000_000))
      appendEight(UInt32(truncatingIfNeeded: remainder % 100_000_000))
    } else if rest >= 100_000_000 {
      let quotient = rest / 100_000_000
      rest %= 100_000_000
      appendLeading(UInt32(truncatingIfNeeded: quotient))
      appendEight(UInt32(truncatingIfNeeded: rest))
    } else {
      appendLeading(UInt32(truncatingIfNeeded: rest))
    }
  }

  /// A number below 10^8 without leading zeros.
  @inline(__always)
  private mutating func appendLeading(_ value: UInt32) {
    let digits = JSONDigits.eight(value)
    let zeros = min(digits.trailingZeroBitCount >> 3, 7)
    append(packed: (digits | JSONDigits.zeros) >> UInt64(truncatingIfNeeded: zeros &<< 3), length: 8 &- zeros)
  }

  @inline(__always)
  private mutating func appendEight(_ value: UInt32) {
    append(packed: JSONDigits.eight(value) | JSONDigits.zeros, length: 8)
  }

  /// Copies the bytes from a place to the end or to the first that a JSON string must escape, whose place is
  /// returned.
  @inline(__always)
  mutating func appendUnescaped(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var stop = start
    unsafe extend(end &- start &+ 8) { target in
      // Eight bytes at a time; the last ones are read beyond the end, but inside the buffer, and cut off
      // again.
      while stop < end, stop &+ 8 <= bytes.count {
        let word = bytes.loadUInt64(at: stop)
        unsafe target.storeBytes(of: word.littleEndian, toByteOffset: stop &- start, as: UInt64.self)
        let clear = min(JSONCharacters.unescapedPrefix(word), end &- stop)
        stop &+= clear
        if clear < 8 { return stop &- start }
      }
      while stop < end, !JSONCharacters.mustEscape(bytes[stop]) {
        unsafe target.storeBytes(of: bytes[stop], toByteOffset: stop &- start, as: UInt8.self)
        stop &+= 1
      }
      return stop &- start
    }
    return stop
  }
}

extension Span where Element == UInt8 {
  /// The sixteen bytes at an offset; traps when fewer are left.
  @inline(__always)
  func load16(at offset: Int) -> SIMD16<UInt8> {
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
  }
}
