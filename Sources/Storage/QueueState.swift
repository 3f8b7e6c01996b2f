internal import DequeModule

/// What a ``DurableQueue`` knows, as a state machine: methods take events and give what is to be done, and do no I/O.
///
/// A record is `waiting` (for room), then `pending` (for the commit), then stored; stored ones are `ready` in memory,
/// leased, `returned`, or only on disk behind `cursor`.
struct QueueState {
  typealias Answer = @Sendable (Result<Void, StorageError>) -> Void
  typealias Reader = CheckedContinuation<QueueLease?, Never>

  struct Append {
    let token: UInt64
    let record: QueueRecord
    let size: RecordSize
    let answer: Answer
  }
  struct Removal {
    let id: Int64
    let size: RecordSize
  }
  /// What the queue's thread does next.
  struct Work {
    var removals: [Removal] = []
    var appends: [(id: Int64, append: Append)] = []
    var fetch: (after: Int64, upTo: Int64, bytes: Int)?
    var isEmpty: Bool { removals.isEmpty && appends.isEmpty && fetch == nil }
  }
  /// Calls to make once the lock is given up.
  struct Actions {
    var answers: [(answer: Answer, result: Result<Void, StorageError>)] = []
    var readers: [(reader: Reader, lease: QueueLease?)] = []
    var startsWork = false

    func perform() {
      for (answer, result) in answers { answer(result) }
      for (reader, lease) in readers { reader.resume(returning: lease) }
    }
  }

  let limits: QueueLimits
  let maxFileBytes: Int?
  /// Bytes of records that are kept ready in memory.
  let windowBytes: Int

  private(set) var totals: QueueTotals
  /// Pages of stored records; falls once removals are committed.
  private(set) var footprint: Int
  private var nextID: Int64
  private var tail: Int64
  private var cursor: Int64 = 0
  private var waiting: Deque<Append> = []
  private var pending: Deque<Append> = []
  private var pendingTotals = QueueTotals()
  private var pendingFootprint = 0
  private var ready: Deque<QueueLease> = []
  private var readyBytes = 0
  private var returned: [(lease: QueueLease, size: RecordSize)] = []
  private var leased: [Int64: RecordSize] = [:]
  private var removals: [Removal] = []
  private var readers: Deque<(token: UInt64, reader: Reader)> = []
  private var isWorking = false
  private var mayRemove = true
  private var mayFetch = true
  private(set) var isReading = true
  private(set) var isClosed = false
  private var isFinished = false
  private var hasJustCommitted = false
  private var lastToken: UInt64 = 0

  init(limits: QueueLimits, maxFileBytes: Int?, windowBytes: Int, content: QueueDatabase.Content) {
    self.limits = limits
    self.maxFileBytes = maxFileBytes
    self.windowBytes = windowBytes
    totals = content.totals
    footprint = content.footprint
    tail = content.lastID
    nextID = content.lastID + 1
  }

  mutating func makeToken() -> UInt64 {
    lastToken += 1
    return lastToken
  }

  // MARK: Appending

  /// Takes a record, or says at once why not. `mayWait` lets it wait for room.
  mutating func append(
    _ record: QueueRecord, token: UInt64, mayWait: Bool, _ answer: @escaping Answer
  ) -> (actions: Actions, isWaiting: Bool) {
    let append = Append(token: token, record: record, size: RecordSize(record), answer: answer)
    var actions = Actions()
    if isClosed {
      actions.answers.append((answer, .failure(.closed)))
    } else if let limit = limitNeverMet(append.size) {
      actions.answers.append((answer, .failure(.tooLarge(limit: limit))))
    } else if waiting.isEmpty, limitReached(append.size) == nil {
      enqueue(append)
      startWork(&actions)
    } else if mayWait {
      waiting.append(append)
      return (actions, true)
    } else {
      let limit = limitReached(append.size) ?? "what others wait for"
      actions.answers.append((answer, .failure(.full(limit: limit))))
    }
    return (actions, false)
  }

  /// Ends the wait for room of one record; does nothing when it no longer waits.
  mutating func endWait(_ token: UInt64, _ error: StorageError?) -> Actions {
    var actions = Actions()
    guard let index = waiting.firstIndex(where: { $0.token == token }) else { return actions }
    let append = waiting.remove(at: index)
    let limit = limitReached(append.size) ?? "what others wait for"
    actions.answers.append((append.answer, .failure(error ?? .full(limit: limit))))
    return actions
  }

  private mutating func enqueue(_ append: Append) {
    pending.append(append)
    pendingTotals.add(append.size)
    pendingFootprint += append.size.footprint
  }

