internal import WireFormat

/// The entries of one source that are to become one.
final class Series {
  /// What tells the source from others.
  let key: [UInt8]
  /// The entry whose other fields stay.
  var base = LogEntry()
  /// The texts joined so far, when there are several.
  private(set) var text: [UInt8] = []
  /// How many entries there are; 0 when no series is open.
  var count = 0
  /// Bytes of the joined text.
  var size = 0
  /// When it ends at the latest, in monotonic nanoseconds.
  var due: UInt64 = 0
  var hasMatched = false
  /// For each stream that entries came from, the first and the last byte of theirs.
  private var held: [LogSource] = []

  init(key: [UInt8]) { self.key = key }

  func clear() {
    base.reset()
    text.removeAll(keepingCapacity: true)
    if text.capacity > 1 << 16 { text = [] }
    count = 0
    size = 0
    hasMatched = false
    held.removeAll(keepingCapacity: true)
  }

  /// Remembers where an entry was read.
  func hold(_ source: LogSource) {
    if let last = held.indices.last, held[last].stream == source.stream {
      held[last].start = min(held[last].start, source.start)
      held[last].end = max(held[last].end, source.end)
    } else if let index = held.firstIndex(where: { $0.stream == source.stream }) {
      held[index].start = min(held[index].start, source.start)
      held[index].end = max(held[index].end, source.end)
    } else {
      held.append(source)
    }
  }

  func start(of stream: Int) -> UInt64? { held.first { $0.stream == stream }?.start }

  /// Takes the text out of the first entry, before a second one joins.
  func begin(from field: FieldPath) {
    guard let range = base.value(at: field)?.range else { return }
    text.append(contentsOf: base.arena[range.range])
  }

  func join(_ more: Span<UInt8>, with separator: [UInt8]) {
    if !text.isEmpty { text.append(contentsOf: separator) }
    for index in more.indices { text.append(more[index]) }
    size = text.count
  }

  /// Makes the base the entry that all became.
  func finish(_ field: FieldPath) {
    if count > 1 {
      let joined = LogValue.string(base.add(text.span))
      // A field that held a string can be set.
      try? base.set(joined, at: field)
    }
    if let first = held.first { base.source = first }
  }
}

/// The series of all sources, open or not.
struct SeriesTable {
  /// In the order in which the sources were first seen.
  private(set) var all: [Series] = []
  /// How many are open.
  var openCount = 0
  /// How many that are not open are kept for later.
  private let spare: Int
  /// Positions by the hash of the key; of equal hashes the newest, and behind it the earlier ones.
  private var positions: [Int: [Int]] = [:]
  private var current: Series?
  private var key: [UInt8] = []

  init(spare: Int) { self.spare = max(16, spare) }

  /// The series that an entry belongs to.
  mutating func series(of entry: borrowing LogEntry, by identifier: FieldPath) -> Series {
    key.removeAll(keepingCapacity: true)
    let name = entry.value(at: identifier)
    if let name, name.kind == .string, !name.range.isEmpty {
      key.append(1)
      key.append(contentsOf: entry.arena[name.range.range])
    } else {
      let stream = UInt64(bitPattern: Int64(entry.source.stream))
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        key.append(UInt8(truncatingIfNeeded: stream >> shift))
      }
    }
    if let current, current.key == key { return current }
    let series = find() ?? make()
    current = series
    return series
  }

  private func find() -> Series? {
    guard let candidates = positions[Self.hash(of: key)] else { return nil }
    for position in candidates where all[position].key == key { return all[position] }
    return nil
  }

  private mutating func make() -> Series {
    if all.count >= openCount + 2 * spare { forgetClosed() }
    let series = Series(key: key)
    all.append(series)
    positions[Self.hash(of: key), default: []].append(all.count - 1)
    return series
  }

  private static func hash(of key: [UInt8]) -> Int { key.span.seededHash }

  /// Forgets the sources without an open series: files are rotated away, and connections end.
  private mutating func forgetClosed() {
    all.removeAll { $0.count == 0 }
    positions = [:]
    for (position, series) in all.enumerated() {
      positions[Self.hash(of: series.key), default: []].append(position)
    }
  }
}
