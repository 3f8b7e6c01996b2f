public import WireFormat

/// Where the resources, scopes and items of a batch stand in its bytes.
///
/// Three flat arrays in the order of the bytes; each resource names its first scope and each scope its first
/// item.
public final class BatchIndex: Sendable {
  /// A `ResourceSpans`, `ResourceMetrics` or `ResourceLogs`.
  public struct Resource: Sendable {
    /// The offset of its tag.
    public var fieldStart: UInt32
    /// Its bytes without tag and length.
    public var payload: WireRange
    /// The `Resource` message inside; empty when absent. Of several, the last.
    public var resource: WireRange
    /// The offset of the tag of the `Resource` message.
    public var resourceFieldStart: UInt32
    /// The bytes of `schema_url`; empty when absent.
    public var schemaURL: WireRange
    /// The position of its first scope.
    public var firstScope: UInt32
    /// Whether its scopes stand side by side, with no other field between them.
    public var isContiguous: Bool
  }

  /// A `ScopeSpans`, `ScopeMetrics` or `ScopeLogs`.
  public struct Scope: Sendable {
    public var fieldStart: UInt32
    public var payload: WireRange
    /// The `InstrumentationScope` message inside; empty when absent. Of several, the last.
    public var scope: WireRange
    /// The offset of the tag of the `InstrumentationScope` message.
    public var scopeFieldStart: UInt32
    public var schemaURL: WireRange
    /// The position of the resource it belongs to.
    public var resource: UInt32
    /// The position of its first item.
    public var firstItem: UInt32
    /// Whether its items stand side by side, with no other field between them.
    public var isContiguous: Bool
  }

  /// A `Span`, `Metric` or `LogRecord`.
  public struct Item: Sendable {
    public var fieldStart: UInt32
    public var payload: WireRange

    @inlinable
    init(fieldStart: UInt32, payload: WireRange) {
      self.fieldStart = fieldStart
      self.payload = payload
    }
  }

  public let resources: [Resource]
  public let scopes: [Scope]
  public let items: [Item]
  /// For metrics, the number of data points in all metrics up to and including each one; empty for other
  /// signals.
  public let pointEnds: [UInt32]
  /// The number of spans, log records or data points.
  public let itemCount: Int

  init(resources: [Resource], scopes: [Scope], items: [Item], pointEnds: [UInt32]) {
    self.resources = resources
    self.scopes = scopes
    self.items = items
    self.pointEnds = pointEnds
    itemCount = pointEnds.isEmpty ? items.count : Int(pointEnds[pointEnds.count - 1])
  }

  /// What its entries take of memory, in bytes.
  var footprint: Int { resources.room + scopes.room + items.room + pointEnds.room }

  /// The positions of a resource's scopes.
  @inlinable
  public func scopes(ofResource position: Int) -> Range<Int> {
    let next = position &+ 1
    let end = next < resources.count ? Int(resources[next].firstScope) : scopes.count
    return Int(resources[position].firstScope)..<end
  }

  /// The positions of a scope's items.
  @inlinable
  public func items(ofScope position: Int) -> Range<Int> {
    let next = position &+ 1
    let end = next < scopes.count ? Int(scopes[next].firstItem) : items.count
    return Int(scopes[position].firstItem)..<end
  }

  /// The data points of a metric, counted over the whole batch.
  @inlinable
  public func points(ofMetric position: Int) -> Range<Int> {
    let start = position == 0 ? 0 : Int(pointEnds[position &- 1])
    return start..<Int(pointEnds[position])
  }

  /// The position of the scope that an item belongs to.
  public func scope(ofItem item: Int) -> Int {
    var low = 0
    var high = scopes.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(scopes[middle].firstItem) <= item { low = middle } else { high = middle }
    }
    return low
  }
}

extension BatchIndex {
  /// Walks an export request once and notes where everything stands.
  convenience init(of bytes: Span<UInt8>, signal: Signal) throws(WireError) {
    var builder = IndexBuilder(signal: signal, size: bytes.count)
    try builder.addRequest(bytes)
    self.init(
      resources: builder.resources, scopes: builder.scopes, items: builder.items, pointEnds: builder.pointEnds
    )
  }
}

/// The walk that finds resources, scopes and items.
struct IndexBuilder {
  let signal: Signal
  var resources: [BatchIndex.Resource] = []
  var scopes: [BatchIndex.Scope] = []
  var items: [BatchIndex.Item] = []
  var pointEnds: [UInt32] = []
  var pointCount: UInt32 = 0

