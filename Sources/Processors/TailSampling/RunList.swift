/// Where a run of spans stands in a ``SpanStore``.
struct RunPlace: Equatable {
  var block: UInt32
  var offset: UInt32

  static let none = RunPlace(block: .max, offset: 0)
}

/// The runs of one trace, in the order in which they came: the first, and where the others are in ``RunChunks``.
struct RunList {
  fileprivate var first = RunPlace.none
  fileprivate var head = RunChunks.none
  fileprivate var tail = RunChunks.none

  var isEmpty: Bool { first == .none }
}

/// The runs of all traces but the first of each, in pieces of a cache line.
///
/// A trace is decided about long after its spans came, when nothing of them is in the processor's caches: links between
/// the spans themselves would cost one access to memory for each.
struct RunChunks {
  static let none = UInt32.max
  private static let room = 7

  private struct Chunk {
    var places = InlineArray<7, RunPlace>(repeating: .none)
    var count: UInt32 = 0
    var next = RunChunks.none
  }

  private var chunks: [Chunk] = []
  /// The first of those that can be used again.
  private var free = Self.none
  private var used = 0

  /// Bytes of memory that they take.
  var bytes: Int { used * MemoryLayout<Chunk>.stride }

  mutating func append(_ place: RunPlace, to list: inout RunList) {
    if list.isEmpty {
      list.first = place
      return
    }
    if list.tail == Self.none || chunks[Int(list.tail)].count == Self.room {
      let new = take()
      if list.tail == Self.none { list.head = new } else { chunks[Int(list.tail)].next = new }
      list.tail = new
    }
    let tail = Int(list.tail)
    chunks[tail].places[Int(chunks[tail].count)] = place
    chunks[tail].count += 1
  }

  /// Empties a list, and gives what was in it.
  mutating func removeAll(of list: inout RunList, _ body: (RunPlace) -> Void) {
    if list.isEmpty { return }
    body(list.first)
    var position = list.head
    while position != Self.none {
      let chunk = chunks[Int(position)]
      for index in 0..<Int(chunk.count) { body(chunk.places[index]) }
      chunks[Int(position)].next = free
      free = position
      used -= 1
      position = chunk.next
    }
    list = RunList()
  }

  private mutating func take() -> UInt32 {
    used += 1
    if free == Self.none {
      chunks.append(Chunk())
      return UInt32(truncatingIfNeeded: chunks.count - 1)
    }
    let place = free
    free = chunks[Int(place)].next
    chunks[Int(place)].count = 0
    chunks[Int(place)].next = Self.none
    return place
  }
}
