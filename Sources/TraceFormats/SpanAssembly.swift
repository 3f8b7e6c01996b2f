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
/// Groups have the order in which they came first, and so have the spans within them. What is kept of a group is small,
/// since a sender may make one of each span.
package final class SpanAssembly {
  private struct Entry {
    var scope: UInt32
    /// The fields of the span, in ``spans``.
    var span: WireRange
  }
  private struct Scope {
    var resource: UInt32
    /// The whole field of the `InstrumentationScope`, in ``texts``; empty without one.
    var field: WireRange
    var spans: UInt32 = 0
    var bytes = 0
  }

  private let limit: Int
  private var spans: WireWriter
  private var entries: [Entry] = []
  /// The fields of resources and scopes.
  private var texts = WireWriter(capacity: 256)
  /// The fields of each resource's message, in ``texts``.
  private var resources: [WireRange] = []
  private var scopes: [Scope] = []
  private var resourceIndex = TextIndex()
  private var scopeIndex = TextIndex()

  /// - Parameter limit: bytes of spans; more are refused with ``TraceFormatError/tooLarge``.
  package init(capacity: Int = 1024, limit: Int = 1 << 30) {
    self.limit = min(limit, 1 << 30)
    spans = WireWriter(capacity: capacity)
  }

  /// The number of spans.
  package var spanCount: Int { entries.count }

  /// The position of a resource, given the fields of its message.
  func resource(_ fields: [UInt8]) -> Int {
    let hash = TextIndex.hash(fields.span, 0)
    var known = resourceIndex.first(hash)
    while let position = known {
      if texts.bytes.extracting(resources[position].range).hasSameBytes(as: fields.span) { return position }
      known = resourceIndex.next(position)
    }
    resources.append(keep(fields.span))
    resourceIndex.add(hash)
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
    let hash = TextIndex.hash(field.span, resource)
    var known = scopeIndex.first(hash)
    while let position = known {
      let scope = scopes[position]
      if scope.resource == UInt32(truncatingIfNeeded: resource),
        texts.bytes.extracting(scope.field.range).hasSameBytes(as: field.span)
      {
        return position
      }
      known = scopeIndex.next(position)
    }
    scopes.append(Scope(resource: UInt32(truncatingIfNeeded: resource), field: keep(field.span)))
    scopeIndex.add(hash)
    return scopes.count - 1
  }

  private func keep(_ text: Span<UInt8>) -> WireRange {
    let start = texts.count
    texts.write(text)
    return WireRange(start, texts.count)
  }

  /// Adds a span whose fields a closure writes.
  func addSpan(
    to scope: Int, _ body: (inout WireWriter) -> Void
  ) throws(TraceFormatError) {
    let start = spans.count
    body(&spans)
    if spans.count > limit || texts.count > limit { throw TraceFormatError(.tooLarge, at: 0) }
    entries.append(Entry(scope: UInt32(truncatingIfNeeded: scope), span: WireRange(start, spans.count)))
  }

  /// Takes back the spans that were added after there were so many.
  func removeSpans(after count: Int) { entries.removeLast(max(0, entries.count - count)) }

  /// The batch of all spans; nothing is left behind.
  package func finish() throws(TraceFormatError) -> Batch {
    defer { removeAll() }
    if entries.isEmpty { return Batch(signal: .traces) }
    for entry in entries {
      let scope = Int(entry.scope)
      scopes[scope].spans &+= 1
      scopes[scope].bytes += Varint.fieldLength(2, payload: entry.span.count)
    }
    let bytes = write(Self.grouped(entries.map(\.scope), into: scopes.count))
    do throws(WireError) {
      return try Batch(bytes: bytes, signal: .traces, validation: .framing)
    } catch {
      throw TraceFormatError(.tooLarge, at: 0)
    }
  }

  /// The positions of elements by their groups, each group in order.
  private static func grouped(_ groups: [UInt32], into count: Int) -> [UInt32] {
    var next = [UInt32](repeating: 0, count: count + 1)
    for group in groups { next[Int(group) + 1] &+= 1 }
    for group in 0..<count { next[group + 1] &+= next[group] }
    var order = [UInt32](repeating: 0, count: groups.count)
    for (position, group) in groups.enumerated() {
      order[Int(next[Int(group)])] = UInt32(truncatingIfNeeded: position)
      next[Int(group)] &+= 1
    }
    return order
  }

  private func write(_ order: [UInt32]) -> [UInt8] {
    var writer = WireWriter(capacity: spans.count + spans.count / 16 + texts.count + 256)
    let byResource = Self.grouped(scopes.map(\.resource), into: resources.count)
    var starts = [Int](repeating: 0, count: scopes.count)
    var start = 0
    for (position, scope) in scopes.enumerated() {
      starts[position] = start
      start += Int(scope.spans)
    }
    var next = 0
    while next < byResource.count {
      let resource = Int(scopes[Int(byResource[next])].resource)
      var end = next
      var size = resources[resource].count
      while end < byResource.count, Int(scopes[Int(byResource[end])].resource) == resource {
        size += scopes[Int(byResource[end])].bytes + scopes[Int(byResource[end])].field.count
        end += 1
      }
      write(resource, byResource[next..<end], size: size, starts, order, to: &writer)
      next = end
    }
    return writer.finish()
  }

  /// Writes a resource with its scopes, as far as they have spans.
  private func write(
    _ resource: Int, _ positions: ArraySlice<UInt32>, size: Int, _ starts: [Int], _ order: [UInt32],
    to writer: inout WireWriter
  ) {
    guard positions.contains(where: { scopes[Int($0)].spans > 0 }) else { return }
    let outer = writer.beginMessage(1, expecting: size)
    writer.bytesField(1, texts.bytes.extracting(resources[resource].range))
    for position in positions {
      let scope = scopes[Int(position)]
      if scope.spans == 0 { continue }
      let mark = writer.beginMessage(2, expecting: scope.bytes + scope.field.count)
      writer.write(texts.bytes.extracting(scope.field.range))
      let start = starts[Int(position)]
      for index in start..<start + Int(scope.spans) {
        writer.bytesField(2, spans.bytes.extracting(entries[Int(order[index])].span.range))
      }
      writer.endMessage(mark)
    }
    writer.endMessage(outer)
  }

  private func removeAll() {
    spans.removeAll()
    texts.removeAll()
    entries.removeAll(keepingCapacity: true)
    scopes.removeAll(keepingCapacity: true)
    resources.removeAll(keepingCapacity: true)
    resourceIndex.removeAll()
    scopeIndex.removeAll()
  }
}

