internal import GRDBSQLite

/// A database file that is read without changing it, nor anything beside it.
@safe final class ReadOnlyDatabase {
  private let connection: OpaquePointer
  private let mayClose: Bool

  /// Whether another process may be writing to the file.
  enum Neighbour { case writing, none }

  /// Opens `path`. A writer is met through SQLite's own locks, so that what is read is one state of the database.
  ///
  /// Without one there is nobody to keep those locks, and a log that a killed process left must be read all the same:
  /// then no lock and no index file is made.
  init(_ path: String, beside neighbour: Neighbour) throws(DatabaseFault) {
    let hasLog = FilePrimitives.size(of: path + "-wal") > 0
    let mode =
      switch neighbour {
      case .writing: "mode=ro"
      case .none: hasLog ? "mode=ro&vfs=unix-none" : "immutable=1"
      }
    var opened: OpaquePointer?
    let code = unsafe sqlite3_open_v2(
      "file:\(Self.escaped(path))?\(mode)", &opened,
      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, nil)
    guard code == SQLITE_OK, let connection = unsafe opened else {
      let text = unsafe String(cString: sqlite3_errstr(code))
      unsafe sqlite3_close(opened)
      throw .failed(text)
    }
    unsafe self.connection = unsafe connection
    // Closing would try to copy the log into the database, and remove it: such a connection stays open.
    mayClose = neighbour == .writing || !hasLog
    unsafe sqlite3_busy_timeout(connection, 5000)
    // With the lock exclusive, the index of the log is kept in memory.
    if neighbour == .none { try rows("PRAGMA locking_mode = EXCLUSIVE") { _ in } }
  }

  deinit { if mayClose { unsafe sqlite3_close(connection) } }

  /// Runs a statement and hands over the integers of each row.
  func rows(_ sql: String, _ body: ([Int64]) throws(DatabaseFault) -> Void) throws(DatabaseFault) {
    var prepared: OpaquePointer?
    guard unsafe sqlite3_prepare_v2(connection, sql, -1, &prepared, nil) == SQLITE_OK else { throw fault() }
    defer { unsafe sqlite3_finalize(prepared) }
    while true {
      switch unsafe sqlite3_step(prepared) {
      case SQLITE_ROW:
        let columns = unsafe sqlite3_column_count(prepared)
        try body((0..<columns).map { column in unsafe sqlite3_column_int64(prepared, column) })
      case SQLITE_DONE: return
      default: throw fault()
      }
    }
  }

  /// The first integer that a statement gives; zero when it gives none.
  func number(_ sql: String) throws(DatabaseFault) -> Int {
    var number: Int64 = 0
    try rows(sql) { row in number = row.first ?? 0 }
    return Int(number)
  }

  private func fault() -> DatabaseFault {
    let code = unsafe sqlite3_errcode(connection) & 0xFF
    let text = unsafe String(cString: sqlite3_errmsg(connection))
    return [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR].contains(code) ? .damaged(text) : .failed(text)
  }

  /// A path inside a URI.
  private static func escaped(_ path: String) -> String {
    path.utf8.reduce(into: "") { text, byte in
      switch Unicode.Scalar(byte) {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", "~":
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
  }
}
