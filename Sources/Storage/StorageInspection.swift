internal import Dispatch

/// What is in a storage directory, seen without changing anything, whether a process is using it or not.
package struct StorageInspection: Sendable {
  package let path: String
  /// Who has the directory, such as `process 4711`; nil when nobody does.
  package let holder: String?
  /// Sorted by file name.
  package let databases: [Database]
  /// Damaged files that were kept, sorted by file name.
  package let setAside: [SetAside]

  /// One client's queue or checkpoints.
  package struct Database: Sendable {
    package let key: StorageKey
    package let purpose: StorageKey.Purpose
    package let file: String
    /// What the file and its log take on disk.
    package let fileBytes: Int
    package let content: Content
  }

  package enum Content: Sendable, Equatable {
    case queue(QueueTotals)
    case checkpoints(keys: Int)
    case unreadable(String)
  }

  /// A damaged database.
  package struct SetAside: Sendable, Equatable {
    package let file: String
    package let bytes: Int
    /// When it was set aside, in seconds since the Unix epoch.
    package let unixSeconds: Int?
  }

  /// Looks at `path`.
  package static func read(_ path: String) async throws(StorageError) -> StorageInspection {
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<StorageInspection, StorageError>, Never>) in
      DispatchQueue(label: "millrace.storage").async {
        do throws(StorageError) { continuation.resume(returning: .success(try look(path))) } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  private static func look(_ path: String) throws(StorageError) -> StorageInspection {
    if let reason = FilePrimitives.problem(ofReadingDirectory: path) {
      throw .unusableDirectory(path: path, reason: reason)
    }
    let holder = DirectoryLock.holder(of: path + "/" + StorageDirectory.lockName)
    var (databases, setAside): ([Database], [SetAside]) = ([], [])
    for name in FilePrimitives.names(in: path) {
      let file = path + "/" + name
      if let (key, purpose) = StorageKey.reading(fileName: name) {
        databases.append(
          Database(
            key: key, purpose: purpose, file: name,
            fileBytes: FilePrimitives.size(of: file) + FilePrimitives.size(of: file + "-wal"),
            content: content(file, purpose, beside: holder == nil ? .none : .writing)))
      } else if let mark = name.firstRange(of: Salvage.mark), !name.hasSuffix("-wal"), !name.hasSuffix("-shm")
      {
        setAside.append(
          SetAside(
            file: name, bytes: FilePrimitives.size(of: file) + FilePrimitives.size(of: file + "-wal"),
            unixSeconds: Int(name[mark.upperBound...].prefix { $0.isNumber })))
      }
    }
    return StorageInspection(path: path, holder: holder, databases: databases, setAside: setAside)
  }

  static func content(
    _ file: String, _ purpose: StorageKey.Purpose, beside neighbour: ReadOnlyDatabase.Neighbour
  ) -> Content {
    do throws(DatabaseFault) {
      let database = try ReadOnlyDatabase(file, beside: neighbour)
      let version = try database.number("PRAGMA user_version")
      if version > Schema.version { return .unreadable("written by a later version (format \(version))") }
      guard try database.number("PRAGMA application_id") == Schema.identity(purpose) else {
        return .unreadable("not a database of this kind")
      }
      switch purpose {
      case .queue:
        var totals = QueueTotals()
        try database.rows(RecordSize.selection) { row throws(DatabaseFault) in
          totals.add(try RecordSize(id: row[0], kind: row[1], items: row[2], bytes: row[3]))
        }
        return .queue(totals)
      case .checkpoints: return .checkpoints(keys: try database.number("SELECT count(*) FROM checkpoint"))
      }
    } catch {
      switch error {
      case .damaged(let reason): return .unreadable("damaged: \(reason)")
      case .diskFull(let reason), .failed(let reason): return .unreadable(reason)
      }
    }
  }
}
