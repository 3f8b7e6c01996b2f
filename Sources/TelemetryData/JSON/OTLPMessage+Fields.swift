extension OTLPMessage {
  /// The fields of the message in the order of the `.proto` file, which is also the order most encoders
  /// write.
  ///
  /// The source is opentelemetry-proto 1.x: `trace/v1`, `metrics/v1`, `logs/v1`, `resource/v1`, `common/v1`
  /// and `collector/*/v1`.
  var fields: [OTLPFieldDeclaration] {
    switch self {
    case .exportTraceServiceRequest: [.messages(1, "resource_spans", .resourceSpans)]
    case .resourceSpans: Self.resourceFields(items: .messages(2, "scope_spans", .scopeSpans))
    case .scopeSpans: Self.scopeFields(items: .messages(2, "spans", .span))
    case .span:
      [
        .field(1, "trace_id", .traceID),
        .field(2, "span_id", .spanID),
        .field(3, "trace_state", .string),
        .field(4, "parent_span_id", .spanID),
        .field(16, "flags", .fixed32),
        .field(5, "name", .string),
        .enumeration(6, "kind", .spanKind),
        .field(7, "start_time_unix_nano", .fixed64),
        .field(8, "end_time_unix_nano", .fixed64),
        .messages(9, "attributes", .keyValue),
        .field(10, "dropped_attributes_count", .uint32),
        .messages(11, "events", .spanEvent),
        .field(12, "dropped_events_count", .uint32),
        .messages(13, "links", .spanLink),
        .field(14, "dropped_links_count", .uint32),
        .message(15, "status", .spanStatus),
      ]
    case .spanEvent:
      [
        .field(1, "time_unix_nano", .fixed64),
        .field(2, "name", .string),
        .messages(3, "attributes", .keyValue),
        .field(4, "dropped_attributes_count", .uint32),
      ]
    case .spanLink:
      [
        .field(1, "trace_id", .traceID),
        .field(2, "span_id", .spanID),
        .field(3, "trace_state", .string),
        .messages(4, "attributes", .keyValue),
        .field(5, "dropped_attributes_count", .uint32),
        .field(6, "flags", .fixed32),
      ]
    case .spanStatus: [.field(2, "message", .string), .enumeration(3, "code", .statusCode)]

    case .exportMetricsServiceRequest: [.messages(1, "resource_metrics", .resourceMetrics)]
    case .resourceMetrics: Self.resourceFields(items: .messages(2, "scope_metrics", .scopeMetrics))
    case .scopeMetrics: Self.scopeFields(items: .messages(2, "metrics", .metric))
    case .metric:
      [
        .field(1, "name", .string),
        .field(2, "description", .string),
        .field(3, "unit", .string),
        .oneof(5, "gauge", .gauge),
        .oneof(7, "sum", .sum),
        .oneof(9, "histogram", .histogram),
        .oneof(10, "exponential_histogram", .exponentialHistogram),
        .oneof(11, "summary", .summary),
        .messages(12, "metadata", .keyValue),
      ]
    case .gauge: [.messages(1, "data_points", .numberDataPoint)]
    case .sum:
      [
        .messages(1, "data_points", .numberDataPoint),
        .enumeration(2, "aggregation_temporality", .aggregationTemporality),
        .field(3, "is_monotonic", .bool),
      ]
    case .histogram:
      [
        .messages(1, "data_points", .histogramDataPoint),
        .enumeration(2, "aggregation_temporality", .aggregationTemporality),
      ]
    case .exponentialHistogram:
      [
        .messages(1, "data_points", .exponentialHistogramDataPoint),
        .enumeration(2, "aggregation_temporality", .aggregationTemporality),
      ]
    case .summary: [.messages(1, "data_points", .summaryDataPoint)]
    case .numberDataPoint:
      [
        .messages(7, "attributes", .keyValue),
        .field(2, "start_time_unix_nano", .fixed64),
        .field(3, "time_unix_nano", .fixed64),
        .oneof(4, "as_double", .double),
        .oneof(6, "as_int", .sfixed64),
        .messages(5, "exemplars", .exemplar),
        .field(8, "flags", .uint32),
      ]
    case .histogramDataPoint:
      [
        .messages(9, "attributes", .keyValue),
        .field(2, "start_time_unix_nano", .fixed64),
        .field(3, "time_unix_nano", .fixed64),
        .field(4, "count", .fixed64),
        .field(5, "sum", .double, .explicit),
        .field(6, "bucket_counts", .fixed64, .repeated),
        .field(7, "explicit_bounds", .double, .repeated),
        .messages(8, "exemplars", .exemplar),
        .field(10, "flags", .uint32),
        .field(11, "min", .double, .explicit),
        .field(12, "max", .double, .explicit),
      ]
    case .exponentialHistogramDataPoint:
      [
        .messages(1, "attributes", .keyValue),
        .field(2, "start_time_unix_nano", .fixed64),
        .field(3, "time_unix_nano", .fixed64),
        .field(4, "count", .fixed64),
        .field(5, "sum", .double, .explicit),
        .field(6, "scale", .sint32),
        .field(7, "zero_count", .fixed64),
        .message(8, "positive", .buckets),
        .message(9, "negative", .buckets),
        .field(10, "flags", .uint32),
        .messages(11, "exemplars", .exemplar),
        .field(12, "min", .double, .explicit),
        .field(13, "max", .double, .explicit),
        .field(14, "zero_threshold", .double),
      ]
    case .buckets: [.field(1, "offset", .sint32), .field(2, "bucket_counts", .uint64, .repeated)]
    case .summaryDataPoint:
      [
        .messages(7, "attributes", .keyValue),
        .field(2, "start_time_unix_nano", .fixed64),
        .field(3, "time_unix_nano", .fixed64),
        .field(4, "count", .fixed64),
        .field(5, "sum", .double),
        .messages(6, "quantile_values", .valueAtQuantile),
        .field(8, "flags", .uint32),
      ]
    case .valueAtQuantile: [.field(1, "quantile", .double), .field(2, "value", .double)]
    case .exemplar:
      [
        .messages(7, "filtered_attributes", .keyValue),
        .field(2, "time_unix_nano", .fixed64),
        .oneof(3, "as_double", .double),
        .oneof(6, "as_int", .sfixed64),
        .field(4, "span_id", .spanID),
        .field(5, "trace_id", .traceID),
      ]

    case .exportLogsServiceRequest: [.messages(1, "resource_logs", .resourceLogs)]
    case .resourceLogs: Self.resourceFields(items: .messages(2, "scope_logs", .scopeLogs))
    case .scopeLogs: Self.scopeFields(items: .messages(2, "log_records", .logRecord))
    case .logRecord:
      [
        .field(1, "time_unix_nano", .fixed64),
        .field(11, "observed_time_unix_nano", .fixed64),
        .enumeration(2, "severity_number", .severityNumber),
        .field(3, "severity_text", .string),
        .message(5, "body", .anyValue),
        .messages(6, "attributes", .keyValue),
        .field(7, "dropped_attributes_count", .uint32),
        .field(8, "flags", .fixed32),
        .field(9, "trace_id", .traceID),
        .field(10, "span_id", .spanID),
        .field(12, "event_name", .string),
      ]

    case .resource:
      [
        .messages(1, "attributes", .keyValue),
        .field(2, "dropped_attributes_count", .uint32),
        .messages(3, "entity_refs", .entityRef),
      ]
    case .entityRef:
      [
        .field(1, "schema_url", .string),
        .field(2, "type", .string),
        .field(3, "id_keys", .string, .repeated),
        .field(4, "description_keys", .string, .repeated),
      ]
    case .instrumentationScope:
      [
        .field(1, "name", .string),
        .field(2, "version", .string),
        .messages(3, "attributes", .keyValue),
        .field(4, "dropped_attributes_count", .uint32),
      ]
    case .keyValue:
      [
        .field(1, "key", .string),
        .message(2, "value", .anyValue),
        .field(3, "key_strindex", .int32),
      ]
    case .anyValue:
      [
        .oneof(1, "string_value", .string),
        .oneof(2, "bool_value", .bool),
        .oneof(3, "int_value", .int64),
        .oneof(4, "double_value", .double),
        .oneof(5, "array_value", .arrayValue),
        .oneof(6, "kvlist_value", .keyValueList),
        .oneof(7, "bytes_value", .bytes),
        .oneof(8, "string_value_strindex", .int32),
      ]
    case .arrayValue: [.messages(1, "values", .anyValue)]
    case .keyValueList: [.messages(1, "values", .keyValue)]

    case .exportTraceServiceResponse: [.message(1, "partial_success", .tracePartialSuccess)]
    case .tracePartialSuccess: Self.partialSuccessFields(rejected: "rejected_spans")
    case .exportMetricsServiceResponse: [.message(1, "partial_success", .metricsPartialSuccess)]
    case .metricsPartialSuccess: Self.partialSuccessFields(rejected: "rejected_data_points")
    case .exportLogsServiceResponse: [.message(1, "partial_success", .logsPartialSuccess)]
    case .logsPartialSuccess: Self.partialSuccessFields(rejected: "rejected_log_records")
    }
  }

  private static func resourceFields(items: OTLPFieldDeclaration) -> [OTLPFieldDeclaration] {
    [.message(1, "resource", .resource), items, .field(3, "schema_url", .string)]
  }

  private static func scopeFields(items: OTLPFieldDeclaration) -> [OTLPFieldDeclaration] {
    [.message(1, "scope", .instrumentationScope), items, .field(3, "schema_url", .string)]
  }

  private static func partialSuccessFields(rejected: String) -> [OTLPFieldDeclaration] {
    [.field(1, rejected, .int64), .field(2, "error_message", .string)]
  }
}
