internal import GRDB
internal import GRDBSQLite

/// A value bound to a statement.
enum SQLValue {
  case integer(Int64)
  case text(String)
  /// Bound in place: SQLite reads the array's own memory, which GRDB's `Data` would copy twice.
  case bytes([UInt8])
}

/// One row of a result, valid until the next step.
@safe struct RawRow {
  fileprivate let statement: OpaquePointer

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(statement, column) else { return [] }
    let count = unsafe Int(sqlite3_column_bytes(statement, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }
}

extension Database {
  /// Runs a statement that gives no rows; prepared once per connection.
  func run(_ sql: String, _ values: SQLValue...) throws {
    try rows(sql, values) { _ in true }
  }

  /// Runs a statement and hands over its rows until `body` returns false; prepared once per connection.
  func rows(_ sql: String, _ values: SQLValue..., body: (RawRow) throws -> Bool) throws {
    try rows(sql, values, body)
  }

  private func rows(_ sql: String, _ values: [SQLValue], _ body: (RawRow) throws -> Bool) throws {
    let statement = unsafe try cachedStatement(sql: sql).sqliteStatement
    defer {
      unsafe sqlite3_reset(statement)
      unsafe sqlite3_clear_bindings(statement)
    }
    unsafe try bind(values[...], to: statement) {
      while true {
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: if try !body(unsafe RawRow(statement: statement)) { return }
        case SQLITE_DONE: return
        case let code: throw failure(code)
        }
      }
    }
  }

  /// Binds the values one within the other, so that the memory of each outlives the steps.
  private func bind(_ values: ArraySlice<SQLValue>, to statement: OpaquePointer, _ body: () throws -> Void)
    throws
  {
    guard let value = values.first else { return try body() }
    let index = Int32(values.startIndex + 1)
    let rest = values.dropFirst()
    switch value {
    case .integer(let number):
      try expectOK(unsafe sqlite3_bind_int64(statement, index, number))
      unsafe try bind(rest, to: statement, body)
    case .text(let text):
      unsafe try text.withCString { start in
        try expectOK(unsafe sqlite3_bind_text(statement, index, start, Int32(text.utf8.count), nil))
        unsafe try bind(rest, to: statement, body)
      }
    case .bytes(let bytes):
      unsafe try bytes.withUnsafeBytes { buffer in
        try expectOK(
          unsafe sqlite3_bind_blob64(statement, index, buffer.baseAddress, UInt64(buffer.count), nil))
        unsafe try bind(rest, to: statement, body)
      }
    }
  }

  private func expectOK(_ code: Int32) throws {
    if code != SQLITE_OK { throw failure(code) }
  }

  /// The error with SQLite's words and, for input and output, the system's.
  private func failure(_ code: Int32) -> DatabaseError {
    let message = lastErrorMessage ?? "unknown"
    let result = ResultCode(rawValue: code)
    guard result.primaryResultCode == .SQLITE_IOERR || result.primaryResultCode == .SQLITE_FULL,
      let connection = unsafe sqliteConnection, case let code = unsafe sqlite3_system_errno(connection),
      code != 0
    else { return DatabaseError(resultCode: result, message: message) }
    return DatabaseError(resultCode: result, message: "\(message) (\(FilePrimitives.text(of: code)))")
  }
}
