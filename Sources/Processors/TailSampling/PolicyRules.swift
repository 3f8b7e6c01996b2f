package import ConfigSchema
internal import NativeCodecs

/// What a sampling policy is (`type`).
package enum PolicyType: String, ConfigEnum {
  case alwaysSample = "always_sample"
  case latency
  case numericAttribute = "numeric_attribute"
  case probabilistic
  case statusCode = "status_code"
  case stringAttribute = "string_attribute"
  case rateLimiting = "rate_limiting"
  case bytesLimiting = "bytes_limiting"
  case spanCount = "span_count"
  case traceState = "trace_state"
  case traceFlags = "trace_flags"
  case booleanAttribute = "boolean_attribute"
  case ottlCondition = "ottl_condition"
  case and
  case not
  case drop
  case composite
}

/// The sections of the policies that look at a trace, of which `type` selects one.
package struct PolicyRules: ConfigGroup {
  package var latency: LatencyRule?
  package var numericAttribute: NumericAttributeRule?
  package var probabilistic: ProbabilisticRule?
  package var statusCode: StatusCodeRule?
  package var stringAttribute: StringAttributeRule?
  package var rateLimiting: RateLimitingRule?
  package var bytesLimiting: BytesLimitingRule?
  package var spanCount: SpanCountRule?
  package var traceState: TraceStateRule?
  package var booleanAttribute: BooleanAttributeRule?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("latency", \.latency, "How long the traces are that are kept."),
    Field(
      "numeric_attribute", \.numericAttribute, "A whole number in an attribute of a span or its resource."),
    Field("probabilistic", \.probabilistic, "The share of all traces that is kept."),
    Field("status_code", \.statusCode, "The status of a span."),
    Field("string_attribute", \.stringAttribute, "A text in an attribute of a span or its resource."),
    Field("rate_limiting", \.rateLimiting, "How many spans are kept in a second."),
    Field("bytes_limiting", \.bytesLimiting, "How many bytes are kept in a second."),
    Field("span_count", \.spanCount, "How many spans a trace has."),
    Field("trace_state", \.traceState, "A member of the `tracestate` of a span."),
    Field("boolean_attribute", \.booleanAttribute, "A boolean in an attribute of a span or its resource."),
    .unsupported("ottl_condition", "conditions of OTTL cannot be evaluated yet; use the attribute policies"),
  ]

  /// The types whose section is there.
  var present: [PolicyType] {
    let all: [(PolicyType, Bool)] = [
      (.latency, latency != nil), (.numericAttribute, numericAttribute != nil),
      (.probabilistic, probabilistic != nil), (.statusCode, statusCode != nil),
      (.stringAttribute, stringAttribute != nil), (.rateLimiting, rateLimiting != nil),
      (.bytesLimiting, bytesLimiting != nil), (.spanCount, spanCount != nil),
      (.traceState, traceState != nil),
      (.booleanAttribute, booleanAttribute != nil),
    ]
    return all.filter(\.1).map(\.0)
  }
}

/// `latency`: traces that took so long.
package struct LatencyRule: ConfigGroup {
  package var threshold = 0
  package var upperThreshold = 0
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "threshold_ms", \.threshold,
      "Milliseconds from the first start to the last end from which on a trace is kept; with an upper threshold, "
        + "above which.", check: .atLeast(0)),
    Field(
      "upper_threshold_ms", \.upperThreshold, "Milliseconds up to which a trace is kept; 0 is no limit.",
      check: .atLeast(0)),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if upperThreshold != 0, upperThreshold <= threshold {
      checker.error(\.upperThreshold, "must be 0 or above threshold_ms (\(threshold))")
    }
  }
}

/// `numeric_attribute`: traces with a whole number in a range.
package struct NumericAttributeRule: ConfigGroup {
  package var key = ""
  package var minimum = 0
  package var maximum = 0
  package var invertMatch = false
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("key", \.key, "The attribute, of a span or its resource.", check: .nonEmpty, required: true),
    Field("min_value", \.minimum, "The smallest number; 0 is no limit."),
    Field("max_value", \.maximum, "The largest number; 0 is no limit."),
    Field(
      "invert_match", \.invertMatch, "Keep traces without such a number; with one, whatever others say, drop."
    ),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if minimum == 0, maximum == 0 {
      checker.error("min_value or max_value is needed, and 0 counts as not set")
    } else if range == nil {
      checker.error(\.maximum, "must be at least min_value (\(minimum))")
    }
  }

  var range: ClosedRange<Int64>? {
    let low = minimum == 0 ? Int64.min : Int64(minimum)
    let high = maximum == 0 ? Int64.max : Int64(maximum)
    return low <= high ? low...high : nil
  }
}

