internal import PipelineKit
internal import TelemetryData
internal import WireFormat

/// Keeps the spans of traces until these are decided about.
///
/// A state without time or tasks of its own: whoever owns it says what the time is, and sends on what comes out.
/// Everything that can make output stops when a batch of it is complete, so that no more than one is held twice.
struct TailSampler: ~Copyable {
  /// What limits it.
  struct Limits {
    var decisionWait: Duration
    /// Zero waits no shorter once the root span is there.
    var waitAfterRoot: Duration
    var traces: Int
    /// Of memory for traces and their spans.
    var bytes: Int
    /// A larger trace is dropped; nil for none.
    var traceBytes: Int?
    var sampledCache = 0
    var notSampledCache = 0
    /// How many traces to make room for at once.
    var expectedTraces = 0

    /// A trace that takes more than this of the memory is decided about at once, so that there is room for others.
    var greedyBytes: Int { bytes / 8 }
    /// Decisions are taken at multiples of this, a small part of the wait: a wake-up for each trace would cost more than
    /// the decision.
    var tick: Duration {
      let shortest = waitAfterRoot > .zero ? min(decisionWait, waitAfterRoot) : decisionWait
      let ofShort = min(max(shortest / 10, .milliseconds(1)), .milliseconds(100))
      return max(ofShort, min(shortest / 50, .milliseconds(500)))
    }
    /// Small enough that a part of a block which is not in use matters little.
    var blockSize: Int { min(max(bytes / 64, 16 << 10), 256 << 10) }
  }

  private let limits: Limits
  private let tick: Int64
  private let policies: PolicySet
  private let meters: TailSamplingMeters
  private let books: SamplingBooks
  private let clock: any PipelineClock
  private var store: SpanStore
  private var table: TraceTable
  private var sampledCache: DecisionCache
  private var notSampledCache: DecisionCache
  private var output = SpanOutput()
  private var tally: PolicySet.Tally

  init(_ limits: Limits, policies: PolicySet, meters: TailSamplingMeters, context: ComponentContext) {
    self.limits = limits
    tick = limits.tick.wholeNanoseconds
    self.policies = policies
    tally = PolicySet.Tally(policies)
    self.meters = meters
    books = SamplingBooks(context, policies: policies.entries.map(\.name))
    clock = context.clock
    store = SpanStore(blockSize: limits.blockSize)
    let seed = UInt64(context.randomness.unit() * 0x1p63)
    table = TraceTable(seed: seed, expected: limits.expectedTraces)
    sampledCache = DecisionCache(capacity: limits.sampledCache, seed: seed)
    notSampledCache = DecisionCache(capacity: limits.notSampledCache, seed: seed)
  }

  /// Bytes of memory that traces and their spans take.
  private var heldBytes: Int { store.bytes + table.count * TraceTable.bytesPerTrace }
  /// Bytes of memory that it takes.
  var bytes: Int {
    heldBytes + (sampledCache.count + notSampledCache.count) * DecisionCache.bytesPerID
  }

  var traceCount: Int { table.count }
  var pendingTraces: Int { table.pendingCount }
  /// How many bytes too many are held for another block and what comes with it; nil when there is room.
  private var excess: Int? {
    let excess = heldBytes + limits.blockSize + 4096 - limits.bytes
    return excess > 0 ? excess : nil
  }

  // MARK: Spans

