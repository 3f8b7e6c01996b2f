/// The messages of OTLP that have a JSON form: requests, responses, and everything within.
///
/// The raw value is the message's row in ``OTLPMessageTable``.
package enum OTLPMessage: UInt8, CaseIterable {
  case exportTraceServiceRequest, resourceSpans, scopeSpans, span, spanEvent, spanLink, spanStatus
  case exportMetricsServiceRequest, resourceMetrics, scopeMetrics, metric
  case gauge, sum, histogram, exponentialHistogram, summary
  case numberDataPoint, histogramDataPoint, exponentialHistogramDataPoint, buckets
  case summaryDataPoint, valueAtQuantile, exemplar
  case exportLogsServiceRequest, resourceLogs, scopeLogs, logRecord
  case resource, entityRef, instrumentationScope, keyValue, anyValue, arrayValue, keyValueList
  case exportTraceServiceResponse, tracePartialSuccess
  case exportMetricsServiceResponse, metricsPartialSuccess
  case exportLogsServiceResponse, logsPartialSuccess
}

/// The enumerations of OTLP; JSON writes their numbers and reads their numbers and names.
enum OTLPEnumeration: UInt8 {
  case spanKind, statusCode, aggregationTemporality, severityNumber

  /// The names in the order of their numbers, which have no gaps, and the prefix they share.
  var names: (prefix: String, names: [String]) {
    switch self {
    case .spanKind:
      ("SPAN_KIND_", ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
    case .statusCode: ("STATUS_CODE_", ["UNSET", "OK", "ERROR"])
    case .aggregationTemporality:
      ("AGGREGATION_TEMPORALITY_", ["UNSPECIFIED", "DELTA", "CUMULATIVE"])
    case .severityNumber:
      (
        "SEVERITY_NUMBER_",
        ["UNSPECIFIED"]
          + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { level in
            [level, level + "2", level + "3", level + "4"]
          }
      )
    }
  }
}

/// What a field holds, which decides both its wire type and its JSON form.
enum OTLPFieldKind: UInt8 {
  case string, bytes, traceID, spanID
  case bool, int32, uint32, sint32, fixed32, enumeration
  case int64, uint64, fixed64, sfixed64, double
  case message
}

/// How often a field stands in its message, and whether its default value is written.
enum OTLPFieldPresence: UInt8 {
  /// Left out when it holds its default value.
  case implicit
  /// Written even when it holds its default value: proto3 `optional`, sub-messages, and members of a oneof.
  case explicit
  /// Any number of times.
  case repeated
}

/// One line of a message's declaration, as it stands in the `.proto` file.
struct OTLPFieldDeclaration {
  var number: UInt8
  /// The name in the `.proto` file; the JSON name follows from it.
  var name: String
  var kind: OTLPFieldKind
  var presence = OTLPFieldPresence.implicit
  /// The message of a sub-message field.
  var message: OTLPMessage?
  /// The enumeration of an enum field.
  var enumeration: OTLPEnumeration?
  /// Whether the field is a member of the message's oneof; no message of OTLP has two.
  var isOneofMember = false

  static func field(
    _ number: UInt8, _ name: String, _ kind: OTLPFieldKind, _ presence: OTLPFieldPresence = .implicit
  ) -> Self {
    Self(number: number, name: name, kind: kind, presence: presence)
  }
  static func message(_ number: UInt8, _ name: String, _ message: OTLPMessage) -> Self {
    Self(number: number, name: name, kind: .message, presence: .explicit, message: message)
  }
  static func messages(_ number: UInt8, _ name: String, _ message: OTLPMessage) -> Self {
    Self(number: number, name: name, kind: .message, presence: .repeated, message: message)
  }
  static func enumeration(_ number: UInt8, _ name: String, _ enumeration: OTLPEnumeration) -> Self {
    Self(number: number, name: name, kind: .enumeration, enumeration: enumeration)
  }
  static func oneof(_ number: UInt8, _ name: String, _ kind: OTLPFieldKind) -> Self {
    Self(number: number, name: name, kind: kind, presence: .explicit, isOneofMember: true)
  }
  static func oneof(_ number: UInt8, _ name: String, _ message: OTLPMessage) -> Self {
    Self(
      number: number, name: name, kind: .message, presence: .explicit, message: message,
      isOneofMember: true)
  }
}

extension OTLPMessage {
  /// The request of a signal's `Export` method.
  package static func exportRequest(of signal: Signal) -> OTLPMessage {
    switch signal {
    case .traces: .exportTraceServiceRequest
    case .metrics: .exportMetricsServiceRequest
    case .logs: .exportLogsServiceRequest
    }
  }

  /// The response of a signal's `Export` method.
  package static func exportResponse(of signal: Signal) -> OTLPMessage {
    switch signal {
    case .traces: .exportTraceServiceResponse
    case .metrics: .exportMetricsServiceResponse
    case .logs: .exportLogsServiceResponse
    }
  }
}
