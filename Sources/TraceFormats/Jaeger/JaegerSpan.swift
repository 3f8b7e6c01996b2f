internal import TelemetryData
internal import WireFormat

/// A tag of a span, a log or a process, where it stands in the message.
struct JaegerTag {
  enum Kind { case string, bool, int, double, binary, unknown }
  var key = WireRange(start: 0, end: 0)
  var kind = Kind.string
  /// The value of a number or boolean; of an unknown kind, its number.
  var bits: UInt64 = 0
  /// The value of a string or binary.
  var value = WireRange(start: 0, end: 0)
}

/// A log of a span.
struct JaegerLog {
  /// Nanoseconds since the Unix epoch.
  var time: UInt64 = 0
  /// Its fields within ``JaegerSpan/fields``.
  var fields = 0..<0
}

/// One span of Jaeger's as far as it has been read: places in the message, and numbers. Used again for the next span.
struct JaegerSpan {
  var traceHigh: UInt64 = 0
  var traceLow: UInt64 = 0
  var spanID: UInt64 = 0
  /// 0 where only references tell the parent.
  var parentID: UInt64 = 0
  var name = WireRange(start: 0, end: 0)
  var flags: UInt32 = 0
  /// Nanoseconds since the Unix epoch.
  var start: UInt64 = 0
  /// Nanoseconds.
  var duration: Int64 = 0
  var tags: [JaegerTag] = []
  var references: [JaegerReference] = []
  var logs: [JaegerLog] = []
  /// The fields of all logs.
  var fields: [JaegerTag] = []

  /// Forgets everything and keeps the memory.
  mutating func reset() {
    (traceHigh, traceLow, spanID, parentID, flags, start, duration) = (0, 0, 0, 0, 0, 0, 0)
    name = WireRange(start: 0, end: 0)
    tags.removeAll(keepingCapacity: true)
    references.removeAll(keepingCapacity: true)
    logs.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
  }

  /// What is wrong with the ids; nil when nothing is.
  var fault: SpanDrops.Reason? {
    if traceHigh == 0, traceLow == 0 { return .invalidTraceID }
    return spanID == 0 ? .invalidSpanID : nil
  }

  /// The parent: as the span says, or the first reference within the same trace, "child of" before "follows from".
  var parent: UInt64 {
    if parentID != 0 { return parentID }
    var follows: UInt64 = 0
    for reference in references
    where reference.traceHigh == traceHigh && reference.traceLow == traceLow {
      if reference.isChildOf { return reference.spanID }
      if follows == 0 { follows = reference.spanID }
    }
    return follows
  }

  /// When it ended, in nanoseconds since the Unix epoch.
  var end: UInt64 { Nanoseconds.sum(start, duration) }
}

/// Arithmetic of times that senders may have set to anything.
enum Nanoseconds {
  /// Seconds and nanoseconds since the epoch; times before it are 0, times beyond 64 bits the last.
  static func time(seconds: Int64, nanoseconds: Int64) -> UInt64 {
    let total = duration(seconds: seconds, nanoseconds: nanoseconds)
    if total < 0 { return 0 }
    if total < .max { return UInt64(total) }
    // Beyond 2262, which 64 bits without a sign still reach.
    let (product, overflows) = UInt64(max(0, seconds)).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carries) = product.addingReportingOverflow(UInt64(max(0, nanoseconds)))
    return overflows || carries ? .max : sum
  }

  static func duration(seconds: Int64, nanoseconds: Int64) -> Int64 {
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carries) = product.addingReportingOverflow(nanoseconds)
    return overflows || carries ? (seconds < 0 ? .min : .max) : sum
  }

  /// Microseconds since the epoch.
  static func time(microseconds: UInt64) -> UInt64 {
    let (product, overflows) = microseconds.multipliedReportingOverflow(by: 1000)
    return overflows ? .max : product
  }

  static func time(microseconds: Int64) -> UInt64 {
    microseconds < 0 ? 0 : time(microseconds: UInt64(microseconds))
  }

  static func duration(microseconds: Int64) -> Int64 {
    let (product, overflows) = microseconds.multipliedReportingOverflow(by: 1000)
    return overflows ? (microseconds < 0 ? .min : .max) : product
  }

  static func sum(_ time: UInt64, _ duration: Int64) -> UInt64 {
    if duration < 0 { return time > duration.magnitude ? time - duration.magnitude : 0 }
    let (sum, overflows) = time.addingReportingOverflow(UInt64(duration))
    return overflows ? .max : sum
  }
}
