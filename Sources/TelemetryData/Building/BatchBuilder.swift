public import WireFormat

/// Writes a batch from code: resources, the scopes within them, and the items within those.
///
///     var builder = BatchBuilder(.logs)
///     builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
///     builder.beginScope(ScopeValue(name: "checkout"))
///     builder.add(LogRecordValue(time: now, body: "paid"))
///     let batch = builder.finish()
///
/// Beginning a resource ends the one before it, and beginning a scope likewise. An item without a resource or
/// scope gets empty ones. Fields with their default value are left out, as proto3 asks.
///
/// - Important: Items must be of the builder's signal; another is a defect of the caller and traps.
public struct BatchBuilder: ~Copyable {
  public let signal: Signal
  @usableFromInline
  var writer: WireWriter
  @usableFromInline
  var resource: WireWriter.Mark?
  @usableFromInline
  var scope: WireWriter.Mark?
  private var resourceSchemaURL = ""
  private var scopeSchemaURL = ""

  /// A builder with room for an expected number of bytes.
  public init(_ signal: Signal, capacity: Int = 1024) {
    self.signal = signal
    writer = WireWriter(capacity: capacity)
  }

  /// The number of bytes written so far.
  public var byteCount: Int { writer.count }

  public mutating func beginResource(_ value: ResourceValue = ResourceValue()) {
    endResource()
    resource = writer.beginMessage(1)
    writer.message(1) { $0.write(value) }
    resourceSchemaURL = value.schemaURL
  }

  public mutating func beginScope(_ value: ScopeValue = ScopeValue()) {
    if resource == nil { beginResource() }
    endScope()
    scope = writer.beginMessage(2)
    writer.message(1) { $0.write(value) }
    scopeSchemaURL = value.schemaURL
  }

  public mutating func add(_ span: SpanValue) {
    precondition(signal == .traces, "a span in a batch of \(signal.rawValue)")
    addItem { $0.write(span) }
  }

  public mutating func add(_ record: LogRecordValue) {
    precondition(signal == .logs, "a log record in a batch of \(signal.rawValue)")
    addItem { $0.write(record) }
  }

  public mutating func add(_ metric: MetricValue) {
    precondition(signal == .metrics, "a metric in a batch of \(signal.rawValue)")
    addItem { $0.write(metric) }
  }

  /// Adds an item whose fields a closure writes, for writers that have no values at hand.
  @inlinable
  public mutating func addItem(_ body: (inout WireWriter) -> Void) {
    if scope == nil { beginScope() }
    let mark = writer.beginMessage(2)
    body(&writer)
    writer.endMessage(mark)
  }

  /// The batch that was written.
  public consuming func finish() -> Batch {
    endResource()
    return Batch(rewritten: writer.finish(), signal: signal)
  }

  private mutating func endScope() {
    guard let mark = scope else { return }
    writer.optionalString(3, scopeSchemaURL)
    writer.endMessage(mark)
    scope = nil
  }

  private mutating func endResource() {
    endScope()
    guard let mark = resource else { return }
    writer.optionalString(3, resourceSchemaURL)
    writer.endMessage(mark)
    resource = nil
  }
}
