internal import TelemetryData
internal import WireFormat

/// Moves spans of one batch into a ``SpanStore``, together with their resources and scopes.
struct BatchReader {
  let batch: Batch
  private let items: [BatchIndex.Item]
  private let conditions: SpanConditions
  private var resource: (position: Int, place: UInt32)?
  private var scope: (position: Int, place: UInt32)?
  /// The scope that was looked for last.
  private var scopePosition = 0
  private var scopeItems = 0..<0

  init(_ batch: Batch, conditions: SpanConditions) {
    self.batch = batch
    items = batch.index.items
    self.conditions = conditions
  }

  /// The message of a span.
  @_lifetime(borrow self)
  func message(at item: Int) -> WireMessage { WireMessage(batch.bytes.span, items[item].payload) }

  /// Gives back what it holds.
  func finish(_ store: inout SpanStore) {
    if let scope { store.contexts.release(scope.place) }
    if let resource { store.contexts.release(resource.place) }
  }

  /// Runs are no longer than so many bytes, unless one span is: batches are made of whole runs.
  private static let longestRun = 256 << 10

  /// The trace ids of all spans; zero where there is none.
  func traceIDs() -> [TraceID] {
    items.indices.map { batch.traceID(at: $0) ?? TraceID(high: 0, low: 0) }
  }

  /// Behind the neighbouring spans of one trace in one scope that begin with `item`.
  mutating func endOfRun(from item: Int, ids: [TraceID]) -> Int {
    if !scopeItems.contains(item) {
      scopePosition = batch.index.scope(ofItem: item)
      // Scopes without items in between begin at the same item.
      while batch.index.items(ofScope: scopePosition).upperBound <= item { scopePosition += 1 }
      scopeItems = batch.index.items(ofScope: scopePosition)
    }
    let limit = Int(items[item].fieldStart) + Self.longestRun
    var end = item + 1
    while end < scopeItems.upperBound, items[end - 1].payload.end == items[end].fieldStart,
      items[end].payload.upperBound <= limit, ids[end] == ids[item]
    {
      end += 1
    }
    return end
  }

  /// Keeps neighbouring spans of a trace; they lie in the scope of the last ``endOfRun(from:ids:)``.
  mutating func store(_ run: Range<Int>, of trace: inout PendingTrace, in store: inout SpanStore) {
    let context = scopePlace(&store)
    let (start, end) = (Int(items[run.lowerBound].fieldStart), items[run.upperBound - 1].payload.upperBound)
    store.add(batch.bytes.span.extracting(start..<end), context: context, to: &trace.runs)
    trace.bytes += end - start
    if trace.context == context { return }
    let resource = store.contexts.resource(of: context)
    trace.context = context
    trace.bytes += store.contexts.size(context) + store.contexts.size(resource)
    trace.facts |= store.contexts.facts(ofResource: resource)
  }

  private mutating func scopePlace(_ store: inout SpanStore) -> UInt32 {
    if let scope, scope.position == scopePosition { return scope.place }
    if let scope { store.contexts.release(scope.place) }
    let entry = batch.index.scopes[scopePosition]
    let parent = resourcePlace(Int(entry.resource), &store)
    var inner: Range<Int>?
    if entry.isContiguous, let first = scopeItems.first, let last = scopeItems.last {
      inner = Int(items[first].fieldStart)..<items[last].payload.upperBound
    }
    let place = store.contexts.place(of: fields(of: entry.payload, without: inner), parent: parent) { 0 }
    scope = (scopePosition, place)
    return place
  }

  private mutating func resourcePlace(_ position: Int, _ store: inout SpanStore) -> UInt32 {
    if let resource, resource.position == position { return resource.place }
    if let resource { store.contexts.release(resource.place) }
    let index = batch.index
    let entry = index.resources[position]
    let scopes = index.scopes(ofResource: position)
    var inner: Range<Int>?
    if entry.isContiguous, let first = scopes.first, let last = scopes.last {
      inner = Int(index.scopes[first].fieldStart)..<index.scopes[last].payload.upperBound
    }
    let fields = fields(of: entry.payload, without: inner)
    let place = store.contexts.place(of: fields, parent: ContextTable.none) {
      conditions.facts(ofResource: batch.resource(at: position).message)
    }
    resource = (position, place)
    return place
  }

  /// All fields of a `ResourceSpans` or `ScopeSpans` but its scopes or spans, which have the same number in both.
  ///
  /// - Parameter inner: where these stand, side by side; nil looks for them.
  private func fields(of message: WireRange, without inner: Range<Int>?) -> [UInt8] {
    let bytes = batch.bytes.span
    if let inner {
      var writer = WireWriter(capacity: message.count - inner.count)
      writer.write(bytes.extracting(message.lowerBound..<inner.lowerBound))
      writer.write(bytes.extracting(inner.upperBound..<message.upperBound))
      return writer.finish()
    }
    var writer = WireWriter(capacity: 512)
    var cursor = WireCursor(bytes, in: message)
    while let field = cursor.nextField() {
      if field.tag != .lengthDelimited(2) { writer.write(bytes, in: field.range) }
    }
    return writer.finish()
  }
}
