internal import WireFormat

/// The series of one target, found by their raw bytes.
///
/// All text stands in one array and all entries in another, so that a series costs no allocation of its own and a target
/// that goes away takes two arrays with it.
struct SeriesTable: Sendable {
  static let none = IndexTable.none

  var entries: [SeriesEntry] = []
  /// Raw bytes of series and what follows them, and the attributes of points.
  private(set) var text: [UInt8] = []
  private var byKey = IndexTable()
  private var byIdentity = IndexTable()
  private let hash: SeriesHash
  private var firstFree = Self.none
  /// The entries in use.
  private(set) var count = 0
  /// Bytes of the text that nothing names any more.
  private(set) var garbage = 0

  init(seed: UInt64) { hash = SeriesHash(seed: seed) }

  /// The bytes it takes.
  var footprint: Int {
    entries.capacity * MemoryLayout<SeriesEntry>.stride + text.capacity + byKey.footprint
      + byIdentity.footprint
  }

  /// Whether much of the memory is for series that are gone.
  var isSparse: Bool {
    garbage > text.count / 4 + 65_536 || entries.count > count + count / 2 + 1024
  }

  // The text.

  @inline(__always)
  @_lifetime(borrow self)
  func key(_ index: UInt32) -> Span<UInt8> {
    let entry = entries[Int(index)]
    return bytes(entry.start, entry.keyLength)
  }

  @inline(__always)
  @_lifetime(borrow self)
  func extra(_ entry: SeriesEntry) -> Span<UInt8> {
    bytes(entry.start &+ entry.keyLength, entry.extraLength)
  }

  @inline(__always)
  @_lifetime(borrow self)
  func bytes(_ start: UInt32, _ length: UInt32) -> Span<UInt8> {
    text.span.extracting(Int(start)..<Int(start) + Int(length))
  }

  /// Puts bytes into the text, and says where they begin.
  mutating func append(_ source: Span<UInt8>) -> UInt32 {
    let start = text.count
    // Doubling would leave half of the text of a large target empty.
    let needed = start + source.count
    if needed > text.capacity { text.reserveCapacity(max(needed + needed / 8, 256)) }
    text.append(source)
    return UInt32(truncatingIfNeeded: start)
  }

  mutating func discard(_ length: Int) { garbage += length }

  /// Whether the text can take so many more bytes and still be addressed.
  func hasRoom(for length: Int) -> Bool { text.count + length < Int(Int32.max) }

  // Entries.

  /// The entry of these raw bytes whose role still holds; ``none`` when there is none.
  @inline(__always)
  func find(_ key: Span<UInt8>, isNative: Bool) -> UInt32 {
    byKey.find(hash(key)) { index in
      let entry = entries[Int(index)]
      return entry.flags.contains(.native) == isNative && !entry.flags.contains(.obsolete)
        && bytes(entry.start, entry.keyLength).hasSameBytes(as: key)
    }
  }

  /// The entry whose series has these labels in the end.
  func find(identity: UInt64) -> UInt32 {
    byIdentity.find(identity) { entries[Int($0)].identity == identity }
  }

  func identity(of bytes: Span<UInt8>) -> UInt64 { hash(bytes) }

  /// Adds an entry; its text is already there.
  mutating func insert(_ entry: SeriesEntry) -> UInt32 {
    let index: UInt32
    if firstFree != Self.none {
      index = firstFree
      firstFree = entries[Int(index)].link
      entries[Int(index)] = entry
    } else {
      index = UInt32(truncatingIfNeeded: entries.count)
      if entries.count == entries.capacity {
        entries.reserveCapacity(max(16, entries.count + entries.count / 4))
      }
      entries.append(entry)
    }
    count += 1
    byKey.insert(hash(bytes(entry.start, entry.keyLength)), index)
    return index
  }

  /// Makes an entry the one that stands for its labels.
  mutating func claimIdentity(_ index: UInt32) {
    byIdentity.insert(entries[Int(index)].identity, index)
  }

  mutating func releaseIdentity(_ index: UInt32) {
    byIdentity.remove(entries[Int(index)].identity, index)
  }

  /// Takes an entry out; whoever links to it must have let go of it.
  mutating func remove(_ index: UInt32) {
    let entry = entries[Int(index)]
    byKey.remove(hash(bytes(entry.start, entry.keyLength)), index)
    if entry.role.hasIdentity { byIdentity.remove(entry.identity, index) }
    garbage += Int(entry.keyLength) + Int(entry.extraLength)
    entries[Int(index)] = SeriesEntry()
    entries[Int(index)].link = firstFree
    firstFree = index
    count -= 1
  }

  /// Puts the entries in use side by side, without what is gone.
  ///
  /// - Returns: the new place of each entry; `none` for those that are gone. Text of others than entries is not kept:
  ///   their owner appends it again from the old text.
  mutating func compact() -> (places: [UInt32], oldText: [UInt8]) {
    var places = [UInt32](repeating: Self.none, count: entries.count)
    var kept: [SeriesEntry] = []
    kept.reserveCapacity(count + count / 16)
    for (index, entry) in entries.enumerated() where entry.role != .free {
      places[index] = UInt32(truncatingIfNeeded: kept.count)
      kept.append(entry)
    }
    let old = text
    text = []
    text.reserveCapacity(max(0, old.count - garbage))
    for index in kept.indices {
      let entry = kept[index]
      let length = entry.keyLength &+ entry.extraLength
      let start = Int(entry.start)
      kept[index].start = append(old.span.extracting(start..<start + Int(length)))
    }
    func place(_ index: UInt32) -> UInt32 {
      Int(index) < places.count ? places[Int(index)] : Self.none
    }
    byKey.reset(capacity: kept.count + kept.count / 8)
    var claimed = 0
    for index in kept.indices {
      kept[index].next = place(kept[index].next)
      kept[index].link = place(kept[index].link)
      byKey.insert(
        hash(bytes(kept[index].start, kept[index].keyLength)), UInt32(truncatingIfNeeded: index))
      if kept[index].role.hasIdentity { claimed += 1 }
    }
    let standing = kept.indices.filter { index in
      guard kept[index].role.hasIdentity else { return false }
      return place(find(identity: kept[index].identity)) == UInt32(truncatingIfNeeded: index)
    }
    byIdentity.reset(capacity: claimed + claimed / 8)
    for index in standing { byIdentity.insert(kept[index].identity, UInt32(truncatingIfNeeded: index)) }
    entries = kept
    firstFree = Self.none
    garbage = 0
    count = kept.count
    return (places, old)
  }
}
