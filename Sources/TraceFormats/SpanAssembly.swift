package import TelemetryData
internal import WireFormat

/// Spans that were read from another format, and what could not be.
package struct TraceReading: Sendable {
  package var batch: Batch
  /// Spans that are not in the batch, since they have no valid ids.
  package var faults: SpanDrops
}

/// Gathers spans in any order and writes them as one OTLP request, grouped by resource and scope.
///
/// Groups have the order in which they came first, and so have the spans within them.
package final class SpanAssembly {
  private struct Entry {
    var scope: UInt32
    /// The fields of the span, in ``arena``.
    var span: WireRange
  }
  private struct Scope {
    var resource: Int
    /// The whole field of the `InstrumentationScope`; empty without one.
    var field: [UInt8]
    var spans = 0
    var bytes = 0
  }
  private struct Resource {
    /// The fields of the `Resource`.
    var fields: [UInt8]
    var scopes: [Int] = []
  }

  private let limit: Int
  private var arena: WireWriter
  private var entries: [Entry] = []
  private var scopes: [Scope] = []
  private var resources: [Resource] = []
  private var resourcePositions: [[UInt8]: Int] = [:]
  private var scopePositions: [ScopeKey: Int] = [:]

  private struct ScopeKey: Hashable {
    var resource: Int
    var field: [UInt8]
  }

  /// - Parameter limit: bytes of spans; more are refused with ``TraceFormatError/tooLarge``.
  package init(capacity: Int = 1024, limit: Int = 1 << 30) {
    self.limit = min(limit, 1 << 30)
    arena = WireWriter(capacity: capacity)
  }

  /// The number of spans.
  package var spanCount: Int { entries.count }
  /// About the number of bytes that the request will have.
  package var byteCount: Int { arena.count }

  /// The position of a resource, given the fields of its message.
  func resource(_ fields: [UInt8]) -> Int {
    if let known = resourcePositions[fields] { return known }
    resources.append(Resource(fields: fields))
    resourcePositions[fields] = resources.count - 1
    return resources.count - 1
  }

  /// The position of a scope of a resource.
  func scope(of resource: Int, name: Span<UInt8>, version: Span<UInt8>) -> Int {
    if name.isEmpty, version.isEmpty { return scope(of: resource, field: []) }
    var writer = WireWriter(capacity: name.count + version.count + 32)
    writer.message(1) { writer in
      if !name.isEmpty { writer.textField(1, name) }
      if !version.isEmpty { writer.textField(2, version) }
    }
    return scope(of: resource, field: writer.finish())
  }

  private func scope(of resource: Int, field: [UInt8]) -> Int {
    if let first = resources[resource].scopes.first, scopes[first].field == field { return first }
    let key = ScopeKey(resource: resource, field: field)
    if let known = scopePositions[key] { return known }
    scopes.append(Scope(resource: resource, field: field))
    resources[resource].scopes.append(scopes.count - 1)
    scopePositions[key] = scopes.count - 1
    return scopes.count - 1
  }

  /// Adds a span whose fields a closure writes.
  func addSpan(
    to scope: Int, _ body: (inout WireWriter) -> Void
  ) throws(TraceFormatError) {
    let start = arena.count
    body(&arena)
    if arena.count > limit { throw TraceFormatError(.tooLarge, at: 0) }
    entries.append(Entry(scope: UInt32(truncatingIfNeeded: scope), span: WireRange(start, arena.count)))
  }

  /// Takes back the spans that were added after there were so many.
  func removeSpans(after count: Int) { entries.removeLast(max(0, entries.count - count)) }

  /// The batch of all spans; nothing is left behind.
  package func finish() throws(TraceFormatError) -> Batch {
    defer { removeAll() }
    if entries.isEmpty { return Batch(signal: .traces) }
    for entry in entries {
      let size = Varint.fieldLength(2, payload: entry.span.count)
      scopes[Int(entry.scope)].spans += 1
      scopes[Int(entry.scope)].bytes += size
    }
    // By scope, in the order in which they came.
    var next: [Int] = []
    var place = 0
    for scope in scopes {
      next.append(place)
      place += scope.spans
    }
    var order = [Int](repeating: 0, count: entries.count)
    for (position, entry) in entries.enumerated() {
      order[next[Int(entry.scope)]] = position
      next[Int(entry.scope)] += 1
    }
    let bytes = write(order, ends: next)
    do throws(WireError) {
      return try Batch(bytes: bytes, signal: .traces, validation: .framing)
    } catch {
      throw TraceFormatError(.tooLarge, at: 0)
    }
  }

  private func write(_ order: [Int], ends: [Int]) -> [UInt8] {
    var writer = WireWriter(capacity: arena.count + arena.count / 16 + 256)
    for resource in resources {
      let used = resource.scopes.filter { scopes[$0].spans > 0 }
      if used.isEmpty { continue }
      let size = used.reduce(resource.fields.count) { $0 + scopes[$1].bytes + scopes[$1].field.count }
      let resourceMark = writer.beginMessage(1, expecting: size)
      writer.bytesField(1, resource.fields)
      for position in used {
        let scope = scopes[position]
        let mark = writer.beginMessage(2, expecting: scope.bytes + scope.field.count)
        writer.write(scope.field.span)
        for index in ends[position] - scope.spans..<ends[position] {
          writer.bytesField(2, arena.bytes.extracting(entries[order[index]].span.range))
        }
        writer.endMessage(mark)
      }
      writer.endMessage(resourceMark)
    }
    return writer.finish()
  }

  private func removeAll() {
    arena.removeAll()
    entries.removeAll(keepingCapacity: true)
    scopes.removeAll(keepingCapacity: true)
    resources.removeAll(keepingCapacity: true)
    resourcePositions.removeAll(keepingCapacity: true)
    scopePositions.removeAll(keepingCapacity: true)
  }
}