  /// Takes the spans of a batch from `position` on; false when it stopped, because output is complete, and `position`
  /// says where.
  ///
  /// - Parameter late: gets the spans of traces that were decided to be kept.
  mutating func take(_ batch: Batch, from position: inout Int, at now: MonotonicInstant, late: inout Batch?)
    -> Bool
  {
    var reader = BatchReader(batch, conditions: policies.conditions)
    defer { reader.finish(&store) }
    var kept: ItemSet?
    var isDone = true
    let ids = reader.traceIDs()
    let places = table.places(of: ids)
    var item = position
    while item < ids.count {
      let id = ids[item]
      if id.high | id.low == 0 {
        books.withoutID(1)
        item += 1
        continue
      }
      let end = reader.endOfRun(from: item, ids: ids)
      switch holder(of: id, once: places[item], spans: end - item, at: now) {
      case .blocked: isDone = false
      case .pending(let place): add(item..<end, to: place, from: &reader, at: now)
      case .sampled:
        if kept == nil { kept = ItemSet(capacity: ids.count) }
        for item in item..<end { kept?.insert(item) }
      case .notSampled(let verdict): books.notSampled(end - item, verdict: verdict)
      }
      if !isDone { break }
      item = end
    }
    position = item
    if let kept { late = batch.selecting(kept) }
    return isDone
  }

  private enum Holder {
    case pending(UInt32)
    case sampled
    case notSampled(UInt16)
    /// There is no room before output was taken.
    case blocked
  }

  /// - Parameter found: where the trace stood when the batch came.
  private mutating func holder(
    of id: TraceID, once found: UInt32, spans: Int, at now: MonotonicInstant
  ) -> Holder {
    while let excess, table.count > 0 {
      if output.isFull || output.bytes >= excess { return .blocked }
      forgetOldest(because: .bytes, at: now)
    }
    if let place = table.place(of: id, once: found) {
      let trace = table[place]
      if trace.state == .pending { return .pending(place) }
      meters.lateSpanSeconds.record(Int((now - trace.due).wholeNanoseconds / 1_000_000_000))
      return trace.state == .sampled ? .sampled : .notSampled(trace.verdict)
    }
    if sampledCache.contains(id) {
      meters.releasedFromCache(spans, isSampled: true)
      return .sampled
    }
    if notSampledCache.contains(id) {
      meters.releasedFromCache(spans, isSampled: false)
      return .notSampled(SamplingBooks.noPolicy)
    }
    while table.count >= limits.traces {
      if output.isFull { return .blocked }
      forgetOldest(because: .traces, at: now)
    }
    meters.newTraces.add()
    return .pending(table.insert(id, at: now, wait: limits.decisionWait))
  }

  /// Keeps neighbouring spans of a trace.
  private mutating func add(
    _ items: Range<Int>, to place: UInt32, from reader: inout BatchReader, at now: MonotonicInstant
  ) {
    var trace = table[place]
    for item in items {
      trace.add(policies.conditions.read(reader.message(at: item), known: trace.facts))
    }
    reader.store(items, of: &trace, in: &store)
    table[place] = trace
    if limits.waitAfterRoot > .zero, trace.hasRoot { table.hasten(place, to: now + limits.waitAfterRoot) }
    if let most = limits.traceBytes, trace.bytes > most {
      dropTooLarge(place, at: now)
    } else if trace.bytes > limits.greedyBytes {
      decideEarly(place, because: .greed, at: now)
    }
  }

  // MARK: Decisions

  /// When it next has to decide; nil while nothing waits.
  mutating func nextDeadline() -> MonotonicInstant? {
    table.nextDue().map { firstTick(from: $0.due.nanoseconds) }
  }

  /// The next time at which it may have to decide; nil while nothing waits. Spans should be taken at least as often:
  /// their traces wait from then on.
  func nextTick(after now: MonotonicInstant) -> MonotonicInstant? {
    table.pendingCount > 0 ? firstTick(from: now.nanoseconds + 1) : nil
  }

  private func firstTick(from nanoseconds: Int64) -> MonotonicInstant {
    let late = nanoseconds % tick
    if late == 0 { return MonotonicInstant(nanoseconds: nanoseconds) }
    let (sum, overflow) = nanoseconds.addingReportingOverflow(tick - late)
    return MonotonicInstant(nanoseconds: overflow ? .max : sum)
  }

