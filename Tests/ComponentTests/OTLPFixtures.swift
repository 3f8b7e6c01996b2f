import Logging
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData

/// Small OTLP requests, written byte by byte so that nothing under test makes them.
enum OTLPPayload {
  /// A length-delimited protobuf field.
  static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [number << 3 | 2]
    var length = content.count
    while length > 0x7F {
      bytes.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + content
  }

  /// `count` spans of one resource and scope.
  static func traces(spans count: Int = 1, name: String = "checkout") -> [UInt8] {
    let spans = (0..<count).flatMap { index in
      field(
        2,
        field(1, Array(repeating: UInt8(truncatingIfNeeded: index + 1), count: 16))
          + field(2, Array(repeating: 7, count: 8)) + field(5, Array(name.utf8)))
    }
    return field(1, field(2, spans))
  }

  /// `count` data points of one gauge.
  static func metrics(points count: Int = 1) -> [UInt8] {
    let point: [UInt8] = [0x21] + Array(repeating: 0, count: 8)  // as_double, field 4, fixed 64
    let points = (0..<count).flatMap { _ in field(1, point) }
    return field(1, field(2, field(2, field(1, Array("load".utf8)) + field(5, points))))
  }

  /// `count` log records with a text body.
  static func logs(records count: Int = 1) -> [UInt8] {
    let records = (0..<count).flatMap { index in field(2, field(5, field(1, Array("line \(index)".utf8)))) }
    return field(1, field(2, records))
  }

  static func request(_ signal: Signal, items: Int = 1) -> [UInt8] {
    switch signal {
    case .traces: traces(spans: items)
    case .metrics: metrics(points: items)
    case .logs: logs(records: items)
    }
  }

  /// One span as OTLP-JSON.
  static let tracesJSON = Array(
    """
    {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",\
    "spanId":"0102030405060708","name":"checkout"}]}]}]}
    """.utf8)
  static let metricsJSON = Array(
    """
    {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"load","gauge":{"dataPoints":[{"asDouble":0.5}]}}]}]}]}
    """.utf8)
  static let logsJSON = Array(
    """
    {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a line"}}]}]}]}
    """.utf8)

  static func json(_ signal: Signal) -> [UInt8] {
    switch signal {
    case .traces: tracesJSON
    case .metrics: metricsJSON
    case .logs: logsJSON
    }
  }
}

extension CollectingConsumer {
  /// A consumer that answers everything with one outcome.
  convenience init(_ outcome: Outcome) { self.init(answering: { _ in outcome }) }

  var batches: [Batch] { arrivals.map(\.batch) }
  var metadata: [RequestMetadata?] { arrivals.map(\.metadata) }
}

/// The context of a component that stands alone.
func otlpContext(
  _ kind: ComponentKind, _ type: String, signals: [Signal] = Signal.allCases,
  metrics: SelfMetrics = SelfMetrics(), clock: any PipelineClock = SystemClock(),
  log: CapturedLog = CapturedLog()
) -> ComponentContext {
  ComponentContext(
    id: ComponentID(kind: kind, type: type, name: "test"), declaredAt: "pipeline.yaml:3", signals: signals,
    logger: Logger(label: "test") { _ in CapturingHandler(log: log) }, clock: clock,
    randomness: SystemRandomness(), ledger: Ledger(metrics: metrics), metrics: metrics, health: SteadyHealth()
  )
}

/// The lines a component logged: level, message and metadata in one text.
final class CapturedLog: Sendable {
  private let storage = Mutex<[String]>([])
  var lines: [String] { storage.withLock { $0 } }
  func append(_ line: String) { storage.withLock { $0.append(line) } }
}

private struct CapturingHandler: LogHandler {
  let log: CapturedLog
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  init(log: CapturedLog) { self.log = log }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    log.append("\(event.level) \(event.message) \(facts.joined(separator: " "))")
  }
}
