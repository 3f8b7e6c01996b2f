/// A hash table of indexes into an array that its owner keeps: open addressing, eight bytes a slot.
///
/// Half of each hash is kept beside the index, so that growing and removing need not look at what is indexed, and a
/// search rarely has to.
struct IndexTable: Sendable {
  private struct Slot {
    var hash: UInt32
    var index: UInt32
  }

  static let none = UInt32.max

  private var slots: [Slot] = []
  private(set) var count = 0

  /// The bytes it takes.
  var footprint: Int { slots.capacity * MemoryLayout<Slot>.stride }

  /// The first index under a hash that satisfies a condition; ``none`` when there is none.
  @inline(__always)
  func find(_ hash: UInt64, where matches: (UInt32) -> Bool) -> UInt32 {
    if slots.isEmpty { return Self.none }
    let mask = slots.count &- 1
    let short = UInt32(truncatingIfNeeded: hash &>> 32)
    var position = Int(short) & mask
    while true {
      let slot = slots[position]
      if slot.index == Self.none { return Self.none }
      if slot.hash == short, matches(slot.index) { return slot.index }
      position = (position &+ 1) & mask
    }
  }

  mutating func insert(_ hash: UInt64, _ index: UInt32) {
    if (count + 1) * 4 > slots.count * 3 { resize(max(16, slots.count * 2)) }
    count += 1
    place(Slot(hash: UInt32(truncatingIfNeeded: hash &>> 32), index: index))
  }

  /// Takes an index out; does nothing when it is not there.
  mutating func remove(_ hash: UInt64, _ index: UInt32) {
    if slots.isEmpty { return }
    let mask = slots.count &- 1
    let short = UInt32(truncatingIfNeeded: hash &>> 32)
    var position = Int(short) & mask
    while slots[position].index != index || slots[position].hash != short {
      if slots[position].index == Self.none { return }
      position = (position &+ 1) & mask
    }
    count -= 1
    // Moves up those behind that would not be found across a gap.
    var gap = position
    while true {
      position = (position &+ 1) & mask
      let slot = slots[position]
      if slot.index == Self.none { break }
      let home = Int(slot.hash) & mask
      if (position &- home) & mask >= (position &- gap) & mask {
        slots[gap] = slot
        gap = position
      }
    }
    slots[gap] = Slot(hash: 0, index: Self.none)
  }

  /// Empties the table and makes room.
  mutating func reset(capacity: Int) {
    var size = 16
    while size * 3 < capacity * 4 { size *= 2 }
    slots = Array(repeating: Slot(hash: 0, index: Self.none), count: size)
    count = 0
  }

  private mutating func resize(_ size: Int) {
    let old = slots
    slots = Array(repeating: Slot(hash: 0, index: Self.none), count: size)
    for slot in old where slot.index != Self.none { place(slot) }
  }

  private mutating func place(_ slot: Slot) {
    let mask = slots.count &- 1
    var position = Int(slot.hash) & mask
    while slots[position].index != Self.none { position = (position &+ 1) & mask }
    slots[position] = slot
  }
}
