internal import PipelineKit

/// What a table keeps of a stream.
protocol StreamState: Sendable {
  /// What stands in an entry that is not in use.
  static var vacant: Self { get }
  /// Bytes that the state takes elsewhere.
  var extraBytes: Int { get }
}

/// How much a ``StreamTable`` may hold.
struct StreamLimits: Sendable {
  /// The most streams.
  var streams: Int
  /// The most bytes, about.
  var bytes: Int
  /// How long a stream stays without being heard of; nil for as long as there is room.
  var staleness: Duration?
}

/// The states of streams: open addressing over entries, which a list holds in the order they were last heard of.
///
/// A stream costs one entry of a flat array and some four bytes of the slots; nothing of its points is kept.
struct StreamTable<State: StreamState> {
  private static var none: UInt32 { .max }

  private struct Entry {
    var id: StreamID
    var lastSeen: MonotonicInstant
    var state: State
    /// The entry heard of next after this one; of a vacant entry, the next vacant one.
    var newer: UInt32
    /// The entry heard of last before this one.
    var older: UInt32
  }

  private let limits: StreamLimits
  /// Positions in `entries`, at the place that the hash says or behind it.
  private var slots: [UInt32] = []
  private var entries: [Entry] = []
  private var firstVacant = Self.none
  private var newest = Self.none
  private var oldest = Self.none
  private var extraBytes = 0
  private(set) var count = 0

  init(_ limits: StreamLimits) { self.limits = limits }

  /// The bytes that the streams take.
  var footprint: Int { count * (MemoryLayout<Entry>.stride + 8) + extraBytes }

  private var mask: Int { slots.count - 1 }

  /// The place of a stream; nil when it is not known.
  func find(_ id: StreamID) -> Int? {
    if slots.isEmpty { return nil }
    var slot = Int(truncatingIfNeeded: id.low) & mask
    while slots[slot] != Self.none {
      let entry = Int(slots[slot])
      if entries[entry].id == id { return entry }
      slot = (slot &+ 1) & mask
    }
    return nil
  }

  /// Changes the state of a stream that is heard of now.
  mutating func update<Result>(
    _ place: Int, now: MonotonicInstant, _ body: (inout State) -> Result
  ) -> Result {
    let before = entries[place].state.extraBytes
    let result = body(&entries[place].state)
    extraBytes += entries[place].state.extraBytes - before
    entries[place].lastSeen = now
    if newest != UInt32(place) {
      unlink(place)
      linkAsNewest(place)
    }
    return result
  }

  /// Whether one more stream has room.
  func hasRoom(for state: State) -> Bool {
    count < limits.streams
      && footprint + MemoryLayout<Entry>.stride + 8 + state.extraBytes <= limits.bytes
  }

  /// Adds a stream that is not known.
  mutating func insert(_ id: StreamID, _ state: State, now: MonotonicInstant) {
    if (count + 1) * 4 > slots.count * 3 { grow() }
    let entry = Entry(id: id, lastSeen: now, state: state, newer: Self.none, older: Self.none)
    let place: Int
    if firstVacant != Self.none {
      place = Int(firstVacant)
      firstVacant = entries[place].newer
      entries[place] = entry
    } else {
      place = entries.count
      entries.append(entry)
    }
    occupySlot(id, place)
    linkAsNewest(place)
    extraBytes += state.extraBytes
    count += 1
  }

  /// Forgets the streams that were not heard of for too long.
  mutating func expire(now: MonotonicInstant) {
    guard let staleness = limits.staleness else { return }
    while oldest != Self.none, now - entries[Int(oldest)].lastSeen > staleness { removeOldest() }
  }

  /// Forgets the stream that was not heard of for the longest; false when there is none.
  @discardableResult
  mutating func removeOldest() -> Bool {
    if oldest == Self.none { return false }
    let place = Int(oldest)
    unlink(place)
    vacateSlot(entries[place].id)
    extraBytes -= entries[place].state.extraBytes
    entries[place].state = .vacant
    entries[place].newer = firstVacant
    firstVacant = UInt32(place)
    count -= 1
    if count == 0 { reset() }
    return true
  }

  /// Forgets all streams, and gives the memory back.
  mutating func removeAll() { reset() }

  private mutating func reset() {
    slots = []
    entries = []
    firstVacant = Self.none
    newest = Self.none
    oldest = Self.none
    extraBytes = 0
    count = 0
  }

  // The list.

  private mutating func linkAsNewest(_ place: Int) {
    entries[place].older = newest
    entries[place].newer = Self.none
    if newest != Self.none { entries[Int(newest)].newer = UInt32(place) }
    newest = UInt32(place)
    if oldest == Self.none { oldest = newest }
  }

  private mutating func unlink(_ place: Int) {
    let (newer, older) = (entries[place].newer, entries[place].older)
    if newer == Self.none { newest = older } else { entries[Int(newer)].older = older }
    if older == Self.none { oldest = newer } else { entries[Int(older)].newer = newer }
  }

  // The slots.

  private mutating func occupySlot(_ id: StreamID, _ place: Int) {
    var slot = Int(truncatingIfNeeded: id.low) & mask
    while slots[slot] != Self.none { slot = (slot &+ 1) & mask }
    slots[slot] = UInt32(place)
  }

  private mutating func grow() {
    slots = Array(repeating: Self.none, count: max(16, slots.count * 2))
    var place = oldest
    while place != Self.none {
      occupySlot(entries[Int(place)].id, Int(place))
      place = entries[Int(place)].newer
    }
  }

  /// Empties the slot of a stream, and moves up what stood behind it because of it.
  private mutating func vacateSlot(_ id: StreamID) {
    var hole = Int(truncatingIfNeeded: id.low) & mask
    while entries[Int(slots[hole])].id != id { hole = (hole &+ 1) & mask }
    var slot = hole
    while true {
      slot = (slot &+ 1) & mask
      if slots[slot] == Self.none { break }
      let home = Int(truncatingIfNeeded: entries[Int(slots[slot])].id.low) & mask
      // How far each stands from where it should: only what would not come before its home moves up.
      if (slot &- home) & mask >= (slot &- hole) & mask {
        slots[hole] = slots[slot]
        hole = slot
      }
    }
    slots[hole] = Self.none
  }
}
