package import WireFormat

/// Unsafe because `Array` takes bytes in one copy only from a pointer; byte by byte costs ten times as much.
extension LogEntry {
  /// Puts bytes into the arena.
  package mutating func add(_ bytes: Span<UInt8>) -> WireRange {
    let start = arena.count
    unsafe bytes.withUnsafeBufferPointer { unsafe arena.append(contentsOf: $0) }
    return WireRange(start, arena.count)
  }

  /// Puts bytes of the arena at its end once more.
  mutating func repeatArena(from start: Int, to end: Int) {
    let count = end - start
    if count <= 0 { return }
    precondition(start >= 0 && end <= arena.count)
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { copy in
      unsafe arena.withUnsafeBufferPointer { source in
        if let base = source.baseAddress, let target = copy.baseAddress {
          unsafe target.initialize(from: base + start, count: count)
        }
      }
      unsafe arena.append(contentsOf: copy)
    }
  }
}