  /// Decides about the traces that are due; false when it stopped, because output is complete.
  mutating func decideDue(at now: MonotonicInstant) -> Bool {
    let time = time(now)
    var (isDone, decided) = (true, 0)
    while let next = nextDeadline(), next <= now, let trace = table.nextDue() {
      if output.isFull {
        isDone = false
        break
      }
      decide(trace.place, at: time)
      decided += 1
    }
    if decided > 0 {
      meters.tickMilliseconds.record(Int((clock.now - now).wholeNanoseconds / 1_000_000))
    }
    return isDone
  }

  /// Decides about all traces, in the order in which they came; false when it stopped, because output is complete.
  mutating func decideAll(at now: MonotonicInstant) -> Bool {
    let time = time(now)
    while table.oldestPending != TracePlace.none {
      if output.isFull { return false }
      decide(table.oldestPending, at: time)
    }
    return true
  }

  /// Gives up all traces that are not decided about.
  mutating func dropAll(at now: MonotonicInstant) {
    while table.oldestPending != TracePlace.none {
      let place = table.oldestPending
      books.droppedAtEnd(Int(table[place].spans))
      store.release(&table[place].runs)
      table.settle(place, .notSampled, at: now)
    }
  }

  private func time(_ now: MonotonicInstant) -> DecisionTime {
    DecisionTime(monotonic: now, unixSecond: clock.unixNanoseconds / 1_000_000_000)
  }

  private mutating func decide(_ place: UInt32, at time: DecisionTime) {
    let id = table.id(at: place)
    let spans = Int(table[place].spans)
    let verdict = policies.decide(table[place].summary(id), at: time, counting: &tally)
    meters.decided(verdict.decision)
    if verdict.decision == .sampled {
      output.add(&table[place].runs, from: &store)
      settle(place, .sampled, id, at: time.monotonic)
    } else {
      let line = books.verdict(verdict.policy)
      books.notSampled(spans, verdict: line)
      store.release(&table[place].runs)
      table[place].verdict = line
      settle(place, .notSampled, id, at: time.monotonic)
    }
  }

  private mutating func decideEarly(
    _ place: UInt32, because reason: SamplingBooks.Shortage, at now: MonotonicInstant
  ) {
    meters.tooEarly.add()
    books.decidedEarly(reason)
    decide(place, at: time(now))
  }

  private mutating func dropTooLarge(_ place: UInt32, at now: MonotonicInstant) {
    meters.tooLarge.add()
    books.notSampled(Int(table[place].spans), verdict: books.tooLarge)
    store.release(&table[place].runs)
    table[place].verdict = books.tooLarge
    settle(place, .notSampled, table.id(at: place), at: now)
  }

  /// Remembers a decision: in a cache where there is one for it, else in the table for as long as there is room.
  private mutating func settle(
    _ place: UInt32, _ state: PendingTrace.State, _ id: TraceID, at now: MonotonicInstant
  ) {
    table.settle(place, state, at: now)
    if state == .sampled ? sampledCache.insert(id) : notSampledCache.insert(id) { remove(place, at: now) }
  }

  private mutating func forgetOldest(because reason: SamplingBooks.Shortage, at now: MonotonicInstant) {
    let place = table.oldest
    let serial = table[place].serial
    if table[place].state == .pending { decideEarly(place, because: reason, at: now) }
    if table.oldest == place, table[place].serial == serial { remove(place, at: now) }
  }

  private mutating func remove(_ place: UInt32, at now: MonotonicInstant) {
    meters.removalSeconds.record(Int((now - table[place].arrival).wholeNanoseconds / 1_000_000_000))
    table.remove(place)
  }

  // MARK: Output

  /// Shows what is in memory, and what was decided.
  mutating func report() {
    tally.publish(policies)
    meters.tracesInMemory.set(table.count)
    meters.bytesInMemory.set(bytes)
  }

  /// What is to be sent on; nil when there is nothing.
  mutating func takeOutput() -> Batch? { output.take(from: &store) }
}
