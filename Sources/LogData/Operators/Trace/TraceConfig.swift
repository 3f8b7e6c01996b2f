package import ConfigSchema

/// The block `trace` of parsers, and the keys of `trace_parser`: where the ids of the trace context stand.
package struct TraceConfig: ConfigGroup {
  package var traceID = TraceFieldConfig(key: "trace_id")
  package var spanID = TraceFieldConfig(key: "span_id")
  package var traceFlags = TraceFieldConfig(key: "trace_flags")

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("trace_id", \.traceID, "The id of the trace: 32 hex digits, or 16 of older systems."),
    Field("span_id", \.spanID, "The id of the span: 16 hex digits."),
    Field("trace_flags", \.traceFlags, "The trace flags of W3C: two hex digits."),
  ]

  /// The compiled form.
  package func makeReader() -> TraceReader {
    TraceReader(traceID: traceID.parseFrom, spanID: spanID.parseFrom, traceFlags: traceFlags.parseFrom)
  }
}

/// Where one part of the trace context stands.
package struct TraceFieldConfig: ConfigGroup {
  package var parseFrom = FieldPath(.body)

  package init() {}

  init(key: String) { parseFrom = FieldPath(.body, [key]) }

  package static let fields: [Field<Self>] = [
    Field("parse_from", \.parseFrom, "The field that holds it; what is not there is left out.")
  ]
}
