internal import WireFormat

/// Lines whose last part has not come yet, at most one for each file and stream.
///
/// The entry of the first part is kept; of the others only the text.
struct SplitLines {
  /// What the parts of one line have in common: file and stream.
  struct Key: Equatable {
    /// Compared first.
    private let hash: Int
    /// The path of the file, a zero byte, the stream.
    private let bytes: [UInt8]
    /// The number of the file or connection where there is no path.
    private var source = -1

    init(path: WireRange?, stream: WireRange, of entry: borrowing LogEntry) {
      var bytes: [UInt8] = []
      if let path {
        // The same path is the same log: its file may have been rotated between two parts.
        bytes.append(contentsOf: entry.arena[path.range])
      } else {
        source = entry.source.stream
      }
      bytes.append(0)
      bytes.append(contentsOf: entry.arena[stream.range])
      hash = bytes.span.seededHash
      self.bytes = bytes
    }
  }

  enum Outcome {
    case held
    /// The entry is the whole line now; what a block could not do with it.
    case complete(LogOperatorError?)
  }

  fileprivate struct Held {
    var key: Key
    var entry: LogEntry
    /// Where the text stands in the entry's arena; it grows at its end.
    var text: WireRange
    var failure: LogOperatorError?
    /// Monotonic nanoseconds.
    var due: UInt64
    /// The parts that did not come from the stream of the first.
    var otherStreams: [Int: UInt64] = [:]
  }

  /// In the order of their first parts.
  private var held: [Held] = []
  private let maxSize: Int
  private(set) var heldBytes = 0
  /// Entries not in use, whose memory is.
  private var spare: [LogEntry] = []

  /// How long the parts of a line may be apart, from the first on: the Collector's five seconds.
  static let patience: UInt64 = 5_000_000_000
  /// How many lines may be held, as in the Collector.
  static let maxLines = 1_000

  /// - Parameter maxSize: bytes above which a line goes on; 0 for as many as an entry can hold.
  init(maxSize: Int) { self.maxSize = maxSize == 0 ? Int(Int32.max) : min(maxSize, Int(Int32.max)) }

  var isEmpty: Bool { held.isEmpty }
  var nextDue: UInt64? { held.first?.due }

  /// Adds a part, whose text is the entry's body.
  mutating func add(
    _ entry: inout LogEntry, key: Key, isLast: Bool, failure: LogOperatorError?, now: UInt64,
    emit: (inout LogEntry) -> Void
  ) -> Outcome {
    guard let position = held.firstIndex(where: { $0.key == key }) else {
      if isLast || entry.body.range.count > maxSize { return .complete(failure) }
      if held.count == Self.maxLines { release(0, emit) }
      var kept = spare.popLast() ?? LogEntry()
      swap(&kept, &entry)
      let text = kept.bodyAtEnd()
      heldBytes += kept.arena.count
      held.append(
        Held(key: key, entry: kept, text: text, failure: failure, due: now &+ Self.patience))
      return .held
    }
    heldBytes += entry.body.range.count
    let end = held[position].entry.add(entry.text(entry.body.range)).upperBound
    held[position].text = WireRange(held[position].text.lowerBound, end)
    held[position].note(entry.source)
    if !isLast && held[position].text.count <= maxSize { return .held }
    var line = remove(position)
    swap(&entry, &line.entry)
    keep(&line.entry)
    return .complete(line.failure)
  }

  private mutating func keep(_ entry: inout LogEntry) {
    if spare.count == 4 || entry.arena.count > 1 << 16 { return }
    entry.reset()
    spare.append(entry)
  }

  private mutating func remove(_ position: Int) -> Held {
    var line = held.remove(at: position)
    heldBytes -= line.entry.arena.count
    line.entry.body = .string(line.text)
    return line
  }

  private mutating func release(_ position: Int, _ emit: (inout LogEntry) -> Void) {
    var line = remove(position)
    emit(&line.entry)
    keep(&line.entry)
  }

  mutating func expire(now: UInt64, emit: (inout LogEntry) -> Void) {
    while let first = held.first, first.due <= now { release(0, emit) }
  }

  mutating func flush(emit: (inout LogEntry) -> Void) {
    while !held.isEmpty { release(0, emit) }
  }

  func oldestHeld(stream: Int) -> UInt64? {
    held.compactMap { $0.oldest(of: stream) }.min()
  }
}

extension SplitLines.Held {
  /// The offset of the first part that came from a stream; nil when none did.
  fileprivate func oldest(of stream: Int) -> UInt64? {
    entry.source.stream == stream ? entry.source.start : otherStreams[stream]
  }

  /// Takes note of where a further part came from.
  fileprivate mutating func note(_ source: LogSource) {
    if source.stream == entry.source.stream {
      entry.source.end = source.end
    } else if otherStreams[source.stream] == nil {
      otherStreams[source.stream] = source.start
    }
  }
}

extension LogEntry {
  /// Puts the text of the body at the end of the arena, where it can grow.
  fileprivate mutating func bodyAtEnd() -> WireRange {
    let range = body.range
    if range.upperBound == arena.count { return range }
    let start = arena.count
    repeatArena(from: range.lowerBound, to: range.upperBound)
    body = .string(WireRange(start, arena.count))
    return body.range
  }
}
