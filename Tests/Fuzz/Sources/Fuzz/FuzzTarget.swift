import TelemetryData

@testable import PrometheusData
@testable import TraceFormats

/// A parser that meets outside bytes, with what must hold for every input.
enum FuzzTarget: String, CaseIterable, Sendable {
  case traces
  case metrics
  case logs
  case jsonTraces = "json-traces"
  case jsonMetrics = "json-metrics"
  case jsonLogs = "json-logs"
  /// The bodies a backend answers with: partial successes and `google.rpc.Status`, binary and JSON.
  case responses
  /// Texts and bytes in header fields: escapes, timeouts, dates, delays, addresses.
  case headers
  case codecs
  /// Patterns, and texts that they match or not.
  case captures
  /// Layouts of times, texts of them, and files of time zones.
  case times
  /// Streams that are cut into records, and gzip files.
  case logLines = "log-lines"
  /// Expressions of log operators.
  case expressions
  /// The framing of gRPC messages on both sides.
  case grpc
  /// HTTP/2 connections to the gRPC server.
  case http2
  /// HTTP/1.1 connections.
  case http
  case config
  /// The metadata of stored records.
  case metadata
  /// Damaged database files.
  case database
  /// Remote-write requests, 1.0 and 2.0.
  case remoteWrite1 = "remote-write-1"
  case remoteWrite2 = "remote-write-2"
  /// Answers to scrapes, in each format.
  case expositionText = "exposition-text"
  case expositionOpenMetrics = "exposition-openmetrics"
  case expositionProtobuf = "exposition-protobuf"
  /// Lines of logs that are JSON, and those that other parsers read.
  case logJSON = "log-json"
  case logParsers = "log-parsers"
  /// Streams and messages of syslog.
  case syslog
  /// The header of that name, as the sampler reads and writes it.
  case tracestate
  /// Batches that are grouped by attributes.
  case grouping
  /// Spans of Jaeger's clients: protobuf, a Thrift structure, and calls in both protocols of Thrift.
  case jaegerProtobuf = "jaeger-protobuf"
  case jaegerThrift = "jaeger-thrift"
  case jaegerCallBinary = "jaeger-call-binary"
  case jaegerCallCompact = "jaeger-call-compact"
  /// Spans of Zipkin's clients.
  case zipkinJSON = "zipkin-json"
  case zipkinProtobuf = "zipkin-protobuf"
  /// Batches whose traces are kept or dropped.
  case tailSampling = "tail-sampling"

  /// Runs one input.
  ///
  /// - Throws: ``OracleFailure`` when a property does not hold. Input that is refused is a normal end.
  func run(_ input: [UInt8]) throws {
    switch self {
    case .traces: try WireOracle.check(input, signal: .traces)
    case .metrics: try WireOracle.check(input, signal: .metrics)
    case .logs: try WireOracle.check(input, signal: .logs)
    case .jsonTraces: try JSONOracle.check(input, signal: .traces)
    case .jsonMetrics: try JSONOracle.check(input, signal: .metrics)
    case .jsonLogs: try JSONOracle.check(input, signal: .logs)
    case .responses: try ResponseOracle.check(input)
    case .headers: try HeaderOracle.check(input)
    case .codecs: try CodecOracle.check(input)
    case .captures: try CaptureOracle.check(input)
    case .times: try TimeOracle.check(input)
    case .logLines: try LineOracle.check(input)
    case .expressions: try ExpressionOracle.check(input)
    case .grpc: try GRPCOracle.check(input)
    case .http2: try HTTP2Oracle.check(input)
    case .http: try HTTPOracle.check(input)
    case .config: try ConfigOracle.check(input)
    case .metadata: try StorageOracle.checkMetadata(input)
    case .database: try StorageOracle.checkDatabase(input)
    case .remoteWrite1: try RemoteWriteOracle.check(input, .v1)
    case .remoteWrite2: try RemoteWriteOracle.check(input, .v2)
    case .expositionText: try ExpositionOracle.check(input, format: .text)
    case .expositionOpenMetrics: try ExpositionOracle.check(input, format: .openMetrics)
    case .expositionProtobuf: try ExpositionOracle.check(input, format: .protobuf)
    case .logJSON: try LogParserOracle.checkJSON(input)
    case .logParsers: try LogParserOracle.checkText(input)
    case .syslog: try SyslogOracle.check(input)
    case .tracestate: try SamplingOracle.check(input)
    case .grouping: try GroupingOracle.check(input)
    case .jaegerProtobuf: try TraceFormatOracle.check(input, .postSpans)
    case .jaegerThrift: try TraceFormatOracle.check(input, .thriftBatch)
    case .jaegerCallBinary: try TraceFormatOracle.check(input, .emitBatchBinary)
    case .jaegerCallCompact: try TraceFormatOracle.check(input, .emitBatchCompact)
    case .zipkinJSON: try TraceFormatOracle.check(input, ZipkinMessage.json)
    case .zipkinProtobuf: try TraceFormatOracle.check(input, ZipkinMessage.protobuf)
    case .tailSampling: try TailSamplingOracle.check(input)
    }
  }

