extension WireWriter {
  /// Storage that counts as initialized without having been filled: every byte is written before it is read,
  /// because only the first `written` bytes are ever handed out. Zeroing it would cost as much as the writing
  /// does.
  @usableFromInline
  static func storage(of size: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: size) { _, count in count = size }
  }

  /// Makes room for more bytes behind those written.
  @inlinable
  mutating func reserve(_ room: Int) {
    if storage.count &- written < room { grow(room) }
  }

  @usableFromInline
  @inline(never)
  mutating func grow(_ room: Int) {
    let size = max(storage.count * 2, written + room)
    let old = storage
    let used = written
    unsafe storage = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      if used > 0, let target = buffer.baseAddress {
        unsafe old.withUnsafeBufferPointer { source in
          if let base = source.baseAddress { unsafe target.update(from: base, count: used) }
        }
      }
      count = size
    }
  }

  /// Writes a varint into reserved room and returns the offset behind it.
  @inlinable
  mutating func storeVarint(_ value: UInt64, at start: Int) -> Int {
    unsafe storage.withUnsafeMutableBufferPointer { buffer in
      var rest = value
      var position = start
      while rest >= 0x80 {
        unsafe buffer[position] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest &>>= 7
        position &+= 1
      }
      unsafe buffer[position] = UInt8(truncatingIfNeeded: rest)
      return position &+ 1
    }
  }

  /// Writes the bytes of an integer into reserved room.
  @inlinable
  mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at start: Int) {
    unsafe storage.withUnsafeMutableBytes { buffer in
      unsafe buffer.storeBytes(of: value, toByteOffset: start, as: T.self)
    }
  }

  /// Copies bytes into reserved room.
  @inlinable
  mutating func store(_ source: Span<UInt8>, at start: Int) {
    if source.isEmpty { return }
    unsafe source.withUnsafeBufferPointer { from in
      unsafe storage.withUnsafeMutableBufferPointer { buffer in
        if let base = from.baseAddress, let target = buffer.baseAddress {
          unsafe target.advanced(by: start).update(from: base, count: from.count)
        }
      }
    }
  }

  /// Moves bytes within the storage; the ranges may overlap.
  @usableFromInline
  mutating func move(from start: Int, to target: Int, count: Int) {
    unsafe storage.withUnsafeMutableBytes { buffer in
      if let base = buffer.baseAddress {
        unsafe base.advanced(by: target).copyMemory(from: base.advanced(by: start), byteCount: count)
      }
    }
  }

  /// Overwrites four bytes with a big-endian number that was not known when they were written.
  public mutating func replaceFixed32(at offset: Int, with value: UInt32) {
    precondition(offset >= 0 && offset <= written &- 4, "only what is written can be replaced")
    store(value.bigEndian, at: offset)
  }

  /// A message field with a key (field 1) and, in a nested message (field 2), one value of type string or bytes.
  ///
  /// What most of log records consists of: all lengths are known, and short texts are copied in a few moves.
  /// - Parameters:
  ///   - key: left out when empty.
  ///   - valueNumber: below 16.
  public mutating func pairField(
    _ number: UInt32, key: Span<UInt8>, _ valueNumber: UInt32, _ value: Span<UInt8>
  ) {
    let inner = 1 &+ Varint.length(UInt64(value.count)) &+ value.count
    unsafe pair(number, key: key, inner) { position, base in
      unsafe Self.put(UInt64(WireTag.lengthDelimited(valueNumber).rawValue), at: &position, base)
      unsafe Self.put(UInt64(value.count), at: &position, base)
      unsafe Self.copy(value, to: base + position)
      position &+= value.count
    }
  }

  /// A message field with a key (field 1) and, in the same message, a value of type string or bytes.
  ///
  /// - Parameters:
  ///   - number: below 16.
  ///   - valueNumber: below 16.
  public mutating func flatPairField(
    _ number: UInt32, key: Span<UInt8>, _ valueNumber: UInt32, _ value: Span<UInt8>
  ) {
    let head = Varint.length(UInt64(key.count)) &+ key.count
    let size = 2 &+ head &+ Varint.length(UInt64(value.count)) &+ value.count
    reserve(size &+ 11)
    var position = written
    unsafe storage.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe Self.put(UInt64(WireTag.lengthDelimited(number).rawValue), at: &position, base)
      unsafe Self.put(UInt64(size), at: &position, base)
      unsafe base.storeBytes(of: 0x0A, toByteOffset: position, as: UInt8.self)
      position &+= 1
      unsafe Self.put(UInt64(key.count), at: &position, base)
      unsafe Self.copy(key, to: base + position)
      position &+= key.count
      unsafe Self.put(UInt64(WireTag.lengthDelimited(valueNumber).rawValue), at: &position, base)
      unsafe Self.put(UInt64(value.count), at: &position, base)
      unsafe Self.copy(value, to: base + position)
      position &+= value.count
    }
    written = position
  }

  /// A ``pairField(_:key:_:_:)`` with a value that is an integer or a boolean.
  public mutating func pairField(
    _ number: UInt32, key: Span<UInt8>, _ valueNumber: UInt32, varint value: UInt64
  ) {
    unsafe pair(number, key: key, 1 &+ Varint.length(value)) { position, base in
      unsafe Self.put(UInt64(WireTag.varint(valueNumber).rawValue), at: &position, base)
      unsafe Self.put(value, at: &position, base)
    }
  }

  /// The same with a value of type fixed64, or the bits of a double.
  public mutating func pairField(
    _ number: UInt32, key: Span<UInt8>, _ valueNumber: UInt32, fixed64 value: UInt64
  ) {
    unsafe pair(number, key: key, 9) { position, base in
      unsafe Self.put(UInt64(WireTag.fixed64(valueNumber).rawValue), at: &position, base)
      unsafe base.storeBytes(of: value.littleEndian, toByteOffset: position, as: UInt64.self)
      position &+= 8
    }
  }

  /// Writes all but the value; `store` writes that, of a known size, tag included.
  @inline(__always)
  private mutating func pair(
    _ number: UInt32, key: Span<UInt8>, _ inner: Int, _ store: (inout Int, UnsafeMutableRawPointer) -> Void
  ) {
    let head = key.isEmpty ? 0 : 1 &+ Varint.length(UInt64(key.count)) &+ key.count
    let size = head &+ 1 &+ Varint.length(UInt64(inner)) &+ inner
    reserve(size &+ 15)
    var position = written
    unsafe storage.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe Self.put(UInt64(WireTag.lengthDelimited(number).rawValue), at: &position, base)
      unsafe Self.put(UInt64(size), at: &position, base)
      if head > 0 {
        unsafe base.storeBytes(of: 0x0A, toByteOffset: position, as: UInt8.self)
        position &+= 1
        unsafe Self.put(UInt64(key.count), at: &position, base)
        unsafe Self.copy(key, to: base + position)
        position &+= key.count
      }
      unsafe base.storeBytes(of: 0x12, toByteOffset: position, as: UInt8.self)
      position &+= 1
      unsafe Self.put(UInt64(inner), at: &position, base)
      unsafe store(&position, base)
    }
    written = position
  }

  @inline(__always)
  private static func put(_ value: UInt64, at position: inout Int, _ base: UnsafeMutableRawPointer) {
    var rest = value
    while rest >= 0x80 {
      unsafe base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: position, as: UInt8.self)
      rest &>>= 7
      position &+= 1
    }
    unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: position, as: UInt8.self)
    position &+= 1
  }

  /// Copies bytes; those of short texts from both ends, which may meet in the middle.
  @inline(__always)
  private static func copy(_ source: Span<UInt8>, to target: UnsafeMutableRawPointer) {
    let count = source.count
    unsafe source.withUnsafeBytes { bytes in
      guard let from = bytes.baseAddress else { return }
      if count > 32 {
        unsafe target.copyMemory(from: from, byteCount: count)
      } else if count >= 16 {
        let (first, last) = unsafe (
          from.loadUnaligned(as: SIMD16<UInt8>.self),
          from.loadUnaligned(fromByteOffset: count &- 16, as: SIMD16<UInt8>.self)
        )
        unsafe target.storeBytes(of: first, as: SIMD16<UInt8>.self)
        unsafe target.storeBytes(of: last, toByteOffset: count &- 16, as: SIMD16<UInt8>.self)
      } else if count >= 8 {
        let (first, last) = unsafe (
          from.loadUnaligned(as: UInt64.self), from.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        )
        unsafe target.storeBytes(of: first, as: UInt64.self)
        unsafe target.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
      } else if count >= 4 {
        let (first, last) = unsafe (
          from.loadUnaligned(as: UInt32.self), from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        )
        unsafe target.storeBytes(of: first, as: UInt32.self)
        unsafe target.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
      } else {
        for index in 0..<count {
          unsafe target.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self)
        }
      }
    }
  }
}
