internal import GRDB

/// What went wrong with a database, by what can be done about it.
enum DatabaseFault: Error, Equatable {
  /// The content cannot be trusted: set it aside.
  case damaged(String)
  /// Try again once there is room.
  case diskFull(String)
  /// Input or output failed, or permission is missing.
  case failed(String)

  init(_ error: any Error) {
    if let fault = error as? DatabaseFault {
      self = fault
      return
    }
    guard let error = error as? DatabaseError else {
      self = .failed("\(error)")
      return
    }
    let message = error.message ?? "\(error.resultCode)"
    self =
      switch error.resultCode {
      case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: .damaged(message)
      // Tables that were there when the file was made, and a schema that SQLite would not have written.
      case .SQLITE_ERROR where message.hasPrefix("no such") || message == "unsupported file format":
        .damaged(message)
      // Ids are new whenever something is stored under them, so what is there already was not stored by a queue.
      case .SQLITE_CONSTRAINT: .damaged(message)
      case .SQLITE_FULL: .diskFull(message)
      default: .failed(message)
      }
  }

  /// As callers hear it.
  func error(at path: String) -> StorageError {
    switch self {
    case .damaged(let reason), .failed(let reason): .failed(path: path, reason: reason)
    case .diskFull(let reason): .diskFull(path: path, reason: reason)
    }
  }
}

/// The tables of a database, by its purpose.
enum Schema {
  /// Written into every database as `user_version`; a later version migrates what is older.
  static let version = 1

  /// Written into every database as `application_id`: `MRq` or `MRc`.
  static func identity(_ purpose: StorageKey.Purpose) -> Int {
    switch purpose {
    case .queue: 0x4D_5271
    case .checkpoints: 0x4D_5263
    }
  }

  /// Bytes per page: the fewer the pages, the cheaper are large records; but a small commit writes three pages.
  static let pageBytes = 16 << 10

  /// Small rows are kept apart from payloads, so that counting what is stored does not read all of it.
  static func statements(_ purpose: StorageKey.Purpose) -> [String] {
    switch purpose {
    case .queue:
      [
        """
        CREATE TABLE record(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, items INTEGER NOT NULL, \
        size INTEGER NOT NULL, checksum INTEGER NOT NULL, metadata BLOB)
        """,
        "CREATE TABLE payload(id INTEGER PRIMARY KEY, bytes BLOB)",
      ]
    case .checkpoints: ["CREATE TABLE checkpoint(key TEXT PRIMARY KEY NOT NULL, value BLOB) WITHOUT ROWID"]
    }
  }
}

/// An open connection to one database file. Every call blocks: only for the thread of its owner.
struct DatabaseFile: Sendable {
  let path: String
  private let connection: DatabaseQueue

  /// Opens or creates the file and makes sure of its tables.
  ///
  /// - Throws: ``DatabaseFault``, or ``StorageError/newerFormat(path:version:)``.
  init(_ path: String, purpose: StorageKey.Purpose, options: StorageOptions) throws {
    self.path = path
    try Self.checkHeader(path)
    // The directory's lock keeps writers out. Readers (`millrace storage inspect`) may come at any time, so the file
    // is not locked for good; that costs a few microseconds per commit, and an index file for the log.
    do { connection = try Self.connect(path, options) } catch .damaged(let reason) {
      throw DatabaseFault.damaged(reason)
    } catch {
      // On a full disk there may be no room for the index file. Without readers it is kept in memory.
      guard let connection = try? Self.connect(path, options, lockingMode: "EXCLUSIVE") else { throw error }
      self.connection = connection
    }
    let (identity, version) = try read { database in
      (try Self.number(database, "application_id"), try Self.number(database, "user_version"))
    }
    if identity == Schema.identity(purpose) {
      if version > Schema.version { throw StorageError.newerFormat(path: path, version: version) }
      return
    }
    guard identity == 0, try read({ try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }) == 0
    else { throw DatabaseFault.damaged("it is a database of something else") }
    try write { database in
      for statement in Schema.statements(purpose) { try database.execute(sql: statement) }
      try database.execute(
        sql: """
          PRAGMA application_id = \(Schema.identity(purpose));
          PRAGMA user_version = \(Schema.version);
          """)
    }
  }

