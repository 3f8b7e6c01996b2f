extension Span where Element == UInt8 {
  /// Whether two spans hold the same bytes.
  @inlinable
  public func hasSameBytes(as other: Span<UInt8>) -> Bool {
    let count = self.count
    if count != other.count { return false }
    if count < 8 {
      var position = 0
      while position < count {
        if self[position] != other[position] { return false }
        position &+= 1
      }
      return true
    }
    var position = 0
    while position &+ 8 <= count {
      if loadUInt64(at: position) != other.loadUInt64(at: position) { return false }
      position &+= 8
    }
    // The last eight bytes once more, overlapping those compared before.
    return loadUInt64(at: count &- 8) == other.loadUInt64(at: count &- 8)
  }
}