  private mutating func admitWaiting(_ actions: inout Actions) {
    while let first = waiting.first, limitReached(first.size) == nil {
      waiting.removeFirst()
      enqueue(first)
      startWork(&actions)
    }
  }

  /// The limit that one more record would pass; nil when there is room.
  private func limitReached(_ size: RecordSize) -> String? {
    if let most = limits.records, totals.records + pendingTotals.records + 1 > most {
      return "\(most) records"
    }
    if let most = limits.items, totals.items + pendingTotals.items + size.items > most {
      return "\(most) items"
    }
    if let most = limits.bytes, totals.bytes + pendingTotals.bytes + size.bytes > most {
      return "\(most) bytes"
    }
    if let most = maxFileBytes, footprint + pendingFootprint + size.footprint > most {
      return "a file of \(most) bytes"
    }
    return nil
  }

  /// The limit that the record passes even in an empty queue.
  private func limitNeverMet(_ size: RecordSize) -> String? {
    if let most = limits.items, size.items > most { return "\(most) items" }
    if let most = limits.bytes, size.bytes > most { return "\(most) bytes" }
    if let most = maxFileBytes, size.footprint > most { return "a file of \(most) bytes" }
    return nil
  }

  // MARK: Reading

  /// The next record, if it is in memory: returned ones first, then in order.
  mutating func take(_ actions: inout Actions) -> QueueLease? {
    guard isReading else { return nil }
    if let (lease, size) = returned.popLast() {
      leased[lease.id] = size
      return lease
    }
    guard let lease = ready.popFirst() else { return nil }
    readyBytes -= lease.record.byteCount
    leased[lease.id] = RecordSize(lease.record)
    if cursor < tail, readyBytes < windowBytes / 2 { startWork(&actions) }
    return lease
  }

  /// Parks a reader until there is a record; resumes it at once when there is one, or when reading has ended.
  mutating func park(_ reader: Reader, token: UInt64) -> Actions {
    var actions = Actions()
    if !isReading {
      actions.readers.append((reader, nil))
    } else if let lease = take(&actions) {
      actions.readers.append((reader, lease))
    } else {
      readers.append((token, reader))
      if cursor < tail { startWork(&actions) }
    }
    return actions
  }

  /// Ends the wait of one reader.
  mutating func unpark(_ token: UInt64) -> Actions {
    var actions = Actions()
    guard let index = readers.firstIndex(where: { $0.token == token }) else { return actions }
    actions.readers.append((readers.remove(at: index).reader, nil))
    return actions
  }

  private mutating func serveReaders(_ actions: inout Actions) {
    while !readers.isEmpty, let lease = take(&actions) {
      actions.readers.append((readers.removeFirst().reader, lease))
    }
  }

  /// Marks records for removal; ids that are not leased are ignored.
  mutating func acknowledge(_ ids: [Int64]) -> Actions {
    var actions = Actions()
    if isFinished { return actions }
    for id in ids {
      guard let size = leased.removeValue(forKey: id) else { continue }
      totals.subtract(size)
      removals.append(Removal(id: id, size: size))
    }
    if !removals.isEmpty { startWork(&actions) }
    // Limits count what is stored and not acknowledged; pages are free once the removal is committed.
    admitWaiting(&actions)
    return actions
  }

  /// Puts a record back: the next reader gets it before later ones.
  mutating func release(_ lease: QueueLease) -> Actions {
    var actions = Actions()
    guard let size = leased.removeValue(forKey: lease.id) else { return actions }
    // Descending, so that the oldest is taken from the end.
    let index = returned.firstIndex { $0.lease.id < lease.id } ?? returned.endIndex
    returned.insert((lease, size), at: index)
    serveReaders(&actions)
    return actions
  }

  // MARK: The queue's thread

  private mutating func startWork(_ actions: inout Actions) {
    if isWorking { return }
    isWorking = true
    actions.startsWork = true
  }

  /// What to do next; when that is nothing, the thread may go and is started again by later events.
  mutating func nextWork(transactionBytes: Int) -> Work {
    var work = Work()
    // In turns, so that neither writers nor readers starve.
    if hasJustCommitted, let fetch = fetchWanted {
      hasJustCommitted = false
      work.fetch = fetch
      return work
    }
    var bytes = 0
    while let append = pending.first, work.appends.isEmpty || bytes + append.size.bytes <= transactionBytes {
      pending.removeFirst()
      bytes += append.size.bytes
      work.appends.append((nextID, append))
      nextID += 1
    }
    if mayRemove || !work.appends.isEmpty {
      work.removals = removals.sorted { $0.id < $1.id }
      removals = []
    }
    hasJustCommitted = !work.appends.isEmpty || !work.removals.isEmpty
    if !hasJustCommitted { work.fetch = fetchWanted }
    if work.isEmpty { isWorking = false }
    return work
  }

