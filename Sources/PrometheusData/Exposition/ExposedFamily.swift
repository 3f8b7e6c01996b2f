/// A metric family as it is exposed: its points are written together, one after the other.
package struct ExposedFamily: Sendable, Hashable {
  /// As series without a suffix of their own have it; a counter's may end in `_total`, an info's in `_info`.
  package var name: [UInt8]
  package var type: ExpositionType
  package var help: [UInt8]
  /// In words, such as `seconds`; empty for none.
  package var unit: [UInt8]
  package var points: [ExposedPoint]

  package init(
    name: [UInt8], type: ExpositionType, help: [UInt8] = [], unit: [UInt8] = [], points: [ExposedPoint] = []
  ) {
    self.name = name
    self.type = type
    self.help = help
    self.unit = unit
    self.points = points
  }
}

/// What a family has for one set of labels.
package struct ExposedPoint: Sendable, Hashable {
  /// Without `__name__`, `le` of buckets and `quantile`.
  package var labels: ExposedLabels
  package var value: Value
  /// Milliseconds since the Unix epoch; nil leaves the time to the scraper.
  package var timestamp: Int64?
  /// Milliseconds since the Unix epoch at which a counter, histogram or summary began; 0 when it is not known.
  package var start: Int64
  package var exemplars: [ExposedExemplar]

  package enum Value: Sendable, Hashable {
    case number(Double)
    /// The series of a classic histogram or a summary, in the order in which they are written.
    case series([ExposedSeries])
    case native(NativeHistogram)
  }

  package init(
    labels: ExposedLabels, value: Value, timestamp: Int64? = nil, start: Int64 = 0,
    exemplars: [ExposedExemplar] = []
  ) {
    self.labels = labels
    self.value = value
    self.timestamp = timestamp
    self.start = start
    self.exemplars = exemplars
  }
}

/// One of the series of a histogram or summary.
package struct ExposedSeries: Sendable, Hashable {
  package enum Part: UInt8, Sendable, Hashable {
    case quantile, bucket, sum, count
  }
  package var part: Part
  /// The upper bound of a bucket, or the quantile.
  package var bound: Double
  package var value: Double
  /// The position among the point's exemplars; -1 for none.
  package var exemplar: Int32

  package init(_ part: Part, bound: Double = 0, value: Double, exemplar: Int32 = -1) {
    self.part = part
    self.bound = bound
    self.value = value
    self.exemplar = exemplar
  }
}

/// An exemplar of a point.
package struct ExposedExemplar: Sendable, Hashable {
  package var labels: ExposedLabels
  package var value: Double
  /// Milliseconds since the Unix epoch; 0 when it is not known.
  package var timestamp: Int64

  package init(labels: ExposedLabels, value: Double, timestamp: Int64) {
    self.labels = labels
    self.value = value
    self.timestamp = timestamp
  }
}

/// Labels in one piece of memory: name, value, name, value, each after its length in four bytes.
package struct ExposedLabels: Sendable, Hashable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Of what a key of the same layout holds.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ labels: [(String, String)]) {
    for (name, value) in labels { append(name.utf8.span, value.utf8.span) }
  }

  package var isEmpty: Bool { bytes.isEmpty }

  package mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    Self.append(name, to: &bytes)
    Self.append(value, to: &bytes)
  }

  /// Appends a text in this layout.
  package static func append(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
    let count = UInt32(truncatingIfNeeded: text.count)
    for shift in stride(from: 0 as UInt32, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: count >> shift))
    }
    bytes.append(addingCapacity: text.count) { output in
      for index in text.indices { output.append(text[index]) }
    }
  }

  /// Calls a closure with the ranges in ``bytes`` of each label.
  package func forEach(_ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void) {
    var offset = 0
    while let name = text(at: &offset), let value = text(at: &offset) { body(name, value) }
  }

  private func text(at offset: inout Int) -> Range<Int>? {
    guard bytes.count - offset >= 4 else { return nil }
    var count = 0
    for index in 0..<4 { count |= Int(bytes[offset + index]) << (8 * index) }
    let start = offset + 4
    guard bytes.count - start >= count else { return nil }
    offset = start + count
    return start..<offset
  }
}
