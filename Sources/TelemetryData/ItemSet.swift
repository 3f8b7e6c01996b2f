/// A set of positions in a batch: of its items, or of its data points.
///
/// One bit each; what samplers and filters fill in and ``Batch/selecting(_:)`` reads.
public struct ItemSet: Sendable, Hashable {
  @usableFromInline
  var words: [UInt64]
  /// The number of positions, in the set or not.
  public let capacity: Int

  /// A set of none or of all the positions from 0 to a capacity.
  @inlinable
  public init(capacity: Int, all: Bool = false) {
    self.capacity = capacity
    words = [UInt64](repeating: all ? .max : 0, count: (capacity &+ 63) / 64)
    if all, capacity % 64 != 0 { words[words.count &- 1] = .max >> UInt64(64 &- capacity % 64) }
  }

  @inlinable
  public func contains(_ position: Int) -> Bool { words[position / 64] & (1 &<< UInt64(position % 64)) != 0 }

  @inlinable
  public mutating func insert(_ position: Int) { words[position / 64] |= 1 &<< UInt64(position % 64) }

  @inlinable
  public mutating func remove(_ position: Int) { words[position / 64] &= ~(1 &<< UInt64(position % 64)) }

  /// The number of positions in the set.
  @inlinable
  public var count: Int { words.reduce(0) { $0 &+ $1.nonzeroBitCount } }

  @inlinable
  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// Whether any position of a range is in the set.
  public func containsAny(of range: Range<Int>) -> Bool { range.contains(where: contains) }

  /// The positions that are not in the set.
  public func inverted() -> ItemSet {
    var result = ItemSet(capacity: capacity, all: true)
    for index in words.indices { result.words[index] &= ~words[index] }
    return result
  }
}
