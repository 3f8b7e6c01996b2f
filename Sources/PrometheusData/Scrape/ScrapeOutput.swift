internal import TelemetryData
internal import WireFormat

/// What stands before the points of a metric.
struct ScrapedHeader {
  var name: String
  var help = ""
  var unit = ""
  var kind: ScrapedKind
  var type: ExpositionType
  /// The expected size of its points.
  var size = 0
}

/// Writes batches of metrics: resources, scopes and metrics are opened when the first point of theirs is written, and
/// closed and opened again where a batch has become large enough.
struct ScrapeOutput: ~Copyable {
  var writer: WireWriter
  private(set) var batches: [Batch] = []
  private(set) var byteCount = 0
  private let limit: Int
  private let expected: Int

  // What the next point needs around it.
  private var resource: [UInt8] = []
  private var resourceSize = 0
  private var scope = ScopeIdentity()
  private var scopeSize = 0

  private var resourceMark: WireWriter.SizedMark?
  private var scopeMark: WireWriter.SizedMark?
  private var metricMark: WireWriter.SizedMark?
  private var dataMark: WireWriter.SizedMark?
  private(set) var isMetricOpen = false
  /// The size of what was last closed.
  private(set) var closedSize = 0

  // Room for one histogram or summary.
  var bounds: [Double] = []
  var values: [UInt64] = []

  /// - Parameters:
  ///   - size: the expected size of all batches.
  ///   - limit: the size at which a batch is ended.
  init(expecting size: Int, limit: Int) {
    self.limit = limit
    expected = size + size / 16 + 512
    writer = WireWriter(capacity: min(expected, limit + limit / 16))
  }

  /// Points that follow are of this resource; the message is encoded.
  mutating func begin(resource: [UInt8], expecting size: Int) {
    self.resource = resource
    resourceSize = size
  }

  /// Points that follow are of this scope.
  mutating func begin(scope: ScopeIdentity, expecting size: Int) {
    self.scope = scope
    scopeSize = size
  }

  /// Opens a metric, unless it is open.
  @inline(__always)
  mutating func open(_ header: ScrapedHeader) {
    if !isMetricOpen { openMetric(header) }
  }

  @inline(never)
  private mutating func openMetric(_ header: ScrapedHeader) {
    if resourceMark == nil {
      resourceMark = writer.beginMessage(1, expecting: min(resourceSize, limit))
      writer.bytesField(1, resource)
    }
    if scopeMark == nil {
      scopeMark = writer.beginMessage(2, expecting: min(scopeSize, limit))
      writeScope()
    }
    let size = min(header.size, limit)
    metricMark = writer.beginMessage(
      2, expecting: size + header.name.utf8.count + header.help.utf8.count + header.unit.utf8.count + 48)
    writer.stringField(1, header.name)
    if !header.help.isEmpty { writer.stringField(2, header.help) }
    if !header.unit.isEmpty { writer.stringField(3, header.unit) }
    ScrapedAttributes.write("prometheus.type", header.type.word, field: 12, to: &writer)
    dataMark = writer.beginMessage(header.kind.dataField, expecting: size)
    if header.kind.isCumulative { writer.varintField(2, 2) }
    if header.kind == .counter { writer.varintField(3, 1) }
    isMetricOpen = true
  }

  /// Ends a batch where it has become large enough. To be called between points.
  @inline(__always)
  mutating func cut() {
    if writer.count >= limit { flush() }
  }

  mutating func closeMetric() {
    guard isMetricOpen, let data = dataMark, let metric = metricMark else { return }
    closedSize = writer.count(since: data)
    writer.endMessage(data)
    writer.endMessage(metric)
    isMetricOpen = false
  }

  /// Ends a scope, and says how large it was.
  mutating func closeScope() -> Int {
    closeMetric()
    guard let mark = scopeMark else { return 0 }
    let size = writer.count(since: mark)
    writer.endMessage(mark)
    scopeMark = nil
    return size
  }

  mutating func closeResource() -> Int {
    _ = closeScope()
    guard let mark = resourceMark else { return 0 }
    let size = writer.count(since: mark)
    writer.endMessage(mark)
    resourceMark = nil
    return size
  }

  mutating func flush() {
    _ = closeResource()
    if writer.count == 0 { return }
    byteCount += writer.count
    var done = WireWriter(capacity: min(max(0, expected - byteCount), limit + limit / 16))
    swap(&writer, &done)
    let bytes = done.finish()
    do throws(WireError) {
      batches.append(try Batch(bytes: bytes, signal: .metrics, validation: .framing))
    } catch {
      assertionFailure("a scrape wrote a malformed batch: \(error)")
    }
  }

  private mutating func writeScope() {
    if scope == ScopeIdentity() { return }
    let mark = writer.beginMessage(1)
    if !scope.name.isEmpty { writer.stringField(1, scope.name) }
    if !scope.version.isEmpty { writer.stringField(2, scope.version) }
    for label in scope.attributes {
      ScrapedAttributes.write(label.name, label.value, field: 3, to: &writer)
    }
    writer.endMessage(mark)
    if !scope.schemaURL.isEmpty { writer.stringField(3, scope.schemaURL) }
  }
}

extension ScrapedKind {
  /// The field of `Metric` that holds the points.
  var dataField: UInt32 {
    switch self {
    case .gauge: 5
    case .counter, .state: 7
    case .histogram, .custom: 9
    case .exponential: 10
    case .summary: 11
    }
  }

  /// Whether OTLP asks how its points follow each other.
  var isCumulative: Bool { self != .gauge && self != .summary }
}

extension ExpositionType {
  /// The word for it in expositions, and in the metadata `prometheus.type`.
  package var word: String {
    switch self {
    case .unknown: "unknown"
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    case .gaugeHistogram: "gaugehistogram"
    case .summary: "summary"
    case .info: "info"
    case .stateSet: "stateset"
    }
  }
}
