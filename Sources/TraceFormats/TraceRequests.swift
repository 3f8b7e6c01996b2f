/// One request to be: spans in another format than OTLP.
package struct TracePart: Sendable {
  /// The message, not compressed.
  package var body: [UInt8]
  /// How many spans are in it.
  package var spans: Int

  package init(body: [UInt8], spans: Int) {
    self.body = body
    self.spans = spans
  }
}

/// The requests that stand for a batch of spans.
package struct TraceRequests: Sendable {
  package var parts: [TracePart] = []
  /// Spans that are in none of them.
  package var drops = SpanDrops()
}

/// Spans that a format without ids cannot carry, by what is wrong with them.
///
/// One of them would make a backend refuse the whole request.
package struct SpanDrops: Sendable, Hashable {
  /// What is wrong with a span.
  package enum Reason: String, Sendable, CaseIterable {
    /// The trace id is missing, or all zeros.
    case invalidTraceID = "invalid_trace_id"
    /// The span id is missing, or all zeros.
    case invalidSpanID = "invalid_span_id"
  }
  private var traceIDs = 0
  private var spanIDs = 0

  package init() {}

  mutating func add(_ reason: Reason) {
    switch reason {
    case .invalidTraceID: traceIDs += 1
    case .invalidSpanID: spanIDs += 1
    }
  }

  package var total: Int { traceIDs + spanIDs }

  /// The reasons that occurred.
  package var byReason: [(reason: Reason, spans: Int)] {
    [(Reason.invalidTraceID, traceIDs), (.invalidSpanID, spanIDs)].filter { $0.1 > 0 }
  }
}
