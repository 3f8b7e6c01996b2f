internal import GRDB

/// Sets damaged databases aside and saves what can still be read of them.
struct Salvage {
  let path: String
  let key: StorageKey
  let options: StorageOptions

  /// Opens a queue, or sets the file aside and starts a new one with what was readable.
  func openQueue() throws -> QueueDatabase {
    do {
      let database = try QueueDatabase(path, options: options)
      _ = try database.content()
      return database
    } catch let fault as DatabaseFault {
      guard case .damaged(let reason) = fault else { throw fault.error(at: path) }
      return try replaceQueue(reason: reason, isOpening: true)
    }
  }

  /// Sets the queue's file aside, whose connection is closed, and starts a new one; records keep their ids.
  ///
  /// - Parameters:
  ///   - acknowledged: records that need not be saved.
  ///   - inMemory: records that are not lost even if they cannot be saved.
  ///   - isOpening: whether nobody has been told yet what the queue holds.
  func replaceQueue(
    reason: String, acknowledged: Set<Int64> = [], inMemory: Set<Int64> = [], isOpening: Bool = false
  ) throws -> QueueDatabase {
    let aside = setAside()
    do {
      let database = try QueueDatabase(path, options: options)
      var (salvaged, lost): (QueueTotals, QueueTotals?) = (QueueTotals(), nil)
      if let aside, let old = try? DatabaseFile(aside, purpose: .queue, options: options) {
        (salvaged, lost) = copyRecords(
          from: old, to: database, except: acknowledged, inMemory: inMemory)
        old.close()
      }
      report(reason, aside, salvaged: salvaged.records, lost: lost, isOpening: isOpening)
      return database
    } catch let fault as DatabaseFault { throw fault.error(at: path) }
  }

  /// Opens checkpoints, or sets the file aside and starts a new one with what was readable.
  func openCheckpoints() throws -> DatabaseFile {
    do {
      let file = try DatabaseFile(path, purpose: .checkpoints, options: options)
      _ = try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM checkpoint") }
      return file
    } catch let fault as DatabaseFault {
      guard case .damaged(let reason) = fault else { throw fault.error(at: path) }
      return try replaceCheckpoints(reason: reason)
    }
  }

  /// Sets the file of checkpoints aside, whose connection is closed, and starts a new one.
  func replaceCheckpoints(reason: String) throws -> DatabaseFile {
    let aside = setAside()
    do {
      let file = try DatabaseFile(path, purpose: .checkpoints, options: options)
      var salvaged = 0
      if let aside, let old = try? DatabaseFile(aside, purpose: .checkpoints, options: options) {
        salvaged = copyCheckpoints(from: old, to: file)
        old.close()
      }
      report(reason, aside, salvaged: salvaged, lost: nil, isOpening: false)
      return file
    } catch let fault as DatabaseFault { throw fault.error(at: path) }
  }

  private func report(
    _ reason: String, _ aside: String?, salvaged: Int, lost: QueueTotals?, isOpening: Bool
  ) {
    options.report(
      .damaged(
        DamageReport(
          key: key, reason: reason, setAside: aside, salvaged: salvaged, lost: lost?.records,
          lostItems: lost?.itemsByKind.filter { $0.value > 0 }, isOpening: isOpening)))
  }

  /// Stands between the name of a database and the time it was set aside.
  static let mark = ".damaged-"

  /// Renames the database and its log; nil when that fails, and then removes them.
  private func setAside() -> String? {
    let stem = "\(path)\(Self.mark)\(options.unixSeconds())"
    var name = stem
    var attempt = 1
    while FilePrimitives.exists(name) {
      attempt += 1
      name = "\(stem).\(attempt)"
    }
    guard FilePrimitives.rename(path, to: name) else {
      for ending in ["", "-wal", "-shm"] { FilePrimitives.remove(path + ending) }
      return nil
    }
    if !FilePrimitives.rename(path + "-wal", to: name + "-wal") { FilePrimitives.remove(path + "-wal") }
    FilePrimitives.remove(path + "-shm")
    FilePrimitives.sync(StorageDirectory.parent(of: path))
    Self.extendToDeclaredSize(name)
    return name
  }