  /// Inputs to start from; empty for the targets that start from the fixtures of the tests.
  var seeds: [[UInt8]] {
    switch self {
    case .traces, .metrics, .logs, .jsonTraces, .jsonMetrics, .jsonLogs: []
    case .responses:
      [
        Array(#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"x"}}"#.utf8),
        [0x0A, 0x02, 0x08, 0x05],
      ]
    case .headers: HeaderOracle.seeds
    case .codecs: CodecOracle.seeds
    case .captures: CaptureOracle.seeds
    case .times: TimeOracle.seeds
    case .logLines: LineOracle.seeds
    case .expressions: ExpressionOracle.seeds
    case .grpc: GRPCOracle.seeds
    case .http2: HTTP2Oracle.seeds
    case .http: HTTPOracle.seeds
    case .config: ConfigOracle.seeds
    case .metadata: StorageOracle.metadataSeeds
    case .database: StorageOracle.databaseSeeds
    case .remoteWrite1: RemoteWriteOracle.seeds(.v1)
    case .remoteWrite2: RemoteWriteOracle.seeds(.v2)
    case .expositionText: ExpositionOracle.textSeeds
    case .expositionOpenMetrics: ExpositionOracle.openMetricsSeeds
    case .expositionProtobuf: ExpositionOracle.protobufSeeds
    case .logJSON: LogParserOracle.jsonSeeds
    case .logParsers: LogParserOracle.textSeeds
    case .syslog: SyslogOracle.seeds
    case .tracestate: SamplingOracle.seeds
    case .grouping: GroupingOracle.seeds
    case .jaegerProtobuf: TraceFormatOracle.seeds(JaegerMessage.postSpans)
    case .jaegerThrift: TraceFormatOracle.seeds(JaegerMessage.thriftBatch)
    case .jaegerCallBinary: TraceFormatOracle.seeds(JaegerMessage.emitBatchBinary)
    case .jaegerCallCompact: TraceFormatOracle.seeds(JaegerMessage.emitBatchCompact)
    case .zipkinJSON: TraceFormatOracle.seeds(ZipkinMessage.json)
    case .zipkinProtobuf: TraceFormatOracle.seeds(ZipkinMessage.protobuf)
    case .tailSampling: TailSamplingOracle.seeds
    }
  }

  /// Whether inputs are protobuf, so that mutations of fields reach further than mutations of bytes.
  var isProtobuf: Bool {
    switch self {
    case .traces, .metrics, .logs, .remoteWrite1, .remoteWrite2, .expositionProtobuf, .grouping,
      .tailSampling,
      .jaegerProtobuf, .zipkinProtobuf:
      true
    default: false
    }
  }
}