  private static func connect(
    _ path: String, _ options: StorageOptions, lockingMode: String = "NORMAL"
  ) throws(DatabaseFault) -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "millrace.storage"
    configuration.busyMode = .timeout(5)
    let logBytes = options.logBytes(in: StorageDirectory.parent(of: path))
    configuration.prepareDatabase { database in
      // Debian's SQLite writes zeros over whatever is deleted: a queue would write everything twice, and need space
      // for it when it has least.
      try database.execute(
        sql: """
          PRAGMA page_size = \(Schema.pageBytes);
          PRAGMA locking_mode = \(lockingMode);
          PRAGMA cell_size_check = ON;
          PRAGMA secure_delete = OFF;
          PRAGMA temp_store = MEMORY;
          PRAGMA cache_size = -8192;
          PRAGMA wal_autocheckpoint = \(logBytes / Schema.pageBytes);
          PRAGMA journal_size_limit = \(logBytes);
          """)
      let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
      if mode != "wal" { throw DatabaseFault.failed("the file system does not support a write-ahead log") }
      try database.execute(sql: "PRAGMA synchronous = \(options.syncsEveryCommit ? "FULL" : "NORMAL")")
    }
    // SQLite itself would let everybody read it. The log and its index get the permissions of the file.
    FilePrimitives.createPrivate(path)
    do {
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      // The log is opened by the first access.
      _ = try connection.writeWithoutTransaction { try Self.number($0, "application_id") }
      return connection
    } catch { throw DatabaseFault(error) }
  }

  /// Refuses a header that asks for a way of writing nobody knows: SQLite opens such a file, but only for reading
  /// (its file format, §1.3.3).
  private static func checkHeader(_ path: String) throws(DatabaseFault) {
    let header = FilePrimitives.prefix(of: path, count: 20)
    if header.count == 20, header.starts(with: Array("SQLite format 3\0".utf8)), header[18] > 2 {
      throw .damaged("its header names the unknown format \(header[18])")
    }
  }

  private static func number(_ database: Database, _ pragma: String) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA \(pragma)") ?? 0
  }

  /// Reads outside of a transaction of its own.
  func read<T>(_ body: (Database) throws -> T) throws(DatabaseFault) -> T {
    do { return try connection.writeWithoutTransaction(body) } catch { throw DatabaseFault(error) }
  }

  /// Runs `body` in one transaction; nothing of it remains when it throws.
  func write(_ body: (Database) throws -> Void) throws(DatabaseFault) {
    do {
      try connection.writeWithoutTransaction { database in
        try database.inTransaction(.immediate) {
          try body(database)
          return .commit
        }
      }
    } catch { throw DatabaseFault(error) }
  }

  /// Whether commits from now on reach the disk before they return.
  func setSyncing(_ isOn: Bool) throws(DatabaseFault) {
    try read { try $0.run(isOn ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") }
  }

  /// The size of the database without its log, in bytes.
  var fileBytes: Int { FilePrimitives.size(of: path) }

  /// Copies the log into the database and empties it.
  func checkpoint() {
    try? connection.writeWithoutTransaction { database in
      try database.rows("PRAGMA wal_checkpoint(TRUNCATE)") { _ in true }
    }
  }

  /// Rewrites the file without its free pages, through the log: for small content.
  func vacuum() throws(DatabaseFault) {
    do { try connection.writeWithoutTransaction { try $0.execute(sql: "VACUUM") } } catch {
      throw DatabaseFault(error)
    }
    checkpoint()
  }

  /// Writes a copy without free pages.
  func copyCompacted(to copy: String) throws(DatabaseFault) {
    FilePrimitives.createPrivate(copy)
    do {
      try connection.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
    } catch { throw DatabaseFault(error) }
  }

  /// Bytes of pages that can be used again without making the file larger.
  var freeBytes: Int { pages("PRAGMA freelist_count") * Schema.pageBytes }

  /// By how much copying the log into the database will make the file larger, in bytes.
  var bytesOnlyInLog: Int { max(0, pages("PRAGMA page_count") * Schema.pageBytes - fileBytes) }

  private func pages(_ pragma: String) -> Int {
    let pages = try? connection.writeWithoutTransaction { try Int.fetchOne($0, sql: pragma) }
    return pages ?? 0
  }

  /// Free pages as a share of all.
  var freeShare: Double {
    let pages = try? connection.writeWithoutTransaction { database in
      (
        try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0,
        try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      )
    }
    guard let (free, all) = pages, all > 0 else { return 0 }
    return Double(free) / Double(all)
  }

  /// Closes the connection; the log is copied into the database where that is possible.
  func close() { try? connection.close() }
}
