internal import PipelineKit
internal import TelemetryData
internal import TimeFormats
internal import WireFormat

/// The log records that are different from each other, and how often each of them came.
struct EqualRecords: IntervalStore {
  /// What counts of a record, and how one is sent.
  struct Form {
    let countAttribute: String
    let times: TimeLayout
    let removal: LogFieldRemoval
    let included: [LogFieldPath]
    let counts: SelfMetricHistogram
  }

  private struct Record {
    /// The fields of the first that came, without those that do not count.
    let fields: [UInt8]
    /// When it came, nanoseconds since the Unix epoch.
    let first: UInt64
    var last: UInt64
    var count = 1
  }
  private struct Place {
    let scope: Int
    let record: Int
  }

  private let seed: StreamSeed
  private let form: Form
  private var scopes: HeldScopes
  /// By the places of their scopes.
  private var records: [Int: [Record]] = [:]
  private var places: [StreamID: Place] = [:]
  private var ownBytes = 0

  init(_ seed: StreamSeed, _ form: Form) {
    self.seed = seed
    self.form = form
    scopes = HeldScopes(seed)
  }

  var isEmpty: Bool { places.isEmpty }
  var byteCount: Int { ownBytes + scopes.byteCount }

  mutating func take(_ batch: Batch, unixTime: UInt64) -> IntervalIntake {
    var merged = 0
    var identities = StreamScopes(seed)
    var writer = WireWriter(capacity: 1024)
    for position in 0..<batch.recordCount {
      let scopeID = identities.scopeID(ofItem: position, in: batch)
      let record = batch.logRecord(at: position)
      let isNew: Bool
      if form.removal.isEmpty {
        isNew = take(record, scopeID, position, in: batch, unixTime)
      } else {
        writer.removeAll()
        form.removal.write(record, to: &writer)
        let kept = WireMessage(writer.bytes, WireRange(0, writer.count))
        isNew = take(LogRecordView(kept), scopeID, position, in: batch, unixTime)
      }
      if !isNew { merged += 1 }
    }
    return IntervalIntake(rest: Batch(signal: .logs), merged: merged)
  }

  /// Takes a record in; false when there was an equal one.
  private mutating func take(
    _ record: LogRecordView, _ scopeID: StreamID, _ position: Int, in batch: Batch, _ unixTime: UInt64
  ) -> Bool {
    let id = identity(of: record, scopeID)
    if let place = places[id] {
      records[place.scope]?[place.record].count += 1
      records[place.scope]?[place.record].last = unixTime
      return false
    }
    let scope = scopes.place(of: batch.index.scope(ofItem: position), scopeID, in: batch)
    let held = Record(fields: record.message.content, first: unixTime, last: unixTime)
    places[id] = Place(scope: scope, record: records[scope]?.count ?? 0)
    records[scope, default: []].append(held)
    ownBytes += held.fields.count + 160
    return true
  }

  private func identity(of record: LogRecordView, _ scopeID: StreamID) -> StreamID {
    var digest = StreamDigest(seed, from: scopeID)
    if !form.included.isEmpty {
      var isFound = false
      for (number, path) in form.included.enumerated() {
        digest.add(UInt64(number))
        if path.add(record, to: &digest) { isFound = true }
      }
      if isFound { return digest.id }
      digest = StreamDigest(seed, from: scopeID)
    }
    digest.add(record.attributes)
    if let body = record.body { digest.add(body) }
    digest.add(UInt64(bitPattern: Int64(record.severityNumber)))
    digest.add(record.severityText)
    return digest.id
  }

  mutating func flush(unixTime: UInt64) -> Batch? {
    if places.isEmpty { return nil }
    let batch = scopes.batch(.logs, capacity: byteCount) { scope, writer in
      for record in records[scope] ?? [] {
        form.counts.record(record.count)
        writer.message(2) { write(record, unixTime, to: &$0) }
      }
    }
    self = EqualRecords(seed, form)
    return batch
  }

  private func write(_ record: Record, _ unixTime: UInt64, to writer: inout WireWriter) {
    let attributes: [(key: String, value: AnyValue)] = [
      (form.countAttribute, .int(Int64(record.count))),
      ("first_observed_timestamp", .string(text(record.first))),
      ("last_observed_timestamp", .string(text(record.last))),
    ]
    let bytes = record.fields.span
    writer.fixed64Field(1, unixTime)
    var cursor = WireCursor(bytes)
    while let field = cursor.nextField() {
      if field.fieldNumber == 1 || field.fieldNumber == 11 { continue }
      if field.tag == .lengthDelimited(6) {
        let key = AttributeView(WireMessage(bytes, field.value)).key.string
        if attributes.contains(where: { $0.key == key }) { continue }
      }
      writer.write(bytes, in: field.range)
    }
    for attribute in attributes { writer.message(6) { $0.writeKeyValue(attribute.key, attribute.value) } }
    writer.fixed64Field(11, record.first)
  }

  private func text(_ unixTime: UInt64) -> String {
    form.times.text(nanoseconds: Int64(clamping: unixTime))
  }
}
