internal import Dispatch
import Synchronization

/// A queue on disk: first in, first out, and nothing that was appended is lost before it is acknowledged.
///
/// - Order: records are handed out in the order of their commits. Released ones come again before later ones, and so
///   do, after a restart, those that were leased and not acknowledged.
/// - Group commit: everything that waits is written in one transaction, removals included.
/// - Memory: at most the window of records that are ready, those that are leased, and those whose append has not
///   been answered.
/// - Threads: all I/O happens on a serial dispatch queue of its own. Answers are called there and must not block.
package final class DurableQueue: Sendable {
  package let key: StorageKey
  /// Where the database is.
  package let path: String
  private let options: StorageOptions
  private let logBytes: Int
  /// A transaction takes a small part of the log at most, one larger record excepted.
  private let transactionBytes: Int
  private let thread: DispatchQueue
  private let state: Mutex<QueueState>
  /// Only used on `thread`.
  private let database: Mutex<QueueDatabase>
  /// Called once the file is closed, and let go of then: it keeps the directory's lock.
  private let onClose: Mutex<(@Sendable () -> Void)?>

  /// Bytes of records that are kept ready in memory by default.
  package static let windowBytes = 8 << 20

  /// Opens the file. Blocks: to be called on `thread`.
  init(
    _ path: String, key: StorageKey, limits: QueueLimits, windowBytes: Int, options: StorageOptions,
    thread: DispatchQueue, onClose: @escaping @Sendable () -> Void
  ) throws {
    self.key = key
    self.path = path
    self.options = options
    logBytes = options.logBytes(in: StorageDirectory.parent(of: path))
    transactionBytes = min(StorageOptions.transactionBytes, logBytes / 4)
    self.thread = thread
    self.onClose = Mutex(onClose)
    let database = try Self.open(Salvage(path: path, key: key, options: options))
    let content: QueueDatabase.Content
    do { content = try database.content() } catch { throw error.error(at: path) }
    self.database = Mutex(database)
    state = Mutex(
      QueueState(
        limits: limits, maxFileBytes: options.maxFileBytes, windowBytes: windowBytes, content: content))
  }

  /// What is stored and not acknowledged.
  package var totals: QueueTotals { state.withLock { $0.totals } }

  // MARK: Appending

  /// Appends a record; `answer` is called once it is committed, or cannot be.
  ///
  /// - Parameters:
  ///   - patience: how long the record may wait for room when the queue is full; zero refuses at once.
  ///   - answer: called on any thread, exactly once; must not block.
  package func append(
    _ record: QueueRecord, patience: Duration = .zero,
    answer: @escaping @Sendable (Result<Void, StorageError>) -> Void
  ) {
    enqueue(record, patience: patience, answer)
  }

  /// Appends a record and returns once it is committed.
  ///
  /// Cancelling the task ends the wait for room, and does nothing once the record is on its way to the disk.
  package func append(_ record: QueueRecord, patience: Duration = .zero) async throws(StorageError) {
    let token = state.withLock { $0.makeToken() }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
        enqueue(record, patience: patience, token: token) { continuation.resume(returning: $0) }
        if Task.isCancelled { endWait(token, .cancelled) }
      }
    } onCancel: {
      endWait(token, .cancelled)
    }
    try result.get()
  }

  private func enqueue(
    _ record: QueueRecord, patience: Duration, token: UInt64? = nil, _ answer: @escaping QueueState.Answer
  ) {
    let (actions, token, isWaiting) = state.withLock { state in
      let token = token ?? state.makeToken()
      let (actions, isWaiting) = state.append(record, token: token, mayWait: patience > .zero, answer)
      return (actions, token, isWaiting)
    }
    perform(actions)
    if isWaiting { options.timer(patience) { [weak self] in self?.endWait(token, nil) } }
  }

  private func endWait(_ token: UInt64, _ error: StorageError?) {
    perform(state.withLock { $0.endWait(token, error) })
  }

  // MARK: Reading

  /// The next record in order; suspends until there is one.
  ///
  /// - Returns: nil once ``stopReading()`` or ``close()`` was called, or the task is cancelled.
  package func next() async -> QueueLease? {
    let token = state.withLock { $0.makeToken() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        perform(state.withLock { $0.park(continuation, token: token) })
        if Task.isCancelled { unpark(token) }
      }
    } onCancel: {
      unpark(token)
    }
  }

  private func unpark(_ token: UInt64) { perform(state.withLock { $0.unpark(token) }) }

  /// Removes leased records for good; other ids are ignored. Returns at once: the removal is committed together with what comes next, and until
  /// then a kill brings the records back.
  package func acknowledge(_ ids: [Int64]) { perform(state.withLock { $0.acknowledge(ids) }) }

  /// Puts a record back, before all later ones.
  package func release(_ lease: QueueLease) { perform(state.withLock { $0.release(lease) }) }

  /// Ends reading: ``next()`` gives nil from now on. Appending goes on, and leases can still be acknowledged.
  package func stopReading() { perform(state.withLock { $0.stopReading() }) }

  /// Commits what is pending, removals included, and closes the file. What is leased comes again when it is opened.
  package func close() async {
    perform(state.withLock { $0.close() })
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      // Behind the last turn, which `close` has started unless one was under way.
      thread.async {
        self.work()
        self.state.withLock { $0.finish() }
        self.database.withLock { $0.file.close() }
        self.onClose.withLock { $0.take() }?()
        continuation.resume()
      }
    }
  }

  // MARK: The queue's thread

  private func perform(_ actions: QueueState.Actions) {
    if actions.startsWork { thread.async { self.work() } }
    actions.perform()
  }

  /// Works until there is nothing left to do.
  private func work() {
    while true {
      let work = state.withLock { $0.nextWork(transactionBytes: transactionBytes) }
      if work.isEmpty { return }
      if let fetch = work.fetch {
        self.fetch(after: fetch.after, upTo: fetch.upTo, bytes: fetch.bytes)
      } else {
        commit(work)
      }
    }
  }

  private func commit(_ work: QueueState.Work) {
    if !work.appends.isEmpty, let problem = spaceProblem(work) {
      // Removals go ahead in a transaction of their own: they free pages, perhaps enough.
      var appends = work
      appends.removals = []
      if work.removals.isEmpty {
        return perform(state.withLock { $0.failed(appends, .diskFull(path: path, reason: problem)) })
      }
      var removals = work
      removals.appends = []
      commit(removals)
      return commit(appends)
    }
    do {
      try store(work)
      perform(state.withLock { $0.committed(work) })
      if !work.removals.isEmpty { shrinkIfDrained() }
    } catch .damaged(let reason) where replaceDatabase(reason, removing: work.removals) {
      // The new database was made without what was to be removed.
      var rest = work
      rest.removals = []
      do {
        try store(rest)
        perform(state.withLock { $0.committed(rest) })
      } catch { fail(rest, error) }
    } catch { fail(work, error) }
  }

  private func store(_ work: QueueState.Work) throws(DatabaseFault) {
    let database = database.withLock { $0 }
    // A removal that a power cut takes back makes a duplicate, no loss: it is not worth a sync of its own.
    if options.syncsEveryCommit { try database.file.setSyncing(!work.appends.isEmpty) }
    try database.commit(
      removed: work.removals.map(\.id),
      added: work.appends.map { QueueDatabase.Insertion(id: $0.id, record: $0.append.record) })
  }

  private func fail(_ work: QueueState.Work, _ fault: DatabaseFault) {
    let error = fault.error(at: path)
    perform(state.withLock { $0.failed(work, error) })
    if work.removals.isEmpty { return }
    options.report(.removalFailed(key: key, error))
    retryLater()
  }

  private func fetch(after id: Int64, upTo last: Int64, bytes: Int) {
    do {
      let leases = try database.withLock { $0 }.fetch(after: id, upTo: last, bytes: bytes)
      perform(state.withLock { $0.fetched(leases, upTo: last) })
    } catch {
      if case .damaged(let reason) = error, replaceDatabase(reason) { return }
      state.withLock { $0.fetchFailed() }
      retryLater()
    }
  }

  private func retryLater() {
    options.timer(.seconds(1)) { [weak self] in
      guard let self else { return }
      perform(state.withLock { $0.retry() })
    }
  }

  /// Why appending `work` would take the disk's last space; nil when there is enough.
  ///
  /// What must stay possible is to copy the log into the database and to remove what was delivered. Pages that are
  /// free inside the file count as room: what was drained can be used again although the file does not shrink.
  private func spaceProblem(_ work: QueueState.Work) -> String? {
    guard let space = FilePrimitives.space(at: path) else { return nil }
    let reserve = options.freeSpaceReserve ?? min(96 << 20, space.total / 8)
    // In the log may be pages that the file has no room for yet, as many as the log is long.
    if space.free - logBytes - transactionBytes >= reserve { return nil }
    let file = database.withLock { $0 }.file
    if space.free - file.bytesOnlyInLog >= reserve { return nil }
    file.checkpoint()
    let free = (FilePrimitives.space(at: path)?.free ?? 0) - file.bytesOnlyInLog
    let bytes = work.appends.reduce(0) { $0 + $1.append.size.footprint }
    let inLog = bytes + bytes / 8 + 4 * Schema.pageBytes
    // What makes the file larger stops earlier, so that what does not can go on.
    let growth = bytes - file.freeBytes
    if free - inLog - max(0, growth) >= (growth > 0 ? reserve / 2 : reserve / 4) { return nil }
    return
      "\(space.free >> 20) MiB are free, and \(reserve >> 20) MiB are left for the work on what is stored"
  }

  /// Sets the damaged database aside and goes on with a new one; false when that failed too.
  private func replaceDatabase(_ reason: String, removing: [QueueState.Removal] = []) -> Bool {
    let (acknowledged, inMemory) = state.withLock { ($0.acknowledgedIDs, $0.inMemoryIDs) }
    let salvage = Salvage(path: path, key: key, options: options)
    database.withLock { $0 }.file.close()
    guard
      let fresh = try? salvage.replaceQueue(
        reason: reason, acknowledged: acknowledged.union(removing.map(\.id)), inMemory: inMemory)
    else { return false }
    database.withLock { $0 = fresh }
    guard let content = try? fresh.content(), let ids = try? fresh.ids() else { return false }
    perform(state.withLock { $0.replaced(content, ids: ids) })
    return true
  }

  private func shrinkIfDrained() {
    let compaction = options.compaction
    guard compaction.onRebound, state.withLock({ $0.footprint }) < compaction.reboundTrigger else { return }
    let file = database.withLock { $0.file }
    let before = file.fileBytes
    guard before > compaction.reboundNeeded else { return }
    do { try file.vacuum() } catch { return }
    options.report(.compacted(key: key, before: before, after: file.fileBytes))
  }

  /// Opens the file, smaller if that is wanted.
  private static func open(_ salvage: Salvage) throws -> QueueDatabase {
    let copy = salvage.path + ".compacting"
    FilePrimitives.remove(copy)
    let database = try salvage.openQueue()
    guard salvage.options.compaction.onStart, database.file.freeShare > 0.1 else { return database }
    let before = database.file.fileBytes
    do { try database.file.copyCompacted(to: copy) } catch {
      FilePrimitives.remove(copy)
      return database
    }
    database.file.checkpoint()
    database.file.close()
    // A log that somebody who reads kept from being emptied belongs to the old file and would spoil the new one.
    guard FilePrimitives.size(of: salvage.path + "-wal") == 0, FilePrimitives.sync(copy) else {
      FilePrimitives.remove(copy)
      return try salvage.openQueue()
    }
    // Both files are complete at any moment; the log is empty and goes with the connection.
    if FilePrimitives.rename(copy, to: salvage.path) {
      for ending in ["-wal", "-shm"] { FilePrimitives.remove(salvage.path + ending) }
      FilePrimitives.sync(StorageDirectory.parent(of: salvage.path))
    }
    let compacted = try salvage.openQueue()
    salvage.options.report(
      .compacted(key: salvage.key, before: before, after: compacted.file.fileBytes))
    return compacted
  }
}
