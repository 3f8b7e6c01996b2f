internal import WireFormat

/// The entries of one source that are to become one.
final class Series {
  /// The name of the source; empty for those without, which their stream tells apart.
  let name: [UInt8]
  let stream: Int
  /// The entry whose other fields stay.
  var base = LogEntry()
  /// The texts joined so far, when there are several.
  private var text = WireWriter(capacity: 16)
  /// How many entries there are; 0 when no series is open.
  var count = 0
  /// Bytes of the joined text.
  var size = 0
  /// When it ends at the latest, in monotonic nanoseconds.
  var due: UInt64 = 0
  var hasMatched = false
  /// For each stream that entries came from, the first and the last byte of theirs.
  private var held: [LogSource] = []

  init(name: [UInt8], stream: Int) {
    self.name = name
    self.stream = stream
  }

  /// How many bytes it holds, about.
  var heldBytes: Int { count > 0 ? base.arena.count + text.count : 0 }

  /// Forgets the entries, and memory beyond what most entries need: there may be many sources.
  func clear() {
    if base.arena.capacity > 1 << 14 { base = LogEntry() } else { base.reset() }
    if text.capacity > 1 << 14 { text = WireWriter(capacity: 16) } else { text.removeAll() }
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
    let arena = base.arena
    text.write(arena.span, in: range)
  }

  func join(_ more: Span<UInt8>, with separator: [UInt8]) {
    if text.count > 0 { text.write(separator.span) }
    text.write(more)
    size = text.count
  }

  /// Makes the base the entry that all became.
  func finish(_ field: FieldPath) {
    if count > 1 {
      let joined = base.add(text.bytes)
      // A field that held a string can be set.
      try? base.set(base.textValue(joined), at: field)
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
  /// Positions by the hash of name and stream.
  private var positions: [Int: [Int]] = [:]
  private var current: Series?

  init(spare: Int) { self.spare = max(16, spare) }

  /// The series that an entry belongs to.
  mutating func series(of entry: borrowing LogEntry, by identifier: FieldPath) -> Series {
    let value = entry.value(at: identifier)
    let range = value?.range ?? WireRange(start: 0, end: 0)
    // A name holds over several streams, as when a file is rotated.
    let stream = range.isEmpty ? entry.source.stream : 0
    if let current, Self.isSeries(current, of: entry.text(range), stream) { return current }
    let series = series(named: entry.text(range), stream)
    current = series
    return series
  }

  private mutating func series(named name: Span<UInt8>, _ stream: Int) -> Series {
    let hash = Self.hash(name, stream)
    for position in positions[hash] ?? [] where Self.isSeries(all[position], of: name, stream) {
      return all[position]
    }
    if all.count >= openCount + 2 * spare { forgetClosed() }
    var bytes: [UInt8] = []
    for index in name.indices { bytes.append(name[index]) }
    let series = Series(name: bytes, stream: stream)
    all.append(series)
    positions[hash, default: []].append(all.count - 1)
    return series
  }

  private static func isSeries(_ series: Series, of name: Span<UInt8>, _ stream: Int) -> Bool {
    let own = series.name
    return series.stream == stream && own.span.hasSameBytes(as: name)
  }

  private static func hash(_ name: Span<UInt8>, _ stream: Int) -> Int {
    name.isEmpty ? stream : name.seededHash
  }

  /// Forgets the sources without an open series: files are rotated away, and connections end.
  private mutating func forgetClosed() {
    all.removeAll { $0.count == 0 }
    positions = [:]
    for (position, series) in all.enumerated() {
      let name = series.name
      positions[Self.hash(name.span, series.stream), default: []].append(position)
    }
  }
}
