internal import Dispatch
import Synchronization

/// Small values under keys that survive restarts: how far a file was read, where a cursor stands.
///
/// Changes that wait at the same time are written in one transaction, in the order they came. All I/O happens on a
/// serial dispatch queue of its own.
package final class CheckpointStore: Sendable {
  /// One change.
  package enum Change: Sendable {
    case set(key: String, value: [UInt8])
    case delete(key: String)
  }

  package let key: StorageKey
  package let path: String
  private let options: StorageOptions
  private let thread: DispatchQueue
  /// Only used on `thread`.
  private let file: Mutex<DatabaseFile>
  /// Called once the file is closed, and let go of then: it keeps the directory's lock.
  private let onClose: Mutex<(@Sendable () -> Void)?>

  private struct Waiting {
    var changes: [Change] = []
    var answers: [@Sendable (Result<Void, StorageError>) -> Void] = []
    var isClosed = false
  }
  private let waiting = Mutex(Waiting())

  /// Opens the file. Blocks: to be called on `thread`.
  init(
    _ path: String, key: StorageKey, options: StorageOptions, thread: DispatchQueue,
    onClose: @escaping @Sendable () -> Void
  ) throws {
    self.key = key
    self.path = path
    self.options = options
    self.thread = thread
    self.onClose = Mutex(onClose)
    file = Mutex(try Salvage(path: path, key: key, options: options).openCheckpoints())
  }

  /// The value of `key`; nil when there is none.
  package func value(of key: String) async throws(StorageError) -> [UInt8]? {
    try await read { file throws(DatabaseFault) in
      try file.read { database in
        var value: [UInt8]?
        try database.rows("SELECT value FROM checkpoint WHERE key = ?", .text(key)) { row in
          value = row.bytes(0)
          return false
        }
        return value
      }
    }
  }

  /// All keys, sorted.
  package func keys() async throws(StorageError) -> [String] {
    try await read { file throws(DatabaseFault) in
      try file.read { database in
        var keys: [String] = []
        try database.rows("SELECT key FROM checkpoint ORDER BY key") { row in
          keys.append(row.text(0))
          return true
        }
        return keys
      }
    }
  }

  /// All values by their keys.
  package func values() async throws(StorageError) -> [String: [UInt8]] {
    try await read { file throws(DatabaseFault) in
      try file.read { database in
        var values: [String: [UInt8]] = [:]
        try database.rows("SELECT key, value FROM checkpoint") { row in
          values[row.text(0)] = row.bytes(1)
          return true
        }
        return values
      }
    }
  }

  package func set(_ key: String, to value: [UInt8]) async throws(StorageError) {
    try await apply([.set(key: key, value: value)])
  }

  package func delete(_ key: String) async throws(StorageError) { try await apply([.delete(key: key)]) }

  /// Makes all of `changes`, or none; returns once they are committed.
  package func apply(_ changes: [Change]) async throws(StorageError) {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Void, StorageError>, Never>) in
      let isFirst: Bool? = waiting.withLock { waiting in
        if waiting.isClosed { return nil }
        waiting.changes += changes
        waiting.answers.append { continuation.resume(returning: $0) }
        return waiting.answers.count == 1
      }
      guard let isFirst else { return continuation.resume(returning: .failure(.closed)) }
      if isFirst { thread.async { self.commit() } }
    }
    try result.get()
  }

  /// Commits what waits and closes the file.
  package func close() async {
    waiting.withLock { $0.isClosed = true }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      thread.async {
        self.commit()
        self.file.withLock { $0.close() }
        self.onClose.withLock { $0.take() }?()
        continuation.resume()
      }
    }
  }

  private func commit() {
    let (changes, answers) = waiting.withLock { waiting in
      defer { (waiting.changes, waiting.answers) = ([], []) }
      return (waiting.changes, waiting.answers)
    }
    if answers.isEmpty { return }
    var result: Result<Void, StorageError> = .success(())
    do { try repairing { file throws(DatabaseFault) in try Self.write(changes, to: file) } } catch {
      result = .failure(error.error(at: path))
    }
    for answer in answers { answer(result) }
  }

  private static func write(_ changes: [Change], to file: DatabaseFile) throws(DatabaseFault) {
    try file.write { database in
      for change in changes {
        switch change {
        case .set(let key, let value):
          try database.run("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", .text(key), .bytes(value))
        case .delete(let key): try database.run("DELETE FROM checkpoint WHERE key = ?", .text(key))
        }
      }
    }
  }

  private func read<T: Sendable>(
    _ body: @escaping @Sendable (DatabaseFile) throws(DatabaseFault) -> T
  ) async throws(StorageError) -> T {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<T, StorageError>, Never>) in
      thread.async {
        if self.waiting.withLock({ $0.isClosed }) { return continuation.resume(returning: .failure(.closed)) }
        do throws(DatabaseFault) {
          continuation.resume(returning: .success(try self.repairing(body)))
        } catch { continuation.resume(returning: .failure(error.error(at: self.path))) }
      }
    }
    return try result.get()
  }

  /// Runs `body`; when the database turns out to be damaged, once more on a new one with what was readable.
  private func repairing<T>(
    _ body: (DatabaseFile) throws(DatabaseFault) -> T
  ) throws(DatabaseFault) -> T {
    let current = file.withLock { $0 }
    do { return try body(current) } catch .damaged(let reason) {
      current.close()
      let salvage = Salvage(path: path, key: key, options: options)
      guard let fresh = try? salvage.replaceCheckpoints(reason: reason) else { throw .damaged(reason) }
      file.withLock { $0 = fresh }
      return try body(fresh)
    }
  }
}
