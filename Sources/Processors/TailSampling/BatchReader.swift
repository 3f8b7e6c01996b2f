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

  /// Gives back what it holds.
  func finish(_ store: inout SpanStore) {
    if let scope { store.contexts.release(scope.place) }
    if let resource { store.contexts.release(resource.place) }
  }

  /// Runs are no longer than so many bytes, unless one span is: batches are made of whole runs.
  private static let longestRun = 256 << 10

  /// Behind the neighbouring spans of one trace in one scope that begin with `item`.
  mutating func endOfRun(from item: Int, id: TraceID) -> Int {
    if !scopeItems.contains(item) {
      scopePosition = batch.index.scope(ofItem: item)
      // Scopes without items in between begin at the same item.
      while batch.index.items(ofScope: scopePosition).upperBound <= item { scopePosition += 1 }
      scopeItems = batch.index.items(ofScope: scopePosition)
    }
    let limit = Int(items[item].fieldStart) + Self.longestRun
    var end = item + 1
    while end < scopeItems.upperBound, items[end - 1].payload.end == items[end].fieldStart,
      items[end].payload.upperBound <= limit, batch.traceID(at: end) == id
    {
      end += 1
    }
    return end
  }

  /// Keeps neighbouring spans; they lie in the scope of the last ``endOfRun(from:id:)``.
  ///
  /// - Returns: where they stand, the bytes they make with their resource and scope, and what the resource says.
  mutating func store(
    _ run: Range<Int>, after previous: RunPlace, in store: inout SpanStore
  ) -> (place: RunPlace, bytes: Int, resourceFacts: Facts) {
    let context = scopePlace(&store)
    let (start, end) = (Int(items[run.lowerBound].fieldStart), items[run.upperBound - 1].payload.upperBound)
    let isSame = previous != .none && store.run(at: previous).context == context
    let place = store.add(batch.bytes.span.extracting(start..<end), context: context, after: previous)
    let resource = store.contexts.resource(of: context)
    let around = isSame ? 0 : store.contexts.size(context) + store.contexts.size(resource)
    return (place, end - start + around, store.contexts.facts(ofResource: resource))
  }

  private mutating func scopePlace(_ store: inout SpanStore) -> UInt32 {
    if let scope, scope.position == scopePosition { return scope.place }
    if let scope { store.contexts.release(scope.place) }
    let entry = batch.index.scopes[scopePosition]
    let parent = resourcePlace(Int(entry.resource), &store)
    let fields = fields(of: entry.payload)
    let place = store.contexts.place(of: fields, parent: parent) { 0 }
    scope = (scopePosition, place)
    return place
  }

  private mutating func resourcePlace(_ position: Int, _ store: inout SpanStore) -> UInt32 {
    if let resource, resource.position == position { return resource.place }
    if let resource { store.contexts.release(resource.place) }
    let entry = batch.index.resources[position]
    let fields = fields(of: entry.payload)
    let place = store.contexts.place(of: fields, parent: ContextTable.none) {
      conditions.facts(ofResource: batch.resource(at: position).message)
    }
    resource = (position, place)
    return place
  }

  /// All fields of a `ResourceSpans` or `ScopeSpans` but its scopes or spans, which have the same number in both.
  private func fields(of message: WireRange) -> [UInt8] {
    var writer = WireWriter(capacity: 512)
    var cursor = WireCursor(batch.bytes.span, in: message)
    while let field = cursor.nextField() {
      if field.tag != .lengthDelimited(2) { writer.write(batch.bytes.span, in: field.range) }
    }
    return writer.finish()
  }
}