/// Finds texts by their hash, of which the positions are kept and nothing else.
private struct TextIndex {
  private var last: [Int: UInt32] = [:]
  /// For each position the one before it with the same hash.
  private var before: [UInt32] = []
  private static let none = UInt32.max

  /// A hash that senders cannot foresee.
  static func hash(_ text: Span<UInt8>, _ group: Int) -> Int {
    var hasher = Hasher()
    hasher.combine(group)
    hasher.combine(text.count)
    var position = 0
    while position &+ 8 <= text.count {
      hasher.combine(text.loadUInt64(at: position))
      position &+= 8
    }
    while position < text.count {
      hasher.combine(text[position])
      position &+= 1
    }
    return hasher.finalize()
  }

  /// The last position with a hash.
  func first(_ hash: Int) -> Int? { last[hash].map { Int($0) } }

  /// The position before one, with the same hash.
  func next(_ position: Int) -> Int? { before[position] == Self.none ? nil : Int(before[position]) }

  /// Gives a hash the next position.
  mutating func add(_ hash: Int) {
    before.append(last[hash] ?? Self.none)
    last[hash] = UInt32(truncatingIfNeeded: before.count - 1)
  }

  mutating func removeAll() {
    last.removeAll(keepingCapacity: true)
    before.removeAll(keepingCapacity: true)
  }
}
