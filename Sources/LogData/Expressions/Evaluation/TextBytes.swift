internal import WireFormat

extension Span where Element == UInt8 {
  /// Whether it comes before another in the order of bytes.
  func isBefore(_ other: Span<UInt8>) -> Bool {
    let common = Swift.min(count, other.count)
    var position = 0
    while position < common {
      if self[position] != other[position] { return self[position] < other[position] }
      position &+= 1
    }
    return count < other.count
  }

  func begins(with prefix: Span<UInt8>) -> Bool {
    prefix.count <= count && extracting(first: prefix.count).hasSameBytes(as: prefix)
  }

  func ends(with suffix: Span<UInt8>) -> Bool {
    suffix.count <= count && extracting(last: suffix.count).hasSameBytes(as: suffix)
  }
}

extension Span where Element == UInt8 {
  /// The first byte; 0 when there is none.
  var firstByte: UInt8 { isEmpty ? 0 : self[0] }
  /// The last byte; 0 when there is none.
  var lastByte: UInt8 { isEmpty ? 0 : self[count - 1] }
}
