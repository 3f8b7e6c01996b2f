/// The type of a metric family in an exposition.
///
/// The numbers are those of `MetricMetadata.MetricType`, the same in both versions of remote write.
package enum ExpositionType: UInt8, Sendable, Hashable {
  case unknown = 0
  case counter, gauge, histogram, gaugeHistogram, summary, info, stateSet
}

/// The formats that targets expose their metrics in.
package enum ExpositionFormat: Sendable, Hashable {
  /// `text/plain`, version 0.0.4 or 1.0.0.
  case text
  /// `application/openmetrics-text`, version 0.0.1 or 1.0.0.
  case openMetrics
  /// `application/vnd.google.protobuf`, `io.prometheus.client.MetricFamily`, delimited.
  case protobuf
}

/// What a reader found next.
package enum ExpositionEntry: Sendable {
  /// The type of the family ``ExpositionSource/familyName``.
  case type(ExpositionType)
  /// The help or unit of that family; its text is ``ExpositionSource/text``.
  case help, unit
  /// A value of the series ``ExpositionSource/series``.
  case sample
  /// A native histogram of that series.
  case histogram
  /// The exposition ended as it should.
  case end
}

/// An exemplar of a sample.
package struct ExpositionExemplar: Sendable, Hashable {
  package var labels: LabelSet
  package var value: Double
  /// Milliseconds since the Unix epoch.
  package var timestamp: Int64?

  package init(labels: LabelSet, value: Double, timestamp: Int64? = nil) {
    self.labels = labels
    self.value = value
    self.timestamp = timestamp
  }
}

/// Why an exposition is refused: a scrape fails as a whole.
package struct ExpositionError: Error, Sendable, Hashable {
  /// From 1; for protobuf the number of the message.
  package var line: Int
  /// In bytes, from 1; for protobuf the offset in the message.
  package var column: Int
  /// A clause without a full stop.
  package var reason: String

  package init(line: Int, column: Int, reason: String) {
    self.line = line
    self.column = column
    self.reason = reason
  }
}

/// A reader of one exposition, entry by entry, that borrows its bytes.
///
/// What an entry does not say itself is asked for after ``next()`` returned it. Series are handed out as the raw bytes
/// that name them (`name{a="b"}` as written), so that a series already known costs no parsing of labels. ``next()``
/// checks everything but one thing: that a series has no label twice, which ``labels()`` finds.
package protocol ExpositionSource: ~Copyable, ~Escapable {
  mutating func next() throws(ExpositionError) -> ExpositionEntry

  /// Reads the next entry when it is a sample of a series that is already known; otherwise it is left to ``next()``.
  ///
  /// What the entry before it said is gone either way.
  ///
  /// The way of a scrape whose series come in the order of the last one: one comparison of bytes, then the value.
  ///
  /// - Parameter known: The ``series`` of an earlier sample, of this exposition or one of the same format.
  mutating func nextSample(like known: Span<UInt8>) throws(ExpositionError) -> Bool

  /// The raw bytes of the name in a type, help or unit line: without quotes, escapes not resolved.
  var rawFamilyName: Span<UInt8> {
    @_lifetime(borrow self) get
  }
  /// The raw bytes of the text of a help or unit line (of a type in text: its word), escapes not resolved; with
  /// ``rawFamilyName`` enough to see that a line is the same as last time.
  var rawText: Span<UInt8> {
    @_lifetime(borrow self) get
  }
  /// The family that a type, help or unit is of.
  var familyName: String { get }
  /// The text of a help or unit, unescaped.
  var text: String { get }

  /// The raw bytes that identify the series of a sample or histogram.
  var series: Span<UInt8> {
    @_lifetime(borrow self) get
  }
  /// The labels of the series, `__name__` among them; `le` and `quantile` of histograms and summaries are written as
  /// Prometheus 3 writes them (`1.0`).
  func labels() throws(ExpositionError) -> LabelSet
  var value: Double { get }
  /// Milliseconds since the Unix epoch, where the target says when it was.
  var timestamp: Int64? { get }
  /// Milliseconds since the Unix epoch at which the counter, histogram or summary was created, where the entry itself
  /// says so (protobuf; in OpenMetrics text that is a series of its own).
  var createdTimestamp: Int64? { get }
  /// Whether ``exemplars`` has any.
  var hasExemplars: Bool { get }
  var exemplars: [ExpositionExemplar] { get }
  var histogram: NativeHistogram { get }
}
