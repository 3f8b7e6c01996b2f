internal import TelemetryData
internal import WireFormat

/// Resources and scopes of the spans that are kept, each once however many requests bring it.
///
/// A scope names its resource. Both are everything their message holds besides the scopes or spans, so nothing is lost
/// that is not known here.
struct ContextTable {
  private struct Entry {
    var bytes: [UInt8]
    /// The place of the resource, or none for a resource.
    var parent: UInt32
    var hash: UInt64
    /// Another entry with the same hash.
    var next: UInt32
    /// Whether it is found by its hash.
    var isShared: Bool
    var references: Int
    /// The block that last noted it.
    var block = UInt32.max
    /// What the attributes of a resource say, see ``SpanConditions``.
    var facts: Facts
  }

  static let none = UInt32.max
  /// Entries of one hash: more would be a sender's doing, and are then not shared.
  private static let longestChain = 8

  private var entries: [Entry] = []
  private var free: [UInt32] = []
  private var places: [UInt64: UInt32] = [:]
  /// Bytes of memory that they take.
  private(set) var bytes = 0

  /// Bytes of a resource's or scope's fields.
  func size(_ place: UInt32) -> Int { entries[Int(place)].bytes.count }
  /// The resource of a scope.
  func resource(of scope: UInt32) -> UInt32 { entries[Int(scope)].parent }
  func facts(ofResource place: UInt32) -> Facts { entries[Int(place)].facts }
  func write(_ place: UInt32, to writer: inout WireWriter) {
    let bytes = entries[Int(place)].bytes
    writer.write(bytes.span)
  }

  /// The place of a resource or scope; the caller holds a reference until it calls ``release(_:)``.
  ///
  /// - Parameters:
  ///   - parent: the scope's resource; none for a resource.
  ///   - facts: what to note of a resource that is not there yet.
  mutating func place(of fields: [UInt8], parent: UInt32, facts: () -> Facts) -> UInt32 {
    let hash = BytesView(fields.span).hash &+ UInt64(parent) &* 0x9E37_79B9_7F4A_7C15
    let first = places[hash] ?? Self.none
    var (place, length) = (first, 0)
    while place != Self.none {
      let index = Int(place)
      if entries[index].parent == parent, entries[index].bytes == fields {
        entries[index].references += 1
        return place
      }
      place = entries[index].next
      length += 1
    }
    let isShared = length < Self.longestChain
    let entry = Entry(
      bytes: Array(fields[...]), parent: parent, hash: hash, next: isShared ? first : Self.none,
      isShared: isShared,
      references: 1, facts: facts())
    let new = add(entry)
    if isShared { places[hash] = new }
    if parent != Self.none { entries[Int(parent)].references += 1 }
    return new
  }

  private mutating func add(_ entry: Entry) -> UInt32 {
    bytes += Self.memory(of: entry)
    if let place = free.popLast() {
      entries[Int(place)] = entry
      return place
    }
    entries.append(entry)
    return UInt32(truncatingIfNeeded: entries.count - 1)
  }

  private static func memory(of entry: Entry) -> Int {
    MemoryLayout<Entry>.stride + entry.bytes.capacity + 32 + (entry.isShared ? 24 : 0)
  }

  /// Takes a reference for a block, once for several runs in a row; false when the block has it.
  mutating func note(_ place: UInt32, in block: UInt32) -> Bool {
    if entries[Int(place)].block == block { return false }
    entries[Int(place)].block = block
    entries[Int(place)].references += 1
    return true
  }

  /// Gives back the reference of a block.
  mutating func release(_ place: UInt32, from block: UInt32) {
    // The slot of the block gets another one: it must take a reference of its own.
    if entries[Int(place)].block == block { entries[Int(place)].block = .max }
    release(place)
  }

  mutating func release(_ place: UInt32) {
    let index = Int(place)
    entries[index].references -= 1
    if entries[index].references > 0 { return }
    bytes -= Self.memory(of: entries[index])
    let parent = entries[index].parent
    if entries[index].isShared { unlink(place) }
    entries[index].bytes = []
    entries[index].block = .max
    free.append(place)
    if parent != Self.none { release(parent) }
  }

  private mutating func unlink(_ place: UInt32) {
    let (hash, next) = (entries[Int(place)].hash, entries[Int(place)].next)
    guard var current = places[hash] else { return }
    if current == place {
      places[hash] = next == Self.none ? nil : next
      return
    }
    while entries[Int(current)].next != place {
      current = entries[Int(current)].next
      if current == Self.none { return }
    }
    entries[Int(current)].next = next
  }
}
