internal import PipelineKit
internal import TelemetryData

/// A trace that is waited for, or that was decided about a while ago.
struct PendingTrace {
  enum State: UInt8 { case pending, sampled, notSampled }

  var state = State.pending
  var hasRoot = false
  /// Which line of the ledger its late spans belong to.
  var verdict: UInt16 = 0
  var spans: UInt32 = 0
  /// Of its spans with the resources and scopes that came with them.
  var bytes = 0
  var facts: Facts = 0
  /// The earliest start and the latest end, in nanoseconds since the epoch; 0 is none.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// When its first span came.
  let arrival: MonotonicInstant
  /// How many traces came before it.
  let serial: UInt64
  /// When it is decided about, or was.
  var due: MonotonicInstant
  var runs = RunList()
  /// The scope of its latest run.
  var context = ContextTable.none
  /// Neighbours in the order in which traces came.
  var older = TracePlace.none
  var newer = TracePlace.none

  init(arrival: MonotonicInstant, serial: UInt64, due: MonotonicInstant) {
    self.arrival = arrival
    self.serial = serial
    self.due = due
  }

  mutating func add(_ reading: SpanConditions.Reading) {
    spans &+= 1
    facts |= reading.facts
    if reading.start != 0, start == 0 || reading.start < start { start = reading.start }
    if reading.end > end { end = reading.end }
    if reading.isRoot { hasRoot = true }
  }

  func summary(_ id: TraceID) -> TraceSummary {
    let nanoseconds = start != 0 && end > start ? end - start : 0
    return TraceSummary(
      id: id, facts: facts, milliseconds: Int64(nanoseconds / 1_000_000), spans: Int(spans), bytes: bytes)
  }
}

/// The traces of a sampler by their ids, and in the order in which they came.
struct TraceTable {
  /// What a trace takes of memory besides its spans, in bytes.
  static let bytesPerTrace = TraceIDTable<PendingTrace>.bytesPerEntry

  private var entries: TraceIDTable<PendingTrace>
  private var made: UInt64 = 0
  private(set) var oldest = TracePlace.none
  private var newest = TracePlace.none
  /// The oldest that is not decided.
  private(set) var oldestPending = TracePlace.none
  private(set) var pendingCount = 0
  /// Traces whose root came, in the order in which they are due; some are decided by now.
  private var hastened: [(place: UInt32, serial: UInt64, due: MonotonicInstant)] = []
  private var firstHastened = 0

  /// - Parameter expected: how many traces to make room for at once.
  init(seed: UInt64, expected: Int) {
    entries = TraceIDTable(seed: seed, expected: expected)
  }

  var count: Int { entries.count }

  func places(of ids: [TraceID]) -> [UInt32] { entries.places(of: ids) }
  func place(of id: TraceID, once found: UInt32) -> UInt32? { entries.place(of: id, once: found) }
  func id(at place: UInt32) -> TraceID { entries.id(at: place) }

  subscript(place: UInt32) -> PendingTrace {
    get { entries[place] }
    _modify { yield &entries[place] }
  }

  mutating func insert(_ id: TraceID, at now: MonotonicInstant, wait: Duration) -> UInt32 {
    var entry = PendingTrace(arrival: now, serial: made, due: now + wait)
    made += 1
    entry.older = newest
    let place = entries.insert(id, entry)
    if newest != TracePlace.none { entries[newest].newer = place }
    newest = place
    if oldest == TracePlace.none { oldest = place }
    if oldestPending == TracePlace.none { oldestPending = place }
    pendingCount += 1
    return place
  }

  /// Notes that the root span of a trace came: it is decided about so long after, unless it is anyway before.
  mutating func hasten(_ place: UInt32, to due: MonotonicInstant) {
    guard due < entries[place].due else { return }
    entries[place].due = due
    hastened.append((place, entries[place].serial, due))
  }

  /// The pending trace that is due next; of several the one that came first.
  mutating func nextDue() -> (place: UInt32, due: MonotonicInstant)? {
    guard oldestPending != TracePlace.none else { return nil }
    let first = entries[oldestPending]
    while firstHastened < hastened.count {
      let next = hastened[firstHastened]
      let entry = entries[next.place]
      guard entry.serial == next.serial, entry.state == .pending else {
        firstHastened += 1
        continue
      }
      if (next.due, next.serial) < (first.due, first.serial) { return (next.place, next.due) }
      break
    }
    if firstHastened > 1024, firstHastened * 2 > hastened.count {
      hastened.removeFirst(firstHastened)
      firstHastened = 0
    }
    return (oldestPending, first.due)
  }

  /// Notes that a trace is decided.
  mutating func settle(_ place: UInt32, _ state: PendingTrace.State, at now: MonotonicInstant) {
    entries[place].state = state
    entries[place].due = now
    pendingCount -= 1
    guard place == oldestPending else { return }
    var next = entries[place].newer
    while next != TracePlace.none, entries[next].state != .pending { next = entries[next].newer }
    oldestPending = next
  }

  /// Forgets a trace that is decided.
  mutating func remove(_ place: UInt32) {
    let (older, newer) = (entries[place].older, entries[place].newer)
    if older == TracePlace.none { oldest = newer } else { entries[older].newer = newer }
    if newer == TracePlace.none { newest = older } else { entries[newer].older = older }
    entries.remove(place)
  }
}
