/// Reading a batch: positions count resources, scopes and items over the whole batch, from 0.
extension Batch {
  @inlinable
  public var resourceCount: Int { index.resources.count }
  @inlinable
  public var scopeCount: Int { index.scopes.count }
  /// The number of spans, metrics or log records: for metrics not the number of data points.
  @inlinable
  public var recordCount: Int { index.items.count }

  @inlinable
  @_lifetime(borrow self)
  public func resource(at position: Int) -> ResourceView {
    let entry = index.resources[position]
    return ResourceView(
      WireMessage(bytes.span, entry.resource), schemaURL: entry.schemaURL,
      scopes: index.scopes(ofResource: position))
  }

  @inlinable
  @_lifetime(borrow self)
  public func scope(at position: Int) -> ScopeView {
    let entry = index.scopes[position]
    return ScopeView(
      WireMessage(bytes.span, entry.scope), schemaURL: entry.schemaURL, items: index.items(ofScope: position))
  }

  /// The message of a span, metric or log record.
  @inlinable
  @_lifetime(borrow self)
  public func item(at position: Int) -> WireMessage { WireMessage(bytes.span, index.items[position].payload) }

  /// A span of a traces batch.
  @inlinable
  @_lifetime(borrow self)
  public func span(at position: Int) -> SpanView { SpanView(item(at: position)) }

  /// A log record of a logs batch.
  @inlinable
  @_lifetime(borrow self)
  public func logRecord(at position: Int) -> LogRecordView { LogRecordView(item(at: position)) }

  /// A metric of a metrics batch.
  @inlinable
  @_lifetime(borrow self)
  public func metric(at position: Int) -> MetricView { MetricView(item(at: position)) }

  /// Calls a closure with every item, its position, and the resource and scope it belongs to.
  @inlinable
  public func forEachItem<E: Error>(
    _ body: (_ resource: ResourceView, _ scope: ScopeView, _ position: Int) throws(E) -> Void
  ) throws(E) {
    for resource in 0..<resourceCount {
      let resourceView = self.resource(at: resource)
      for scope in resourceView.scopes {
        let scopeView = self.scope(at: scope)
        for position in scopeView.items { try body(resourceView, scopeView, position) }
      }
    }
  }

  @inlinable
  public func forEachSpan<E: Error>(
    _ body: (_ resource: ResourceView, _ scope: ScopeView, _ span: SpanView) throws(E) -> Void
  ) throws(E) {
    if signal != .traces { return }
    try forEachItem { (resource, scope, position) throws(E) in
      try body(resource, scope, span(at: position))
    }
  }

  @inlinable
  public func forEachLogRecord<E: Error>(
    _ body: (_ resource: ResourceView, _ scope: ScopeView, _ record: LogRecordView) throws(E) -> Void
  ) throws(E) {
    if signal != .logs { return }
    try forEachItem { (resource, scope, position) throws(E) in
      try body(resource, scope, logRecord(at: position))
    }
  }

  @inlinable
  public func forEachMetric<E: Error>(
    _ body: (_ resource: ResourceView, _ scope: ScopeView, _ metric: MetricView) throws(E) -> Void
  ) throws(E) {
    if signal != .metrics { return }
    try forEachItem { (resource, scope, position) throws(E) in
      try body(resource, scope, metric(at: position))
    }
  }
}
