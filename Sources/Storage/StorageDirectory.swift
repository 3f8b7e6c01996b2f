internal import Dispatch
import Synchronization

/// A directory of databases, one file per client, that one process has to itself.
package final class StorageDirectory: Sendable {
  package let path: String
  private let options: StorageOptions
  private let lock: DirectoryLock
  private let openFiles = Mutex<Set<String>>([])

  /// The name of the lock file.
  static let lockName = ".lock"

  private init(_ path: String, options: StorageOptions, lock: DirectoryLock) {
    self.path = path
    self.options = options
    self.lock = lock
  }

  /// Takes the directory for this process, until the object and everything opened through it is gone.
  ///
  /// - Parameters:
  ///   - path: a directory that exists, unless `creating` is given.
  ///   - permissions: of directories that are created; nil creates none.
  package static func open(
    _ path: String, creating permissions: UInt32? = nil, options: StorageOptions = StorageOptions()
  ) async throws(StorageError) -> StorageDirectory {
    let retries = 10
    for attempt in 0...retries {
      let result = await onThread(DispatchQueue(label: "millrace.storage")) {
        prepare(path, permissions: permissions)
      }
      switch result {
      case .success(let lock): return StorageDirectory(path, options: options, lock: lock)
      case .failure(.inUse) where attempt < retries && options.lockTimeout > .zero:
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
          options.timer(options.lockTimeout / retries) { continuation.resume() }
        }
      case .failure(let error): throw error
      }
    }
    throw .inUse(path: path, holder: nil)
  }

  private static func prepare(_ path: String, permissions: UInt32?) -> Result<DirectoryLock, StorageError> {
    if let permissions, let reason = FilePrimitives.createDirectories(path, permissions: permissions) {
      return .failure(.unusableDirectory(path: path, reason: reason))
    }
    if let reason = FilePrimitives.problem(ofDirectory: path) {
      return .failure(.unusableDirectory(path: path, reason: reason))
    }
    do throws(DirectoryLock.Failure) { return .success(try DirectoryLock(path + "/" + lockName)) } catch {
      switch error {
      case .held(let holder): return .failure(.inUse(path: path, holder: holder))
      case .other(let reason): return .failure(.unusableDirectory(path: path, reason: reason))
      }
    }
  }

  /// Opens or creates the queue of `key`. A damaged file is set aside and reported, and is no reason to fail.
  ///
  /// - Parameter windowBytes: bytes of records that are kept ready in memory.
  package func openQueue(
    _ key: StorageKey, limits: QueueLimits = QueueLimits(), windowBytes: Int = DurableQueue.windowBytes
  ) async throws(StorageError) -> DurableQueue {
    try await open(key, .queue) { file, thread, onClose in
      try DurableQueue(
        file, key: key, limits: limits, windowBytes: windowBytes, options: self.options, thread: thread,
        onClose: onClose)
    }
  }

  /// Opens or creates the checkpoints of `key`. A damaged file is set aside and reported, and is no reason to fail.
  package func openCheckpoints(_ key: StorageKey) async throws(StorageError) -> CheckpointStore {
    try await open(key, .checkpoints) { file, thread, onClose in
      try CheckpointStore(file, key: key, options: self.options, thread: thread, onClose: onClose)
    }
  }

  /// The file names of all databases in the directory, sorted; damaged ones that were set aside are not among them.
  package func databases() async -> [String] {
    let path = path
    return await Self.onThread(DispatchQueue(label: "millrace.storage")) {
      FilePrimitives.names(in: path).filter { $0.hasSuffix(".sqlite") }
    }
  }

  /// Finds queues that hold something and that nobody has open: their clients have been renamed or removed.
  ///
  /// - Parameter found: called once, with all of them, on a thread of its own.
  package func findAbandoned(_ found: @escaping @Sendable ([(key: StorageKey, totals: QueueTotals)]) -> Void)
  {
    DispatchQueue(label: "millrace.storage").async { [self] in
      found(
        FilePrimitives.names(in: path).compactMap { name in
          guard let (key, purpose) = StorageKey.reading(fileName: name), purpose == .queue,
            !openFiles.withLock({ $0.contains(name) }),
            case .queue(let totals) = StorageInspection.content("\(path)/\(name)", purpose, beside: .none),
            totals.records > 0
          else { return nil }
          return (key, totals)
        })
    }
  }

  /// What stands before the last slash.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func open<T: Sendable>(
    _ key: StorageKey, _ purpose: StorageKey.Purpose,
    _ make: @escaping @Sendable (String, DispatchQueue, @escaping @Sendable () -> Void) throws -> T
  ) async throws(StorageError) -> T {
    let name = key.fileName(purpose)
    guard openFiles.withLock({ $0.insert(name).inserted }) else { throw .alreadyOpen(key: key.text) }
    let (file, thread) = (path + "/" + name, DispatchQueue(label: "millrace.storage.\(name)"))
    // The closure keeps the directory, and with it the lock, for as long as anything is open.
    let forget: @Sendable () -> Void = { _ = self.openFiles.withLock { $0.remove(name) } }
    let result: Result<T, StorageError> = await Self.onThread(thread) {
      do { return .success(try make(file, thread, forget)) } catch let error as StorageError {
        return .failure(error)
      } catch { return .failure(.failed(path: file, reason: "\(error)")) }
    }
    if case .failure = result { forget() }
    return try result.get()
  }

  private static func onThread<T: Sendable>(
    _ thread: DispatchQueue, _ body: @escaping @Sendable () -> T
  ) async -> T {
    await withCheckedContinuation { continuation in thread.async { continuation.resume(returning: body()) } }
  }
}
