internal import TelemetryData

/// Where a trace stands in a ``TraceIDTable``.
enum TracePlace {
  /// No place.
  static let none = UInt32.max
}

/// Values by trace id: a hash table with open addressing over one array, in which an id stands right before its value.
///
/// A value keeps its place until it is removed; then another may get it. Zero is no id. A seed keeps senders, who choose the ids, from
/// choosing some that collide.
struct TraceIDTable<Value> {
  private struct Entry {
    var id: TraceID
    var value: Value
  }

  /// Where an entry stands, and half of its id's hash: most ids that are not the one which is looked for show there, and
  /// what moves up needs no look at its id, which would be one access to memory more for each.
  private struct Slot {
    static var empty: Slot { Slot(hash: 0, place: TracePlace.none) }

    var hash: UInt32
    var place: UInt32
    var isEmpty: Bool { place == TracePlace.none }
  }

  private var entries: [Entry] = []
  private var free: [UInt32] = []
  private var slots: [Slot] = []
  private var mask = 0
  private(set) var count = 0
  private let seed: UInt64

  /// - Parameter expected: how many ids to make room for at once.
  init(seed: UInt64, expected: Int = 0) {
    self.seed = seed | 1
    entries.reserveCapacity(expected)
    rebuild(slots: max(16, expected.nextPowerOfTwo * 2))
  }

  /// Places in use or free to be used again.
  var places: Int { entries.count }

  /// What an id takes of memory, in bytes: its entry, and room in the table.
  static var bytesPerEntry: Int { MemoryLayout<Entry>.stride + 2 * MemoryLayout<Slot>.stride }

  func id(at place: UInt32) -> TraceID { entries[Int(place)].id }

  subscript(place: UInt32) -> Value {
    get { entries[Int(place)].value }
    _modify { yield &entries[Int(place)].value }
  }

  /// Where ids stand; ``TracePlace/none`` for those that are not there.
  ///
  /// Most of the time of a search is waiting for memory, and a processor waits for several searches at once if nothing
  /// else is done between them.
  func places(of ids: [TraceID]) -> [UInt32] { ids.map { place(of: $0) ?? TracePlace.none } }

  /// Where an id stands, after ids came and went since ``places(of:)`` said so.
  func place(of id: TraceID, once found: UInt32) -> UInt32? {
    if found != TracePlace.none, entries[Int(found)].id == id { return found }
    return place(of: id)
  }

  func place(of id: TraceID) -> UInt32? {
    let hash = hash(of: id)
    var position = Int(hash) & mask
    while true {
      let slot = slots[position]
      if slot.isEmpty { return nil }
      if slot.hash == hash, entries[Int(slot.place)].id == id { return slot.place }
      position = (position &+ 1) & mask
    }
  }

  /// Adds an id that is not there yet; its place is either a new one at the end or one that became free.
  mutating func insert(_ id: TraceID, _ value: Value) -> UInt32 {
    if (count + 1) * 3 > slots.count * 2 { rebuild(slots: slots.count * 2) }
    let place: UInt32
    if let last = free.popLast() {
      place = last
      entries[Int(place)] = Entry(id: id, value: value)
    } else {
      place = UInt32(truncatingIfNeeded: entries.count)
      entries.append(Entry(id: id, value: value))
    }
    put(Slot(hash: hash(of: id), place: place))
    count += 1
    return place
  }

  mutating func remove(_ place: UInt32) {
    var hole = Int(hash(of: entries[Int(place)].id)) & mask
    while slots[hole].place != place { hole = (hole &+ 1) & mask }
    // What follows moves up where that brings it nearer to its own place, so that no search ends early.
    var position = (hole &+ 1) & mask
    while !slots[position].isEmpty {
      let home = Int(slots[position].hash) & mask
      if (position &- home) & mask >= (position &- hole) & mask {
        slots[hole] = slots[position]
        hole = position
      }
      position = (position &+ 1) & mask
    }
    slots[hole] = .empty
    entries[Int(place)].id = TraceID(high: 0, low: 0)
    free.append(place)
    count -= 1
  }

  private func hash(of id: TraceID) -> UInt32 {
    let product = (id.low ^ seed).multipliedFullWidth(by: (id.high &* 0x9E37_79B9_7F4A_7C15 ^ seed) | 1)
    return UInt32(truncatingIfNeeded: product.high ^ product.low)
  }

  private mutating func put(_ slot: Slot) {
    var position = Int(slot.hash) & mask
    while !slots[position].isEmpty { position = (position &+ 1) & mask }
    slots[position] = slot
  }

  private mutating func rebuild(slots size: Int) {
    let old = slots
    slots = [Slot](repeating: .empty, count: size)
    mask = size - 1
    for slot in old where !slot.isEmpty { put(slot) }
  }
}

extension Int {
  fileprivate var nextPowerOfTwo: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
