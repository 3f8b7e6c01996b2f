package import TelemetryData
internal import WireFormat

/// Gathers log records into one batch: those with equal resources and scopes under one head.
///
/// The records of the first group are written where they will stand in the batch, since most batches have no other;
/// those of further groups are kept apart until ``finish()``. A writer is used again for the next batch.
///
/// - Important: Strings are written as they are: what is no UTF-8 makes a batch that others refuse.
package struct LogBatchWriter: ~Copyable {
  /// Groups are compared by this: resource attributes as `KeyValue` fields, and the scope's name behind them.
  private var first: [UInt8] = []
  private var firstResourceCount = 0
  private var main: WireWriter
  private var resource: WireWriter.SizedMark?
  private var scope: WireWriter.SizedMark?
  private var others: [LogBatchGroup] = []
  /// The position of the group of the record before among `others`, -1 for the first group.
  private var current = -1
  /// The newest group by the hash of its key.
  private var positions: [Int: Int] = [:]
  /// The key of a record.
  private var key = WireWriter(capacity: 256)
  private var otherBytes = 0
  private var capacity: Int

  /// How many records there are.
  package private(set) var recordCount = 0

  /// - Parameter capacity: the expected size of a batch in bytes.
  package init(capacity: Int = 16 << 10) {
    self.capacity = capacity
    main = WireWriter(capacity: capacity)
  }

  package var isEmpty: Bool { recordCount == 0 }

  /// The size of the batch so far, in bytes; that of the heads of further groups is left out.
  package var byteCount: Int { main.count + otherBytes }

  // Records.

  /// Adds an entry.
  package mutating func append(_ entry: borrowing LogEntry) {
    recordCount += 1
    // Most entries have neither resource nor scope.
    var resourceCount = 0
    key.removeAll()
    if entry.chains[LogChain.resource.position].first >= 0 || !entry.scopeName.isEmpty {
      key.writeAttributes(1, .resource, of: entry)
      resourceCount = key.count
      key.write(entry.text(entry.scopeName))
    }
    if select(resourceCount) {
      let mark = main.beginMessage(2, expecting: max(128, entry.arena.count))
      main.writeLogRecord(entry)
      main.endMessage(mark)
    } else {
      let group = others[current]
      let before = group.records.count
      let mark = group.records.beginMessage(2, expecting: max(128, entry.arena.count))
      group.records.writeLogRecord(entry)
      group.records.endMessage(mark)
      otherBytes += group.records.count - before
    }
  }

  /// Adds a line as the body of a record, without an entry in between.
  ///
  /// - Parameters:
  ///   - observed: nanoseconds since the Unix epoch.
  ///   - frame: what the records of the file or connection have besides.
  package mutating func appendLine(_ line: Span<UInt8>, observed: UInt64, in frame: borrowing LogLineFrame) {
    let none: [UInt8] = []
    appendLine(
      line, isBytes: frame.bodyIsBytes, attributes: none.span, observed: observed, in: frame)
  }

  /// Adds a line that differs from the others of its frame.
  ///
  /// - Parameters:
  ///   - isBytes: whether the body is bytes rather than text, whatever the frame says.
  ///   - attributes: more attributes, as fields of `LogRecord`.
  package mutating func appendLine(
    _ line: Span<UInt8>, isBytes: Bool, attributes: Span<UInt8>, observed: UInt64,
    in frame: borrowing LogLineFrame
  ) {
    recordCount += 1
    if isFirst(frame) || choose(frame) {
      main.logLine(line, isBytes, attributes, observed, frame)
    } else {
      let group = others[current]
      let before = group.records.count
      group.records.logLine(line, isBytes, attributes, observed, frame)
      otherBytes += group.records.count - before
    }
  }

  private func isFirst(_ frame: borrowing LogLineFrame) -> Bool {
    scope != nil && current < 0 && firstResourceCount == frame.resource.count
      && first.count == firstResourceCount
      && frame.resource.span.hasSameBytes(as: first.span)
  }

  private mutating func choose(_ frame: borrowing LogLineFrame) -> Bool {
    key.removeAll()
    key.write(frame.resource.span)
    return select(frame.resource.count)
  }

  // Groups.

  /// Makes the group of `key` the current one; whether it is the first.
  private mutating func select(_ resourceCount: Int) -> Bool {
    if scope == nil {
      begin(resourceCount)
      return true
    }
    if matches(current, resourceCount) { return current < 0 }
    if current >= 0, matches(-1, resourceCount) {
      current = -1
      return true
    }
    let hash = key.bytes.seededHash
    var position = positions[hash] ?? -1
    while position >= 0, !matches(position, resourceCount) { position = others[position].earlier }
    if position < 0 {
      position = others.count
      others.append(
        LogBatchGroup(key: key.copy(), resourceCount: resourceCount, earlier: positions[hash] ?? -1))
      positions[hash] = position
    }
    current = position
    return false
  }

  private func matches(_ position: Int, _ resourceCount: Int) -> Bool {
    if position < 0 { return firstResourceCount == resourceCount && first.span.hasSameBytes(as: key.bytes) }
    let group = others[position]
    let groupKey = group.key
    return group.resourceCount == resourceCount && groupKey.span.hasSameBytes(as: key.bytes)
  }

  private mutating func begin(_ resourceCount: Int) {
    let bytes = key.copy()
    first = bytes
    firstResourceCount = resourceCount
    current = -1
    resource = main.beginMessage(1, expecting: capacity)
    main.writeResource(bytes, resourceCount)
    scope = main.beginMessage(2, expecting: capacity)
    main.writeScope(bytes, resourceCount)
  }

  // The batch.

  /// The batch of all records since the last one; empty when there were none.
  package mutating func finish() -> Batch {
    guard let scope, let resource else { return Batch(signal: .logs) }
    main.endMessage(scope)
    writeScopes(ofResource: first, firstResourceCount)
    main.endMessage(resource)
    for position in others.indices where !others[position].isWritten {
      let group = others[position]
      let mark = main.beginMessage(1, expecting: group.records.count)
      main.writeResource(group.key, group.resourceCount)
      writeScopes(ofResource: group.key, group.resourceCount)
      main.endMessage(mark)
    }
    let batch = takeBytes()
    self.scope = nil
    self.resource = nil
    others.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    otherBytes = 0
    recordCount = 0
    do throws(WireError) {
      return try Batch(bytes: batch, signal: .logs, validation: .framing)
    } catch {
      assertionFailure("a batch of logs is malformed: \(error)")
      return Batch(signal: .logs)
    }
  }

  /// Writes the groups that have a resource and are not written yet.
  private mutating func writeScopes(ofResource key: [UInt8], _ resourceCount: Int) {
    for group in others where !group.isWritten && group.hasResource(key, resourceCount) {
      let mark = main.beginMessage(2, expecting: group.records.count)
      main.writeScope(group.key, group.resourceCount)
      main.write(group.records.bytes)
      main.endMessage(mark)
      group.isWritten = true
    }
  }

  /// What was written; the next batch gets as much room as this one took.
  private mutating func takeBytes() -> [UInt8] {
    let count = main.count
    // A small batch in much room would count as much in every queue.
    if count < main.capacity / 4 * 3 {
      let bytes = main.copy()
      main.removeAll()
      if count < capacity / 8 {
        capacity = max(4096, capacity / 2)
        main = WireWriter(capacity: capacity)
      }
      return bytes
    }
    capacity = count + count / 8
    var writer = WireWriter(capacity: capacity)
    swap(&writer, &main)
    return writer.finish()
  }
}