  init(signal: Signal, size: Int) {
    self.signal = signal
    items.reserveCapacity(size / 256 + 1)
  }

  mutating func addRequest(_ bytes: Span<UInt8>) throws(WireError) {
    var cursor = WireCursor(bytes)
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      switch tag.fieldNumber {
      case 1:
        try tag.expect(.lengthDelimited, at: start)
        try addResource(try cursor.readMessage(), at: start)
      default: try cursor.skip(tag)
      }
    }
  }

  mutating func addResource(_ message: consuming WireCursor, at fieldStart: Int) throws(WireError) {
    var cursor = message
    var entry = BatchIndex.Resource(
      fieldStart: UInt32(truncatingIfNeeded: fieldStart), payload: WireRange(cursor.offset, cursor.end),
      resource: .none, resourceFieldStart: 0, schemaURL: .none,
      firstScope: UInt32(truncatingIfNeeded: scopes.count),
      isContiguous: true)
    let position = UInt32(truncatingIfNeeded: resources.count)
    var scopesEnd = -1
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      switch tag.fieldNumber {
      case 1:
        try tag.expect(.lengthDelimited, at: start)
        entry.resourceFieldStart = UInt32(truncatingIfNeeded: start)
        entry.resource = try cursor.readLengthDelimited()
      case 2:
        try tag.expect(.lengthDelimited, at: start)
        if scopesEnd >= 0, scopesEnd != start { entry.isContiguous = false }
        try addScope(try cursor.readMessage(), at: start, of: position)
        scopesEnd = cursor.offset
      case 3:
        try tag.expect(.lengthDelimited, at: start)
        entry.schemaURL = try cursor.readLengthDelimited()
      default: try cursor.skip(tag)
      }
    }
    resources.append(entry)
  }

  mutating func addScope(
    _ message: consuming WireCursor, at fieldStart: Int, of resource: UInt32
  ) throws(WireError) {
    var cursor = message
    var entry = BatchIndex.Scope(
      fieldStart: UInt32(truncatingIfNeeded: fieldStart), payload: WireRange(cursor.offset, cursor.end),
      scope: .none, scopeFieldStart: 0, schemaURL: .none, resource: resource,
      firstItem: UInt32(truncatingIfNeeded: items.count),
      isContiguous: true)
    var itemsEnd = -1
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      switch tag.fieldNumber {
      case 2:
        try tag.expect(.lengthDelimited, at: start)
        let payload = try cursor.readLengthDelimited()
        if itemsEnd >= 0, itemsEnd != start { entry.isContiguous = false }
        itemsEnd = cursor.offset
        items.append(BatchIndex.Item(fieldStart: UInt32(truncatingIfNeeded: start), payload: payload))
        if signal == .metrics { try countPoints(WireCursor(cursor.bytes, in: payload)) }
      case 1:
        try tag.expect(.lengthDelimited, at: start)
        entry.scopeFieldStart = UInt32(truncatingIfNeeded: start)
        entry.scope = try cursor.readLengthDelimited()
      case 3:
        try tag.expect(.lengthDelimited, at: start)
        entry.schemaURL = try cursor.readLengthDelimited()
      default: try cursor.skip(tag)
      }
    }
    scopes.append(entry)
  }

  mutating func countPoints(_ metric: consuming WireCursor) throws(WireError) {
    if let data = try MetricData.find(in: metric) {
      var cursor = WireCursor(metric.bytes, in: data.payload)
      while !cursor.isAtEnd {
        let start = cursor.offset
        let tag = try cursor.readTag()
        if tag.fieldNumber == 1 {
          try tag.expect(.lengthDelimited, at: start)
          pointCount &+= 1
        }
        try cursor.skip(tag)
      }
    }
    pointEnds.append(pointCount)
  }
}

extension WireRange {
  /// The range of a field that is absent.
  @inlinable
  static var none: WireRange { WireRange(start: 0, end: 0) }
}

extension WireTag {
  /// Refuses a known field with another wire type than its schema gives.
  @inlinable
  package func expect(_ type: WireType, at offset: Int) throws(WireError) {
    if rawValue & 7 != UInt32(type.rawValue) { throw WireError(.wrongWireType, at: offset) }
  }
}