  /// Fills a truncated file up with zeros to the size that its header declares: SQLite reads nothing of a shorter one.
  private static func extendToDeclaredSize(_ path: String) {
    let header = FilePrimitives.prefix(of: path, count: 32)
    guard header.count == 32, header.starts(with: Array("SQLite format 3\0".utf8)) else { return }
    let declared = Int(header[16]) << 8 | Int(header[17])
    let pageBytes = declared == 1 ? 65536 : declared
    let pages = header[28...].reduce(0) { $0 << 8 | Int($1) }
    // A header that is damaged itself may declare terabytes, or pages of nothing.
    guard pageBytes >= 512, pages <= FilePrimitives.size(of: path) / pageBytes * 64 + 1024 else { return }
    FilePrimitives.extend(path, to: pageBytes * pages)
  }

  /// How often reading goes on behind an unreadable place.
  private static let mostGaps = 64

  /// Copies readable records; gives how much they are, and how much is known to be lost.
  private func copyRecords(
    from old: DatabaseFile, to new: QueueDatabase, except acknowledged: Set<Int64>, inMemory: Set<Int64>
  ) -> (salvaged: QueueTotals, lost: QueueTotals?) {
    // The small rows may be readable where the payloads are not.
    var lost = listed(in: old, except: acknowledged.union(inMemory))
    var (salvaged, last, gaps): (QueueTotals, Int64, Int) = (QueueTotals(), 0, 0)
    while true {
      do {
        var group: [QueueDatabase.Insertion] = []
        var bytes = 0
        var read = last
        let readError: DatabaseFault?
        do {
          try old.read { database in
            try database.rows(QueueDatabase.selection, .integer(last), .integer(.max)) { row in
              let id = row.integer(0)
              if !acknowledged.contains(id) {
                let lease = try QueueDatabase.lease(row)
                group.append(QueueDatabase.Insertion(id: id, record: lease.record))
                bytes += lease.record.byteCount
              }
              read = id
              return bytes < StorageOptions.transactionBytes
            }
          }
          readError = nil
        } catch { readError = error }
        try new.commit(removed: [], added: group)
        for insertion in group {
          salvaged.add(RecordSize(insertion.record))
          if !inMemory.contains(insertion.id) { lost?.subtract(RecordSize(insertion.record)) }
        }
        let moved = read > last
        last = read
        if readError != nil {
          gaps += 1
          if gaps > Self.mostGaps { break }
          // Step over the record that cannot be read; over more of them the more there are.
          last += 1 << Int64(max(0, gaps - 32))
        } else if !moved {
          break
        }
      } catch { break }
    }
    // Small rows that are damaged themselves count nothing that can be relied on.
    return (salvaged, lost.flatMap { $0.isPossible ? $0 : nil })
  }

  /// What the small rows say is stored; nil when not all of them can be read and believed.
  private func listed(in old: DatabaseFile, except acknowledged: Set<Int64>) -> QueueTotals? {
    try? old.read { database in
      var totals = QueueTotals()
      try database.rows(RecordSize.selection) { row in
        if !acknowledged.contains(row.integer(0)) { totals.add(try RecordSize(row)) }
        return true
      }
      return totals
    }
  }

  private func copyCheckpoints(from old: DatabaseFile, to new: DatabaseFile) -> Int {
    var entries: [(key: String, value: [UInt8])] = []
    try? old.read { database in
      try database.rows("SELECT key, value FROM checkpoint") { row in
        entries.append((row.text(0), row.bytes(1)))
        return true
      }
    }
    do {
      try new.write { database in
        for entry in entries {
          try database.run(
            "INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", .text(entry.key), .bytes(entry.value))
        }
      }
    } catch { return 0 }
    return entries.count
  }
}
