internal import TelemetryData
internal import WireFormat

/// Reads delimited `io.prometheus.client.MetricFamily` messages, and says what is in them as the text formats would.
///
/// Series are rendered as text into memory of the reader's own, labels in the order of the message. Like Prometheus:
/// summaries and classic histograms are taken apart into `_count`, `_sum`, quantiles and `_bucket`, `+Inf` added where it
/// is missing; families without metrics are passed over; a timestamp of 0 is none.
///
/// Source: `metrics.proto` of prometheus/client_model.
package struct ProtobufReader: ExpositionSource, ~Escapable {
  /// What to read of a histogram that is both native and classic.
  package enum Histograms: Sendable {
    /// Only the classic series, as if there were no native histograms (`scrape_native_histograms: false`).
    case classic
    /// The native histogram; classic series where there is none.
    case nativeOrClassic
    /// Both (`always_scrape_classic_histograms: true`).
    case nativeAndClassic
  }

  /// What comes next.
  enum Stage {
    case family, help, unit, metric, count, sum, parts
  }

  let bytes: Span<UInt8>
  let histograms: Histograms
  var stage = Stage.family
  /// The next byte that belongs to no message read so far.
  var offset = 0
  /// The number of the current message, and where it starts.
  var message = 0
  var messageStart = 0
  var family = FamilyParts()
  var metric = MetricParts()
  var distribution = DistributionParts()
  /// Whether ``next()`` has already been prepared by ``nextSample(like:)``.
  private var isPending = false

  var seriesText = SeriesText()
  package var value = 0.0
  /// The exemplar of the current sample; empty where there is none.
  var exemplar = WireRange(0, 0)
  package var histogram = NativeHistogram()
  var isNative = false

  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>, histograms: Histograms) {
    self.bytes = bytes
    self.histograms = histograms
  }

  @_lifetime(self: copy self)
  package mutating func next() throws(ExpositionError) -> ExpositionEntry {
    if isPending {
      isPending = false
      return .sample
    }
    return try advance()
  }

  @_lifetime(self: copy self)
  package mutating func nextSample(like known: Span<UInt8>) throws(ExpositionError) -> Bool {
    if !isPending {
      if try !isBeforeSample() { return false }
      guard case .sample = try advance() else { return false }
    }
    isPending = !seriesText.bytes.span.hasSameBytes(as: known)
    return !isPending
  }

  /// Whether ``advance()`` gives a sample, and neither metadata, nor a native histogram, nor the end.
  @_lifetime(self: copy self)
  private mutating func isBeforeSample() throws(ExpositionError) -> Bool {
    while true {
      switch stage {
      case .family: return false
      case .help:
        if !family.help.isEmpty { return false }
        stage = .unit
      case .unit:
        if !family.unit.isEmpty { return false }
        stage = .metric
      case .count, .sum: return true
      case .metric:
        if !metric.isPrepared, try !readMetric() { return false }
        return !isNative
      case .parts:
        if try readPart() { return true }
        endMetric()
      }
    }
  }

  @_lifetime(self: copy self)
  private mutating func advance() throws(ExpositionError) -> ExpositionEntry {
    while true {
      switch stage {
      case .family:
        if try !readFamily() { return .end }
        stage = .help
        return .type(family.type)
      case .help:
        stage = .unit
        if !family.help.isEmpty { return .help }
      case .unit:
        stage = .metric
        if !family.unit.isEmpty { return .unit }
      case .metric:
        if !metric.isPrepared, try !readMetric() {
          stage = .family
          continue
        }
        metric.isPrepared = false
        if let entry = readMetricEntry() { return entry }
      case .count:
        stage = .sum
        say(distribution.count, "_count")
        return .sample
      case .sum:
        stage = .parts
        say(distribution.sum, "_sum")
        return .sample
      case .parts:
        if try readPart() {
          distribution.isPartPrepared = false
          return .sample
        }
        endMetric()
      }
    }
  }

  /// The entry that a whole metric gives, or nil when it comes in parts.
  @_lifetime(self: copy self)
  private mutating func readMetricEntry() -> ExpositionEntry? {
    exemplar = WireRange(0, 0)
    switch family.type {
    case .histogram, .gaugeHistogram, .summary:
      if !isNative {
        stage = .count
        return nil
      }
      if histograms == .nativeAndClassic, distribution.hasParts { stage = .count }
      seriesText.write(bytes, family.name, suffix: "", boundName: nil)
      return .histogram
    default:
      exemplar = metric.exemplar
      seriesText.write(bytes, family.name, suffix: "", boundName: nil)
      value = metric.value
      return .sample
    }
  }

  /// Makes a number of a summary or histogram the current sample.
  @_lifetime(self: copy self)
  private mutating func say(_ number: Double, _ suffix: StaticString) {
    isNative = false
    exemplar = WireRange(0, 0)
    value = number
    seriesText.write(bytes, family.name, suffix: suffix, boundName: nil)
  }

  @_lifetime(self: copy self)
  private mutating func endMetric() { stage = .metric }

  /// - Parameter place: A byte of the current message, counted from the start of everything.
  @inline(never)
  func fault(_ reason: String, at place: Int) -> ExpositionError {
    ExpositionError(line: message, column: place - messageStart + 1, reason: reason)
  }

  func fault(_ error: WireError) -> ExpositionError { fault(error.reason.explanation, at: error.offset) }

  package var rawFamilyName: Span<UInt8> {
    @_lifetime(borrow self) get { bytes.extracting(family.name.range) }
  }
  package var rawText: Span<UInt8> {
    @_lifetime(borrow self) get { bytes.extracting(textRange.range) }
  }
  /// The stage has gone on already.
  private var textRange: WireRange {
    switch stage {
    case .unit: family.help
    case .metric: family.unit
    default: WireRange(0, 0)
    }
  }
  package var familyName: String { BytesView(rawFamilyName).string }
  package var text: String { BytesView(rawText).string }
  package var series: Span<UInt8> {
    @_lifetime(borrow self) get { seriesText.bytes.span }
  }
  package var timestamp: Int64? { metric.timestamp == 0 ? nil : metric.timestamp }
  package var createdTimestamp: Int64? { metric.created }
}
