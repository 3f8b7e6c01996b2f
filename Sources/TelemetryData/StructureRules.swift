/// What the schema says about a field, as far as the structural check needs it.
///
/// Values from ``message(_:)`` on name a nested message.
struct FieldRule: RawRepresentable, Hashable, Sendable {
  var rawValue: UInt8

  static let unknown = FieldRule(rawValue: 0)
  static let varint = FieldRule(rawValue: 1)
  static let fixed64 = FieldRule(rawValue: 2)
  static let fixed32 = FieldRule(rawValue: 3)
  static let string = FieldRule(rawValue: 4)
  static let bytes = FieldRule(rawValue: 5)
  /// Bytes of length 16, or none.
  static let traceID = FieldRule(rawValue: 6)
  /// Bytes of length 8, or none.
  static let spanID = FieldRule(rawValue: 7)
  /// Repeated, packed or not.
  static let repeatedFixed64 = FieldRule(rawValue: 8)
  /// Repeated, packed or not.
  static let repeatedVarint = FieldRule(rawValue: 9)

  static func message(_ kind: MessageKind) -> FieldRule { FieldRule(rawValue: 16 + kind.rawValue) }
}

/// The messages of OTLP.
enum MessageKind: UInt8, CaseIterable, Sendable {
  case exportTraces, exportMetrics, exportLogs
  case resourceSpans, resourceMetrics, resourceLogs
  case scopeSpans, scopeMetrics, scopeLogs
  case resource, scope, entityRef, keyValue, anyValue, arrayValue, keyValueList
  case span, event, link, status, logRecord
  case metric, gauge, sum, histogram, exponentialHistogram, summary
  case numberPoint, histogramPoint, exponentialPoint, buckets, summaryPoint, quantile, exemplar
}

extension MessageKind {
  /// The fields of the message by number (opentelemetry-proto 1.9).
  var fields: [Int: FieldRule] {
    switch self {
    case .exportTraces: [1: .message(.resourceSpans)]
    case .exportMetrics: [1: .message(.resourceMetrics)]
    case .exportLogs: [1: .message(.resourceLogs)]
    case .resourceSpans: [1: .message(.resource), 2: .message(.scopeSpans), 3: .string]
    case .resourceMetrics: [1: .message(.resource), 2: .message(.scopeMetrics), 3: .string]
    case .resourceLogs: [1: .message(.resource), 2: .message(.scopeLogs), 3: .string]
    case .scopeSpans: [1: .message(.scope), 2: .message(.span), 3: .string]
    case .scopeMetrics: [1: .message(.scope), 2: .message(.metric), 3: .string]
    case .scopeLogs: [1: .message(.scope), 2: .message(.logRecord), 3: .string]
    case .resource: [1: .message(.keyValue), 2: .varint, 3: .message(.entityRef)]
    case .scope: [1: .string, 2: .string, 3: .message(.keyValue), 4: .varint]
    case .entityRef: [1: .string, 2: .string, 3: .string, 4: .string]
    case .keyValue: [1: .string, 2: .message(.anyValue), 3: .varint]
    case .anyValue:
      [
        1: .string, 2: .varint, 3: .varint, 4: .fixed64, 5: .message(.arrayValue), 6: .message(.keyValueList),
        7: .bytes, 8: .varint,
      ]
    case .arrayValue: [1: .message(.anyValue)]
    case .keyValueList: [1: .message(.keyValue)]
    case .span:
      [
        1: .traceID, 2: .spanID, 3: .string, 4: .spanID, 5: .string, 6: .varint, 7: .fixed64, 8: .fixed64,
        9: .message(.keyValue), 10: .varint, 11: .message(.event), 12: .varint, 13: .message(.link),
        14: .varint, 15: .message(.status), 16: .fixed32,
      ]
    case .event: [1: .fixed64, 2: .string, 3: .message(.keyValue), 4: .varint]
    case .link:
      [1: .traceID, 2: .spanID, 3: .string, 4: .message(.keyValue), 5: .varint, 6: .fixed32]
    case .status: [2: .string, 3: .varint]
    case .logRecord:
      [
        1: .fixed64, 2: .varint, 3: .string, 5: .message(.anyValue), 6: .message(.keyValue), 7: .varint,
        8: .fixed32, 9: .traceID, 10: .spanID, 11: .fixed64, 12: .string,
      ]
    case .metric:
      [
        1: .string, 2: .string, 3: .string, 5: .message(.gauge), 7: .message(.sum), 9: .message(.histogram),
        10: .message(.exponentialHistogram), 11: .message(.summary), 12: .message(.keyValue),
      ]
    case .gauge: [1: .message(.numberPoint)]
    case .sum: [1: .message(.numberPoint), 2: .varint, 3: .varint]
    case .histogram: [1: .message(.histogramPoint), 2: .varint]
    case .exponentialHistogram: [1: .message(.exponentialPoint), 2: .varint]
    case .summary: [1: .message(.summaryPoint)]
    case .numberPoint:
      [
        2: .fixed64, 3: .fixed64, 4: .fixed64, 5: .message(.exemplar), 6: .fixed64, 7: .message(.keyValue),
        8: .varint,
      ]
    case .histogramPoint:
      [
        2: .fixed64, 3: .fixed64, 4: .fixed64, 5: .fixed64, 6: .repeatedFixed64, 7: .repeatedFixed64,
        8: .message(.exemplar), 9: .message(.keyValue), 10: .varint, 11: .fixed64, 12: .fixed64,
      ]
    case .exponentialPoint:
      [
        1: .message(.keyValue), 2: .fixed64, 3: .fixed64, 4: .fixed64, 5: .fixed64, 6: .varint, 7: .fixed64,
        8: .message(.buckets), 9: .message(.buckets), 10: .varint, 11: .message(.exemplar), 12: .fixed64,
        13: .fixed64, 14: .fixed64,
      ]
    case .buckets: [1: .varint, 2: .repeatedVarint]
    case .summaryPoint:
      [
        2: .fixed64, 3: .fixed64, 4: .fixed64, 5: .fixed64, 6: .message(.quantile), 7: .message(.keyValue),
        8: .varint,
      ]
    case .quantile: [1: .fixed64, 2: .fixed64]
    case .exemplar:
      [2: .fixed64, 3: .fixed64, 4: .spanID, 5: .traceID, 6: .fixed64, 7: .message(.keyValue)]
    }
  }

  /// The rules of all messages, 32 field numbers each.
  static let rules: [UInt8] = {
    var table = [UInt8](repeating: 0, count: allCases.count * 32)
    for kind in allCases {
      for (number, rule) in kind.fields { table[Int(kind.rawValue) * 32 + number] = rule.rawValue }
    }
    return table
  }()
}
