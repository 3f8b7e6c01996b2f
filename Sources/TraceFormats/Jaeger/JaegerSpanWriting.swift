internal import TelemetryData
internal import WireFormat

/// Writes spans in one of Jaeger's formats.
protocol JaegerSpanWriting: ~Copyable, JaegerTagWriting {
  /// The tags of all kinds and statuses.
  static var stateTags: JaegerStateTags { get }

  init(capacity: Int)
  consuming func finish() -> [UInt8]

  mutating func encode(_ span: borrowing SpanView, _ fields: SpanFields, _ shared: JaegerSharedTags)
}

/// Tags that many spans share, as they are written.
struct JaegerSharedTags {
  /// Those of the scope.
  var scope: [UInt8] = []
  var scopeCount = 0
  let state: JaegerStateTags
}

/// The tags that stand for the kind and the status of a span, for each pair of them.
struct JaegerStateTags: Sendable {
  private static let (kinds, statuses) = (6, 3)
  private(set) var bytes: [UInt8] = []
  private var ranges: [WireRange] = []

  init<Sink: JaegerSpanWriting & ~Copyable>(_: Sink.Type) {
    for kind in 0..<UInt64(Self.kinds) {
      for status in 0..<UInt64(Self.statuses) {
        var sink = Sink(capacity: 128)
        sink.stateTags(kind: kind, status: status)
        let start = bytes.count
        bytes += sink.finish()
        ranges.append(WireRange(start, bytes.count))
      }
    }
  }

  /// Where the tags of a span stand.
  @inline(__always)
  func range(of span: SpanFields) -> WireRange {
    let kind = span.kind < UInt64(Self.kinds) ? Int(truncatingIfNeeded: span.kind) : 0
    let status = span.statusCode < UInt64(Self.statuses) ? Int(truncatingIfNeeded: span.statusCode) : 0
    return ranges[kind &* Self.statuses &+ status]
  }
}

extension JaegerSpanWriting where Self: ~Copyable {
  /// Writes the spans of equal resources, and returns how many they are.
  @inline(__always)
  mutating func spans(of group: ResourceGroups.Group, in batch: Batch, drops: inout SpanDrops) -> Int {
    var shared = JaegerSharedTags(state: Self.stateTags)
    let (bytes, items) = (batch.bytes.span, batch.index.items)
    var spans = 0
    for position in group.positions {
      for scopePosition in batch.resource(at: position).scopes {
        let scope = batch.scope(at: scopePosition)
        var sink = Self(capacity: 64)
        shared.scopeCount = sink.tags(of: scope)
        shared.scope = sink.finish()
        for item in scope.items {
          let span = SpanView(WireMessage(bytes, items[item].payload))
          let fields = SpanFields(span)
          if let fault = fields.fault(in: bytes) {
            drops.add(fault)
          } else {
            encode(span, fields, shared)
            spans += 1
          }
        }
      }
    }
    return spans
  }
}
