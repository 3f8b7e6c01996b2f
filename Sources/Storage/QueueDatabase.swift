internal import GRDB

/// The tables of one queue. Every call blocks: only for the queue's own thread.
struct QueueDatabase: Sendable {
  let file: DatabaseFile

  /// What opening found.
  struct Content {
    var lastID: Int64 = 0
    var totals = QueueTotals()
    var footprint = 0
  }

  /// One record on its way into the database.
  struct Insertion {
    let id: Int64
    let record: QueueRecord
  }

  init(_ path: String, options: StorageOptions) throws {
    file = try DatabaseFile(path, purpose: .queue, options: options)
  }

  /// Counts what is stored; reads the small rows only.
  func content() throws(DatabaseFault) -> Content {
    try file.read { database in
      var content = Content()
      try database.rows("\(RecordSize.selection) ORDER BY id") { row in
        let size = try RecordSize(row)
        content.lastID = row.integer(0)
        content.totals.add(size)
        content.footprint += size.footprint
        return true
      }
      return content
    }
  }

  /// The ids of all records.
  func ids() throws(DatabaseFault) -> Set<Int64> {
    try file.read { database in
      var ids: Set<Int64> = []
      try database.rows("SELECT id FROM record") { row in
        ids.insert(row.integer(0))
        return true
      }
      return ids
    }
  }

  /// Removes and adds records in one transaction. `removed` is in ascending order.
  func commit(removed: [Int64], added: [Insertion]) throws(DatabaseFault) {
    try file.write { database in
      for range in Self.ranges(removed) {
        let bounds = (SQLValue.integer(range.lowerBound), SQLValue.integer(range.upperBound))
        try database.run("DELETE FROM record WHERE id BETWEEN ? AND ?", bounds.0, bounds.1)
        try database.run("DELETE FROM payload WHERE id BETWEEN ? AND ?", bounds.0, bounds.1)
      }
      for insertion in added { try Self.insert(insertion, into: database) }
    }
  }

  static func insert(_ insertion: Insertion, into database: Database) throws {
    let record = insertion.record
    try database.run(
      "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", .integer(insertion.id), .integer(Int64(record.kind)),
      .integer(Int64(record.itemCount)), .integer(Int64(record.byteCount)),
      .integer(Checksum.of(record.payload)), .bytes(record.metadata))
    try database.run("INSERT INTO payload VALUES (?, ?)", .integer(insertion.id), .bytes(record.payload))
  }

  /// The records behind `id` in order, until they hold `bytes`; at least one where there is one.
  ///
  /// - Throws: `damaged` for a payload that is missing or whose checksum differs.
  func fetch(after id: Int64, upTo last: Int64, bytes: Int) throws(DatabaseFault) -> [QueueLease] {
    try file.read { database in
      var (leases, total): ([QueueLease], Int) = ([], 0)
      try database.rows(Self.selection, .integer(id), .integer(last)) { row in
        let lease = try Self.lease(row)
        leases.append(lease)
        total += lease.record.byteCount
        return total < bytes
      }
      return leases
    }
  }

  static let selection = """
    SELECT record.id, kind, items, checksum, metadata, bytes, size FROM record \
    LEFT JOIN payload ON payload.id = record.id WHERE record.id > ? AND record.id <= ? ORDER BY record.id
    """

  /// Reads a row of ``selection``.
  static func lease(_ row: RawRow) throws(DatabaseFault) -> QueueLease {
    let size = try RecordSize(
      id: row.integer(0), kind: row.integer(1), items: row.integer(2), bytes: row.integer(6))
    let record = QueueRecord(
      kind: size.kind, itemCount: size.items, metadata: row.bytes(4),
      payload: row.bytes(5))
    guard record.byteCount == size.bytes, Checksum.of(record.payload) == row.integer(3) else {
      throw DatabaseFault.damaged("record \(row.integer(0)) is not what was stored")
    }
    return QueueLease(id: row.integer(0), record: record)
  }

  /// Ascending ids as runs of successive ones: acknowledgements mostly come in order.
  static func ranges(_ ids: [Int64]) -> [ClosedRange<Int64>] {
    var ranges: [ClosedRange<Int64>] = []
    for id in ids {
      if let last = ranges.last, last.upperBound + 1 == id {
        ranges[ranges.count - 1] = last.lowerBound...id
      } else {
        ranges.append(id...id)
      }
    }
    return ranges
  }
}