extension WireWriter {
  /// A string field; bytes that are not UTF-8 are replaced, as OTLP knows no others.
  @inline(__always)
  mutating func textField(_ number: UInt32, _ text: Span<UInt8>) {
    if UTF8Check.isValid(text) {
      bytesField(number, text)
    } else {
      stringField(number, BytesView(text).string)
    }
  }

  /// An attribute with a text.
  @inline(__always)
  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, text: Span<UInt8>) {
    if UTF8Check.isValid(key), UTF8Check.isValid(text) { return pairField(number, key: key, 1, text) }
    pairField(number, key: BytesView(key).string.utf8.span, 1, BytesView(text).string.utf8.span)
  }

  /// An attribute with an integer (`valueNumber` 3) or a boolean (2).
  @inline(__always)
  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, _ valueNumber: UInt32, varint: UInt64) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, valueNumber, varint: varint) }
    pairField(number, key: BytesView(key).string.utf8.span, valueNumber, varint: varint)
  }

  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, double: UInt64) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, 4, fixed64: double) }
    pairField(number, key: BytesView(key).string.utf8.span, 4, fixed64: double)
  }

  mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, bytes: Span<UInt8>) {
    if UTF8Check.isValid(key) { return pairField(number, key: key, 7, bytes) }
    pairField(number, key: BytesView(key).string.utf8.span, 7, bytes)
  }

  /// A field of type bytes with a big-endian number.
  mutating func idField(_ number: UInt32, _ id: UInt64) {
    writeTag(.lengthDelimited(number))
    writeVarint(8)
    writeFixed64(id.byteSwapped)
  }

  mutating func idField(_ number: UInt32, _ high: UInt64, _ low: UInt64) {
    writeTag(.lengthDelimited(number))
    writeVarint(16)
    writeFixed64(high.byteSwapped)
    writeFixed64(low.byteSwapped)
  }
}
