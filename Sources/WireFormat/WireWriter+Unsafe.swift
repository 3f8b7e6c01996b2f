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

  /// Lets a closure store bytes at the end; it returns how many, `room` at most.
  @inlinable
  @_spi(Inside) public mutating func write(atMost room: Int, _ store: (UnsafeMutableRawPointer) -> Int) {
    reserve(room)
    let start = written
    let count = unsafe storage.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return unsafe store(base + start)
    }
    precondition(count >= 0 && count <= room)
    written = start &+ count
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
}