/// What the records of one file or connection have in common, ready to be written.
package struct LogLineFrame: Sendable {
  /// The attributes of each record as fields of `LogRecord`.
  let attributes: [UInt8]
  /// The attributes of the resource as fields of `Resource`.
  let resource: [UInt8]
  /// Whether a line is bytes rather than a string: its encoding is not to be touched.
  let bodyIsBytes: Bool

  /// - Parameters:
  ///   - entry: its attributes and resource are taken.
  ///   - bodyIsBytes: whether lines are bytes rather than text.
  package init(_ entry: borrowing LogEntry, bodyIsBytes: Bool = false) {
    var writer = WireWriter()
    writer.writeAttributes(6, .attributes, of: entry)
    attributes = writer.copy()
    writer.removeAll()
    writer.writeAttributes(1, .resource, of: entry)
    resource = writer.copy()
    self.bodyIsBytes = bodyIsBytes
  }
}

/// Records of one resource and scope that are not the first of a batch.
final class LogBatchGroup {
  let key: [UInt8]
  let resourceCount: Int
  /// The group before with the same hash, or -1.
  let earlier: Int
  var records = WireWriter(capacity: 1024)
  var isWritten = false

  init(key: [UInt8], resourceCount: Int, earlier: Int) {
    self.key = key
    self.resourceCount = resourceCount
    self.earlier = earlier
  }

  func hasResource(_ other: [UInt8], _ count: Int) -> Bool {
    let key = key
    return resourceCount == count
      && key.span.extracting(first: count).hasSameBytes(as: other.span.extracting(first: count))
  }
}

extension WireWriter {
  /// What was written, in no more room than it takes.
  fileprivate borrowing func copy() -> [UInt8] {
    var writer = WireWriter(capacity: count)
    writer.write(bytes)
    return writer.finish()
  }

  /// Writes the `Resource` of a group's key.
  fileprivate mutating func writeResource(_ key: [UInt8], _ count: Int) {
    bytesField(1, key.span.extracting(first: count))
  }

  /// Writes the `InstrumentationScope` of a group's key.
  fileprivate mutating func writeScope(_ key: [UInt8], _ resourceCount: Int) {
    let mark = beginMessage(1)
    if key.count > resourceCount { bytesField(1, key.span.extracting(resourceCount..<key.count)) }
    endMessage(mark)
  }

  /// Writes a whole `LogRecord` field of a line; the sizes are known, so nothing is moved.
  fileprivate mutating func logLine(
    _ line: Span<UInt8>, _ isBytes: Bool, _ attributes: Span<UInt8>, _ observed: UInt64,
    _ frame: borrowing LogLineFrame
  ) {
    // The fields of `AnyValue`.
    let field: UInt32 = isBytes ? 7 : 1
    let value = Varint.fieldLength(field, payload: line.count)
    let size =
      Varint.fieldLength(5, payload: value) + frame.attributes.count + attributes.count + 9
    writeTag(.lengthDelimited(2))
    writeVarint(UInt64(size))
    writeTag(.lengthDelimited(5))
    writeVarint(UInt64(value))
    bytesField(field, line)
    write(frame.attributes.span)
    write(attributes)
    fixed64Field(11, observed)
  }
}
