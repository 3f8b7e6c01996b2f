/// What a ``DurableQueue`` keeps: bytes, and what must be known about them without reading them.
package struct QueueRecord: Sendable, Equatable {
  /// Tells payloads of several formats apart; the queue does not look at it.
  package var kind: UInt8
  /// What the payload counts for.
  package var itemCount: Int
  /// A few bytes beside the payload.
  package var metadata: [UInt8]
  package var payload: [UInt8]

  package init(kind: UInt8, itemCount: Int, metadata: [UInt8] = [], payload: [UInt8]) {
    self.kind = kind
    self.itemCount = itemCount
    self.metadata = metadata
    self.payload = payload
  }

  /// Payload and metadata, in bytes.
  package var byteCount: Int { payload.count + metadata.count }
}

/// A record that a consumer works on: it stays stored until it is acknowledged.
package struct QueueLease: Sendable {
  /// Its place in the queue: ascending, unique among the records that are stored.
  package let id: Int64
  package let record: QueueRecord

  package init(id: Int64, record: QueueRecord) {
    self.id = id
    self.record = record
  }
}

/// How much is stored and not acknowledged.
package struct QueueTotals: Sendable, Hashable {
  package private(set) var records = 0
  package private(set) var items = 0
  /// Payload and metadata, in bytes.
  package private(set) var bytes = 0
  /// Items by the kind of their record.
  package private(set) var itemsByKind: [UInt8: Int] = [:]
  package init() {}

  mutating func add(_ size: RecordSize) { change(size, 1) }
  mutating func subtract(_ size: RecordSize) { change(size, -1) }

  /// Whether nothing counts below zero.
  var isPossible: Bool { records >= 0 && bytes >= 0 && itemsByKind.values.allSatisfy { $0 >= 0 } }

  private mutating func change(_ size: RecordSize, _ sign: Int) {
    records += sign
    items += sign * size.items
    bytes += sign * size.bytes
    itemsByKind[size.kind, default: 0] += sign * size.items
  }
}

/// How much a queue may hold; nil is no limit.
package struct QueueLimits: Sendable, Hashable {
  package var records: Int?
  package var items: Int?
  package var bytes: Int?

  package init(records: Int? = nil, items: Int? = nil, bytes: Int? = nil) {
    self.records = records
    self.items = items
    self.bytes = bytes
  }
}

/// What one record counts for.
struct RecordSize: Sendable, Hashable {
  let kind: UInt8
  let items: Int
  /// Payload and metadata.
  let bytes: Int

  init(kind: UInt8, items: Int, bytes: Int) {
    self.kind = kind
    self.items = items
    self.bytes = bytes
  }

  init(_ record: QueueRecord) {
    self.init(kind: record.kind, items: record.itemCount, bytes: record.byteCount)
  }

  /// Takes what a database says. Refuses numbers that no queue writes before anybody counts with them: ids start at 1
  /// and never come near the end of the type, and SQLite's blobs end at 2 GiB.
  init(id: Int64, kind: Int64, items: Int64, bytes: Int64) throws(DatabaseFault) {
    let counts = 0...Int64(UInt32.max)
    guard (1...Int64.max / 2).contains(id), counts.contains(items), counts.contains(bytes) else {
      throw .damaged("record \(id) has impossible numbers")
    }
    self.init(kind: UInt8(truncatingIfNeeded: kind), items: Int(items), bytes: Int(bytes))
  }

  /// About how much of the database file the record takes, in bytes, after SQLite's file format §1.6: what does not
  /// fit into a leaf page goes to overflow pages of its own.
  var footprint: Int {
    let usable = Schema.pageBytes
    let (largestLocal, smallestLocal) = (usable - 35, (usable - 12) * 32 / 255 - 23)
    guard bytes > largestLocal else {
      let cell = bytes + 16
      return usable / max(1, (usable - 12) / cell) + Self.rowBytes
    }
    let remainder = smallestLocal + (bytes - smallestLocal) % (usable - 4)
    let local = remainder <= largestLocal ? remainder : smallestLocal
    let overflow = (bytes - local + usable - 5) / (usable - 4)
    return local + overflow * usable + Self.rowBytes
  }

  /// The row of the `record` table.
  private static let rowBytes = 32
}

extension RecordSize {
  /// What ``init(_:)-(RawRow)`` reads.
  static let selection = "SELECT id, kind, items, size FROM record"

  init(_ row: RawRow) throws(DatabaseFault) {
    try self.init(
      id: row.integer(0), kind: row.integer(1), items: row.integer(2), bytes: row.integer(3))
  }
}
