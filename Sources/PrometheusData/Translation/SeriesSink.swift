/// Takes the series that a ``SeriesWalker`` makes of a batch, in the order of the batch.
///
/// Sinks on hot paths lie in this module, so that the walker is specialised for them.
package protocol SeriesSink: ~Copyable {
  /// A metric begins; what follows belongs to it, until the next call.
  mutating func begin(_ family: borrowing SeriesFamily)
  /// A data point begins, all of whose series follow.
  ///
  /// The labels are those that all its series have, with the metric's own name: what tells the points of a metric apart.
  mutating func beginPoint(_ labels: borrowing SeriesLabels)
  /// A value of one series.
  mutating func sample(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars)
  /// A native histogram of one series; the value of `point` is its sum.
  mutating func histogram(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars)
}

/// What series of one metric have in common.
package struct SeriesFamily: ~Escapable {
  /// With namespace and suffixes, as series without a suffix of their own (`_bucket`, `_sum`, `_count`) have it; a
  /// counter's ends in `_total` where suffixes are added.
  package let name: Span<UInt8>
  package let type: ExpositionType
  /// Whether it is `target_info`, which stands for no data point of the batch.
  package let isTarget: Bool
  package let help: Span<UInt8>
  /// In words, such as `seconds`; empty for none.
  package let unit: Span<UInt8>

  @_lifetime(copy name, copy help, copy unit)
  init(
    name: Span<UInt8>, type: ExpositionType, isTarget: Bool, help: Span<UInt8>, unit: Span<UInt8>
  ) {
    self.name = name
    self.type = type
    self.isTarget = isTarget
    self.help = help
    self.unit = unit
  }
}

/// When something was measured, and what.
package struct SeriesPoint: Sendable {
  package var value: Double
  /// Milliseconds since the Unix epoch.
  package var timestamp: Int64
  /// Milliseconds since the Unix epoch at which a counter, histogram or summary began; 0 when it is not known.
  package var start: Int64

  @inlinable
  package init(value: Double, timestamp: Int64, start: Int64) {
    self.value = value
    self.timestamp = timestamp
    self.start = start
  }
}

/// A place in one of the byte buffers that names and values of labels lie in.
struct TextPlace {
  /// Which buffer.
  enum Source: UInt32 {
    /// The batch itself.
    case batch = 0
    /// What lasts for a resource, scope, metric or layout.
    case kept = 1
    /// What lasts for a data point.
    case point = 2
    /// The texts of bounds and quantiles.
    case bounds = 3
  }
  var start: UInt32
  private var sizeAndSource: UInt32

  static var none: TextPlace { TextPlace(.batch, 0, 0) }

  @inline(__always)
  init(_ source: Source, _ start: Int, _ end: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    sizeAndSource = UInt32(truncatingIfNeeded: end &- start) & 0x3fff_ffff | source.rawValue &<< 30
  }

  @inline(__always)
  var count: Int { Int(sizeAndSource & 0x3fff_ffff) }
  @inline(__always)
  var range: Range<Int> {
    let start = Int(start)
    return start..<(start &+ count)
  }
  @inline(__always)
  var sourceBits: UInt32 { sizeAndSource &>> 30 }
  var isEmpty: Bool { count == 0 }
}

/// The buffers that ``TextPlace``s point into.
struct TextBuffers: ~Escapable {
  let batch: Span<UInt8>
  let kept: Span<UInt8>
  let point: Span<UInt8>
  let bounds: Span<UInt8>

  @_lifetime(copy batch, copy kept, copy point, copy bounds)
  @inline(__always)
  init(batch: Span<UInt8>, kept: Span<UInt8>, point: Span<UInt8>, bounds: Span<UInt8>) {
    self.batch = batch
    self.kept = kept
    self.point = point
    self.bounds = bounds
  }

  @inline(__always)
  @_lifetime(copy self)
  func text(_ place: TextPlace) -> Span<UInt8> {
    switch place.sourceBits {
    case 0: batch.extracting(place.range)
    case 1: kept.extracting(place.range)
    case 2: point.extracting(place.range)
    default: bounds.extracting(place.range)
    }
  }
}

/// A label of a series where its name and value lie.
struct LabelEntry {
  var name: TextPlace
  var value: TextPlace
  /// Whether the value is the same in all series of the layout.
  var isFixed: Bool
}

/// The labels of a series: sorted by name, each name once, `__name__` among them, no name or value empty.
///
/// Series that follow each other often differ in a few values only. All series with the same ``layout`` have the same
/// names in the same places, and the same values where ``isFixed(_:)`` says so: what a sink prepares for a layout once,
/// it need not do for each series.
package struct SeriesLabels: ~Escapable {
  let buffers: TextBuffers
  let entries: Span<LabelEntry>
  /// The number of the layout, never 0; not used again by the same walker.
  package let layout: UInt64
  /// Which of the layouts that take turns within a metric this is, below ``SeriesLabels/slots``: a sink that keeps what
  /// it prepared in so many places finds it again.
  package let slot: Int

  /// The layouts that take turns: the metric's own, `_bucket` or quantiles, `_sum`, `_count`.
  package static let slots = 4

  @_lifetime(copy buffers, copy entries)
  @inline(__always)
  init(buffers: TextBuffers, entries: Span<LabelEntry>, layout: UInt64, slot: Int) {
    self.buffers = buffers
    self.entries = entries
    self.layout = layout
    self.slot = slot
  }

  package var count: Int {
    @inline(__always)
    get { entries.count }
  }

  @inline(__always)
  @_lifetime(copy self)
  package func name(_ index: Int) -> Span<UInt8> { buffers.text(entries[index].name) }

  @inline(__always)
  @_lifetime(copy self)
  package func value(_ index: Int) -> Span<UInt8> { buffers.text(entries[index].value) }

  @inline(__always)
  package func isFixed(_ index: Int) -> Bool { entries[index].isFixed }
}

/// An exemplar where its labels lie.
struct ExemplarEntry {
  var value: Double
  /// Milliseconds since the Unix epoch; 0 when it is not known.
  var timestamp: Int64
  /// Its labels among all exemplars' labels of the point.
  var labels: Range<Int>
  /// The bucket it belongs to.
  var bucket = 0
}

/// The exemplars of a sample.
package struct SeriesExemplars: ~Escapable {
  let buffers: TextBuffers
  let entries: Span<ExemplarEntry>
  let labels: Span<LabelEntry>

  @_lifetime(copy buffers, copy entries, copy labels)
  @inline(__always)
  init(buffers: TextBuffers, entries: Span<ExemplarEntry>, labels: Span<LabelEntry>) {
    self.buffers = buffers
    self.entries = entries
    self.labels = labels
  }

  package var count: Int {
    @inline(__always)
    get { entries.count }
  }
  package func value(_ index: Int) -> Double { entries[index].value }
  /// Milliseconds since the Unix epoch; 0 when it is not known.
  package func timestamp(_ index: Int) -> Int64 { entries[index].timestamp }
  /// The positions of its labels, sorted by name, for ``labelName(_:)`` and ``labelValue(_:)``.
  package func labels(_ index: Int) -> Range<Int> { entries[index].labels }
  @_lifetime(copy self)
  package func labelName(_ position: Int) -> Span<UInt8> { buffers.text(labels[position].name) }
  @_lifetime(copy self)
  package func labelValue(_ position: Int) -> Span<UInt8> { buffers.text(labels[position].value) }
}