/// `probabilistic`: a share of all traces, by their ids.
package struct ProbabilisticRule: ConfigGroup {
  package var hashSalt = ""
  package var percentage = 0.0
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "hash_salt", \.hashSalt,
      "What is hashed with the trace id: other collectors with the same salt keep the same traces."),
    Field(
      "sampling_percentage", \.percentage, "How many of 100 traces are kept; 100 and more keep all.",
      check: .atLeast(0)),
  ]
}

/// `status_code`: traces with a span of such a status.
package struct StatusCodeRule: ConfigGroup {
  package enum Code: String, ConfigEnum {
    case ok = "OK"
    case error = "ERROR"
    case unset = "UNSET"

    /// OTLP's number.
    var number: UInt8 {
      switch self {
      case .unset: 0
      case .ok: 1
      case .error: 2
      }
    }
  }
  package var codes: [Code] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "status_codes", \.codes, "The status of one of its spans: OK, ERROR or UNSET.", check: .nonEmpty,
      required: true)
  ]
}

/// `string_attribute`: traces with a text.
package struct StringAttributeRule: ConfigGroup {
  package var key = ""
  package var values: [String] = []
  package var isRegex = false
  package var invertMatch = false
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("key", \.key, "The attribute, of a span or its resource.", check: .nonEmpty, required: true),
    Field(
      "values", \.values, "The texts, or regular expressions in RE2's syntax.", check: .nonEmpty,
      required: true),
    Field(
      "enabled_regex_matching", \.isRegex, "Whether the values are regular expressions, which match anywhere."
    ),
    .accepted("cache_max_size", "regular expressions need no cache here"),
    Field(
      "invert_match", \.invertMatch, "Keep traces without such a text; with one, whatever others say, drop."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    guard isRegex else { return }
    for value in values {
      do { _ = try Pattern(value) } catch {
        checker.error(
          \.values, "\"\(value)\" is not a regular expression of RE2: \(error.reason)",
          help: "the syntax is Go's: no backreferences and no look-around")
      }
    }
  }

  var condition: AttributeCondition { isRegex ? .pattern(values) : .text(Set(values.filter { !$0.isEmpty })) }
}

/// `boolean_attribute`: traces with a boolean.
package struct BooleanAttributeRule: ConfigGroup {
  package var key = ""
  package var value = false
  package var invertMatch = false
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("key", \.key, "The attribute, of a span or its resource.", check: .nonEmpty, required: true),
    Field("value", \.value, "The value."),
    Field(
      "invert_match", \.invertMatch, "Keep traces without such a value; with one, whatever others say, drop."),
  ]
}

/// `rate_limiting`: traces for as long as a budget of spans lasts.
package struct RateLimitingRule: ConfigGroup {
  package var perSecond = 0
  package var burst = 0
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "spans_per_second", \.perSecond, "Spans that the budget gains in a second.", check: .range(1...1 << 40),
      required: true),
    Field(
      "burst_capacity", \.burst,
      "Spans that the budget holds at most, so that a larger trace is never kept; 0 is two seconds' worth.",
      check: .atLeast(0)),
  ]
}

/// `bytes_limiting`: traces for as long as a budget of bytes lasts.
package struct BytesLimitingRule: ConfigGroup {
  package var perSecond = 0
  package var burst = 0
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "bytes_per_second", \.perSecond, "Bytes of OTLP that the budget gains in a second.",
      check: .range(1...1 << 50), required: true),
    Field(
      "burst_capacity", \.burst,
      "Bytes that the budget holds at most, so that a larger trace is never kept; 0 is two seconds' worth.",
      check: .atLeast(0)),
  ]
}

/// `span_count`: traces of so many spans.
package struct SpanCountRule: ConfigGroup {
  package var minimum = 0
  package var maximum = 0
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("min_spans", \.minimum, "The fewest spans.", check: .atLeast(0)),
    Field("max_spans", \.maximum, "The most spans; 0 is no limit.", check: .atLeast(0)),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if maximum != 0, maximum < minimum {
      checker.error(\.maximum, "must be 0 or at least min_spans (\(minimum))")
    }
  }

  var range: ClosedRange<Int> { minimum...(maximum == 0 ? .max : max(minimum, maximum)) }
}

/// `trace_state`: traces with a member of the W3C header.
package struct TraceStateRule: ConfigGroup {
  package var key = ""
  package var values: [String] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "key", \.key, "The member of the `tracestate` of one of its spans.", check: .nonEmpty, required: true),
    Field("values", \.values, "The values.", check: .nonEmpty, required: true),
  ]
}
