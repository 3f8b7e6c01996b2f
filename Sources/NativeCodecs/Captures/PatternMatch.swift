/// Where the groups of a match lie; used again from match to match, so that none of them allocates.
package struct PatternMatch: Sendable {
  /// Two for each group, the whole first: where it begins and where it ends; ``nowhere`` when it took no part. Behind
  /// them room for an automaton's registers.
  @usableFromInline var places: [UInt32] = []
  /// How many groups there are, the whole match among them.
  package private(set) var count = 0

  @usableFromInline static let nowhere = UInt32.max

  package init() {}

  /// The bytes of a group, 0 being the whole match; nil when it took no part.
  @inlinable
  package subscript(group: Int) -> Range<Int>? {
    let (start, end) = (places[2 * group], places[2 * group + 1])
    return start <= end && end != Self.nowhere ? Int(start)..<Int(end) : nil
  }

  mutating func makeRoom(groups: Int, registers: Int) {
    count = groups
    let needed = max(2 * groups, registers)
    if places.count < needed { places = Array(repeating: Self.nowhere, count: needed) }
  }
}
