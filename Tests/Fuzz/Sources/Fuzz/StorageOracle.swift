import Glibc

@testable import Extensions
@testable import PipelineKit
@testable import Storage

/// What must hold for what a queue's database file may turn into, and for the metadata beside a record.
///
/// A damaged file never ends the process: what is readable of it comes back, and the queue works on.
enum StorageOracle {
  static func checkMetadata(_ bytes: [UInt8]) throws {
    guard let metadata = MetadataCodec.decode(bytes) else { return }
    let encoded = MetadataCodec.encode(metadata)
    let kept = metadata.entries.filter { !MetadataCodec.credentials.contains($0.key) }
    try require(
      (MetadataCodec.decode(encoded)?.entries ?? [:]) == kept, "metadata changed when written again")
  }

  /// The input is a list of changes to a good database of three records: eleven bytes each.
  static func checkDatabase(_ input: [UInt8]) throws {
    var changes = input[...]
    var file = template
    var rows: [ArraySlice<UInt8>] = []
    while changes.count >= 11 {
      let change = changes.prefix(11)
      changes = changes.dropFirst(11)
      let number = change.dropFirst(2).prefix(8).reduce(0) { $0 << 8 | Int($1) }
      switch change[change.startIndex] % 4 {
      case 0: rows.append(change)
      case 1: if !file.isEmpty { file[abs(number % file.count)] = change[change.endIndex - 1] }
      case 2: if !file.isEmpty { file[abs(number % min(file.count, 200))] = change[change.endIndex - 1] }
      default: file.removeLast(min(file.count, abs(number % 20_000)))
      }
    }
    try require(!template.isEmpty, "no database to start from")
    try inFolder { folder in
      let path = "\(folder)/queue.sqlite"
      try write(file, to: path)
      damage(path, rows)
      _ = StorageInspection.content(path, .queue, beside: .none)
      try demand("opening") {
        do { try read(path) } catch StorageError.newerFormat {
          // Not damage that can be told from another version's file: refused, and left as it is.
        }
      }
    }
  }

  /// Opens, reads and adds, as a queue does when it starts.
  private static func read(_ path: String) throws {
    let salvage = Salvage(path: path, key: StorageKey("fuzz"), options: options)
    var database = try salvage.openQueue()
    defer { database.file.close() }
    for isRepaired in [false, true] {
      do throws(DatabaseFault) {
        try readAll(database)
        return
      } catch {
        try require(!isRepaired, "a database that was just salvaged: \(error)")
        guard case .damaged(let reason) = error else { throw error }
        database.file.close()
        database = try salvage.replaceQueue(reason: reason)
      }
    }
  }

  private static func readAll(_ database: QueueDatabase) throws(DatabaseFault) {
    let content = try database.content()
    var (last, records): (Int64, Int) = (0, 0)
    while true {
      let leases = try database.fetch(after: last, upTo: content.lastID, bytes: 1)
      guard let lease = leases.last else { break }
      last = lease.id
      records += leases.count
    }
    // What is not found by walking is found by its row, so that the two differ only in a damaged file.
    if records != content.totals.records { throw .damaged("\(records) records of \(content.totals.records)") }
    let record = QueueRecord(kind: 1, itemCount: 1, payload: [1, 2, 3])
    let added = QueueDatabase.Insertion(id: content.lastID + 1, record: record)
    try database.commit(removed: Array(try database.ids()).sorted(), added: [added])
  }

  /// Rows that SQLite finds in order and that nobody wrote.
  private static func damage(_ path: String, _ rows: [ArraySlice<UInt8>]) {
    if rows.isEmpty { return }
    guard let database = try? QueueDatabase(path, options: options) else { return }
    defer { database.file.close() }
    try? database.file.write { database in
      for row in rows {
        let value = row.dropFirst(2).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
        let column = ["id", "kind", "items", "size", "checksum"][Int(row[row.startIndex + 1]) % 5]
        try database.run(
          "UPDATE OR REPLACE record SET \(column) = ? WHERE id = ?", .integer(value),
          .integer(Int64(row[row.endIndex - 1] % 4)))
      }
    }
  }

  // MARK: Files

  private static let options: StorageOptions = {
    var options = StorageOptions()
    options.freeSpaceReserve = 0
    options.maxFileBytes = 8 << 20
    options.unixSeconds = { 1_700_000_000 }
    return options
  }()

  /// The bytes of a database with three records.
  private static let template: [UInt8] =
    (try? inFolder { folder in
      let path = "\(folder)/template.sqlite"
      let database = try QueueDatabase(path, options: options)
      let insertions = (1...3).map { id in
        QueueDatabase.Insertion(
          id: Int64(id),
          record: QueueRecord(
            kind: UInt8(id), itemCount: id, metadata: [UInt8](repeating: 7, count: id * 10),
            payload: [UInt8](repeating: UInt8(id), count: id * 9000)))
      }
      try database.commit(removed: [], added: insertions)
      database.file.close()
      return FilePrimitives.prefix(of: path, count: 1 << 20)
    }) ?? []

  /// Runs `body` with a folder that goes away afterwards, in memory where the system has that.
  private static func inFolder<T>(_ body: (String) throws -> T) throws -> T {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var name = Array("\(parent)/millrace-fuzz-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw OracleFailure(description: "cannot make a folder in \(parent)") }
    let folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer {
      for name in FilePrimitives.names(in: folder) { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
    return try body(folder)
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw OracleFailure(description: "cannot write \(path)") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  static let metadataSeeds: [[UInt8]] = [
    MetadataCodec.encode(RequestMetadata(["x-tenant": ["a", "b"], "y": [""], "z": []])), [],
  ]

  static let databaseSeeds: [[UInt8]] = [
    [0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 1], [1, 0, 0, 0, 0, 0, 0, 0, 0x40, 9, 1],
    [2, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0],
    [3, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0], [],
  ]
}
