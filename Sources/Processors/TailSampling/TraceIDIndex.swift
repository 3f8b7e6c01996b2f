internal import TelemetryData

/// Finds small numbers by trace id: a hash table with open addressing over ids that stand in one array.
///
/// Places are reused, so what belongs to an id is kept in an array beside it, at the same place. A seed keeps senders,
/// who choose the ids, from choosing some that collide.
struct TraceIDIndex {
  /// No place.
  static let none = UInt32.max

  private var ids: [TraceID] = []
  private var free: [UInt32] = []
  private var slots: [UInt32] = []
  private var mask = 0
  private(set) var count = 0
  private let seed: UInt64

  /// - Parameter expected: how many ids to make room for at once.
  init(seed: UInt64, expected: Int = 0) {
    self.seed = seed | 1
    ids.reserveCapacity(expected)
    rebuild(slots: max(16, expected.nextPowerOfTwo * 2))
  }

  /// Places in use or free to be used again.
  var places: Int { ids.count }

  func id(at place: UInt32) -> TraceID { ids[Int(place)] }

  func place(of id: TraceID) -> UInt32? {
    var slot = slot(of: id)
    while true {
      let place = slots[slot]
      if place == Self.none { return nil }
      if ids[Int(place)] == id { return place }
      slot = (slot &+ 1) & mask
    }
  }

  /// Adds an id that is not there yet; its place is either a new one at the end or one that became free.
  mutating func insert(_ id: TraceID) -> UInt32 {
    if (count + 1) * 3 > slots.count * 2 { rebuild(slots: slots.count * 2) }
    let place: UInt32
    if let last = free.popLast() {
      place = last
      ids[Int(place)] = id
    } else {
      place = UInt32(truncatingIfNeeded: ids.count)
      ids.append(id)
    }
    put(place, id)
    count += 1
    return place
  }

  mutating func remove(_ place: UInt32) {
    var hole = slot(of: ids[Int(place)])
    while slots[hole] != place { hole = (hole &+ 1) & mask }
    // What follows moves up where that brings it nearer to its own slot, so that no search ends early.
    var slot = (hole &+ 1) & mask
    while slots[slot] != Self.none {
      let home = self.slot(of: ids[Int(slots[slot])])
      if (slot &- home) & mask >= (slot &- hole) & mask {
        slots[hole] = slots[slot]
        hole = slot
      }
      slot = (slot &+ 1) & mask
    }
    slots[hole] = Self.none
    free.append(place)
    count -= 1
  }

  private func slot(of id: TraceID) -> Int {
    let product = (id.low ^ seed).multipliedFullWidth(by: (id.high &* 0x9E37_79B9_7F4A_7C15 ^ seed) | 1)
    return Int(truncatingIfNeeded: product.high ^ product.low) & mask
  }

  private mutating func put(_ place: UInt32, _ id: TraceID) {
    var slot = slot(of: id)
    while slots[slot] != Self.none { slot = (slot &+ 1) & mask }
    slots[slot] = place
  }

  private mutating func rebuild(slots size: Int) {
    let old = slots
    slots = [UInt32](repeating: Self.none, count: size)
    mask = size - 1
    for place in old where place != Self.none { put(place, ids[Int(place)]) }
  }
}

extension Int {
  fileprivate var nextPowerOfTwo: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
