internal import TelemetryData
internal import WireFormat

/// Moves spans of one batch into a ``SpanStore``, together with their resources and scopes.
struct BatchReader {
  let batch: Batch
  private let spans: SpanStore
  private let conditions: SpanConditions
  private var resource: (position: Int, place: UInt32)?
  private var scope: (position: Int, place: UInt32)?
  /// The scope that was looked for last.
  private var scopePosition = 0
  private var scopeItems = 0..<0

  init(_ batch: Batch, store: SpanStore, conditions: SpanConditions) {
    self.batch = batch
    spans = store
    self.conditions = conditions
  }

  /// Gives back what it holds.
  func finish() {
    if let scope { spans.contexts.release(scope.place) }
    if let resource { spans.contexts.release(resource.place) }
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
    let items = batch.index.items
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
    _ items: Range<Int>, after previous: RunPlace
  ) -> (place: RunPlace, bytes: Int, resourceFacts: Facts) {
    let context = scopePlace()
    let (first, last) = (batch.index.items[items.lowerBound], batch.index.items[items.upperBound - 1])
    let fields = batch.bytes.span.extracting(Int(first.fieldStart)..<last.payload.upperBound)
    let isSame = previous != .none && spans.run(at: previous).context == context
    let place = spans.add(fields, context: context, after: previous)
    let resource = spans.contexts.resource(of: context)
    let around = isSame ? 0 : spans.contexts.size(context) + spans.contexts.size(resource)
    return (place, fields.count + around, spans.contexts.facts(ofResource: resource))
  }

  private mutating func scopePlace() -> UInt32 {
    if let scope, scope.position == scopePosition { return scope.place }
    if let scope { spans.contexts.release(scope.place) }
    let entry = batch.index.scopes[scopePosition]
    let parent = resourcePlace(Int(entry.resource))
    let fields = fields(of: entry.payload)
    let place = spans.contexts.place(of: fields, parent: parent) { 0 }
    scope = (scopePosition, place)
    return place
  }

  private mutating func resourcePlace(_ position: Int) -> UInt32 {
    if let resource, resource.position == position { return resource.place }
    if let resource { spans.contexts.release(resource.place) }
    let entry = batch.index.resources[position]
    let fields = fields(of: entry.payload)
    let place = spans.contexts.place(of: fields, parent: ContextTable.none) {
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
