import TelemetryData
import WireFormat

/// One thing that is measured.
struct Operation {
  let name: String
  /// Items that one call works on.
  let items: Int
  /// Nanoseconds per item that it should not exceed.
  let goal: Double?
  /// Bytes that one call reads, where speed is told by those.
  let bytes: Int?
  /// Does it once; the number keeps it from being optimised away.
  let run: () throws -> Int

  /// Spans of a batch.
  static let spans = 100

  static func all() throws -> [Operation] {
    let batch = spanBatch()
    let bytes = batch.bytes
    let parts = Array(repeating: batch, count: 10)
    var json: [UInt8] = []
    try batch.writeJSON(into: &json)
    let text = json
    var actions = AttributeActions()
    actions.upsert("deployment.environment", "production")
    actions.upsert("server.port", 8443)
    actions.delete("user_agent.original")
    let compiled = actions

    return try [
      Operation("index", goal: 10) {
        try Batch(bytes: bytes, signal: .traces, validation: .framing).itemCount
      },
      Operation("index and full structural check", goal: 180) {
        try Batch(bytes: bytes, signal: .traces, validation: .structure).itemCount
      },
      Operation("edit: upsert two attributes, delete one", goal: 120) {
        var editor = BatchEditor(batch)
        editor.applyToItems(compiled)
        return try editor.finish().byteCount
      },
      Operation("split into four") { batch.split(maxItems: spans / 4).count },
      Operation("merge ten batches", items: spans * 10) {
        try Batch.merging(parts, signal: .traces).byteCount
      },
      Operation("select every fourth") { batch.selecting { $0 % 4 == 0 }.byteCount },
      Operation("read every field of the views") { readViews(batch) },
      Operation("write OTLP-JSON", goal: 700) {
        var json: [UInt8] = []
        try batch.writeJSON(into: &json)
        return json.count
      },
      Operation("read OTLP-JSON") { try Batch(json: text, signal: .traces).byteCount },
      Operation("build from values") { spanBatch().byteCount },
      Operation("WireFormat: walk over all fields") { walk(bytes.span, 0..<bytes.count, depth: 0) },
      Operation("WireFormat: write six fields", items: 1) { writeFields() },
    ] + expositions() + scrapes() + remoteWrites() + (try traceFormats(batch)) + logRecords() + captures()
      + logOperators() + logParsers()
      + (try lines()) + (try expressions()) + (try times())
  }

  init(
    _ name: String, items: Int = spans, goal: Double? = nil, bytes: Int? = nil,
    run: @escaping () throws -> Int
  ) {
    self.name = name
    self.items = items
    self.goal = goal
    self.bytes = bytes
    self.run = run
  }

  func megabytesPerSecond(_ nanosecondsPerItem: Double) -> Double? {
    bytes.map { Double($0) * 1000 / (nanosecondsPerItem * Double(items)) }
  }

  /// Spans as instrumented HTTP servers send them: ten attributes, about 368 bytes each.
  private static func spanBatch() -> Batch {
    var builder = BatchBuilder(.traces, capacity: spans * 400)
    builder.beginResource(ResourceValue(attributes: ["service.name": "checkout", "host.name": "host-17"]))
    builder.beginScope(ScopeValue(name: "io.opentelemetry.http", version: "1.0"))
    for position in 0..<spans {
      let id = (0..<16).map { UInt8(truncatingIfNeeded: position &* 31 &+ $0 &* 7 &+ 1) }
      let start = 1_780_000_000_000_000_000 + UInt64(position) * 1000
      builder.add(
        SpanValue(
          traceID: id, spanID: Array(id[..<8]), parentSpanID: Array(id[8...]), name: "GET /orders/{id}",
          kind: 2,
          startTime: start, endTime: start + 1_000_000,
          attributes: [
            "http.request.method": "GET", "url.scheme": "https", "server.address": "shop.example",
            "http.route": "/orders/{id}", "network.type": "ipv4", "client.address": "10.0.0.7",
            "user_agent.original": "curl/8", "url.path": .string("/orders/\(position)"),
            "http.response.status_code": 200, "server.port": 443,
          ], status: StatusValue(code: 1)))
    }
    return builder.finish()
  }

  private static func readViews(_ batch: Batch) -> Int {
    var sum = 0
    batch.forEachSpan { _, _, span in
      sum &+= Int(truncatingIfNeeded: span.startTime &+ span.endTime) &+ Int(span.kind)
      sum &+= span.traceID.count &+ span.spanID.count &+ span.parentSpanID.count &+ span.name.count
      span.attributes.forEach { sum &+= $0.key.count &+ $0.value.bytes.count }
    }
    return sum
  }

  /// Resources, scopes, spans and attributes, without knowing what they are.
  private static func walk(_ bytes: Span<UInt8>, _ range: Range<Int>, depth: Int) -> Int {
    var count = 0
    var cursor = WireCursor(bytes, in: WireRange(range.lowerBound, range.upperBound))
    while let field = cursor.nextField() {
      count &+= 1
      if depth < 2, field.tag == .lengthDelimited(depth == 0 ? 1 : 2) {
        count &+= walk(bytes, field.value.range, depth: depth + 1)
      }
    }
    return count
  }

  private static func writeFields() -> Int {
    var writer = WireWriter(capacity: 256)
    writer.stringField(1, "http.request.method")
    writer.varintField(2, 300)
    writer.fixed64Field(3, 1_780_000_000_000_000_000)
    writer.doubleField(4, 0.25)
    writer.boolField(5, true)
    writer.message(6) { $0.stringField(1, "GET") }
    return writer.count
  }
}