  private var fetchWanted: (after: Int64, upTo: Int64, bytes: Int)? {
    guard isReading, mayFetch, cursor < tail, readyBytes < windowBytes / 2 else { return nil }
    return (cursor, tail, windowBytes - readyBytes)
  }

  /// The work's transaction is on disk.
  mutating func committed(_ work: Work) -> Actions {
    var actions = Actions()
    mayRemove = true
    for removal in work.removals { footprint -= removal.size.footprint }
    for (id, append) in work.appends {
      settle(append)
      totals.add(append.size)
      footprint += append.size.footprint
      // What the readers are about to reach stays in memory instead of being read back.
      if cursor == tail, readyBytes + append.size.bytes <= windowBytes || ready.isEmpty {
        ready.append(QueueLease(id: id, record: append.record))
        readyBytes += append.size.bytes
        cursor = id
      }
      tail = id
      serveReaders(&actions)
      actions.answers.append((append.answer, .success(())))
    }
    admitWaiting(&actions)
    return actions
  }

  /// The work's transaction failed: its appends are refused, its removals kept for later.
  mutating func failed(_ work: Work, _ error: StorageError) -> Actions {
    var actions = Actions()
    mayRemove = work.removals.isEmpty
    removals.append(contentsOf: work.removals)
    for (_, append) in work.appends {
      settle(append)
      actions.answers.append((append.answer, .failure(error)))
    }
    admitWaiting(&actions)
    return actions
  }

  private mutating func settle(_ append: Append) {
    pendingTotals.subtract(append.size)
    pendingFootprint -= append.size.footprint
  }

  /// Removals or reading that failed may be tried again.
  mutating func retry() -> Actions {
    var actions = Actions()
    (mayRemove, mayFetch) = (true, true)
    if !removals.isEmpty || fetchWanted != nil { startWork(&actions) }
    return actions
  }

  /// Records were read from disk.
  mutating func fetched(_ leases: [QueueLease], upTo last: Int64) -> Actions {
    var actions = Actions()
    for lease in leases {
      ready.append(lease)
      readyBytes += lease.record.byteCount
    }
    cursor = leases.last?.id ?? last
    serveReaders(&actions)
    return actions
  }

  /// Reading from disk failed; tried again after ``retry()``.
  mutating func fetchFailed() { mayFetch = false }

  /// The database was replaced by a new one holding `content`, the records `ids`: what is in memory stays and counts,
  /// even if it could not be saved.
  mutating func replaced(_ content: QueueDatabase.Content, ids: Set<Int64>) -> Actions {
    var actions = Actions()
    totals = content.totals
    footprint = content.footprint
    // Acknowledged while the new database was made: still to be removed from it.
    removals.removeAll { !ids.contains($0.id) }
    for removal in removals { totals.subtract(removal.size) }
    let inMemory =
      leased.map { ($0.key, $0.value) } + returned.map { ($0.lease.id, $0.size) }
      + ready.map { ($0.id, RecordSize($0.record)) }
    for (id, size) in inMemory where !ids.contains(id) {
      totals.add(size)
      footprint += size.footprint
    }
    mayFetch = true
    admitWaiting(&actions)
    return actions
  }

  /// Ids of records that need not be saved from a damaged database.
  var acknowledgedIDs: Set<Int64> { Set(removals.map(\.id)) }

  /// Ids of stored records that readers have or will get without reading the disk.
  var inMemoryIDs: Set<Int64> {
    Set(leased.keys).union(returned.map(\.lease.id)).union(ready.map(\.id))
  }

  // MARK: Ending

  /// Gives readers nothing more.
  mutating func stopReading() -> Actions {
    var actions = Actions()
    isReading = false
    actions.readers = readers.map { ($0.reader, nil) }
    readers = []
    return actions
  }

  /// Takes nothing more; what waits for room is refused, what is pending is still committed.
  mutating func close() -> Actions {
    var actions = stopReading()
    isClosed = true
    for append in waiting { actions.answers.append((append.answer, .failure(.closed))) }
    waiting = []
    (ready, readyBytes, returned) = ([], 0, [])
    mayRemove = true
    startWork(&actions)
    return actions
  }

  /// The file is closed: acknowledgements from now on have no effect.
  mutating func finish() { isFinished = true }
}
