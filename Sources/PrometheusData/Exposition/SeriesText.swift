internal import TelemetryData
internal import WireFormat

/// Writes the series of protobuf messages as the text formats would write them.
struct SeriesText {
  /// The series as text.
  private(set) var bytes: [UInt8] = []
  /// The labels of the metric as text, without braces.
  private var labels: [UInt8] = []
  /// The suffix and the additional label of the series, for its labels as values.
  private(set) var suffix: StaticString = ""
  private(set) var boundName: StaticString?
  private var bound = 0..<0
  private var bounds: [Bound] = []
  private var boundTexts: [UInt8] = []

  /// A number that was written before: metrics of a family have the same buckets.
  private struct Bound {
    var bits: UInt64
    var text: Range<Int>
  }

  mutating func removeLabels() { labels.removeAll(keepingCapacity: true) }

  mutating func addLabel(_ source: Span<UInt8>, name: WireRange, value: WireRange) {
    if !labels.isEmpty { labels.append(0x2C) }
    let text = source.extracting(name.range)
    if ExpositionCharacters.isLegacyName(text, allowingColons: false) {
      labels.append(text)
    } else {
      Self.quote(text, into: &labels)
    }
    labels.append(0x3D)
    Self.quote(source.extracting(value.range), into: &labels)
  }

  /// Makes a number the bound of the next series.
  ///
  /// - Parameter position: Of the bucket or quantile in its metric.
  mutating func setBound(_ number: Double, at position: Int) {
    if position < bounds.count, bounds[position].bits == number.bitPattern {
      bound = bounds[position].text
      return
    }
    // The texts of bounds that have been replaced are not worth keeping.
    if boundTexts.count > 16_384 {
      boundTexts.removeAll(keepingCapacity: true)
      bounds.removeAll(keepingCapacity: true)
    }
    let start = boundTexts.count
    ExpositionFloat.append(number, to: &boundTexts)
    bound = start..<boundTexts.count
    let entry = Bound(bits: number.bitPattern, text: bound)
    if position < bounds.count {
      bounds[position] = entry
    } else if position == bounds.count {
      bounds.append(entry)
    }
  }

  mutating func write(
    _ source: Span<UInt8>, _ name: WireRange, suffix: StaticString, boundName: StaticString?
  ) {
    self.suffix = suffix
    self.boundName = boundName
    let name = source.extracting(name.range)
    bytes.removeAll(keepingCapacity: true)
    let isLegacy = ExpositionCharacters.isLegacyName(name, allowingColons: true)
    if isLegacy {
      bytes.append(name)
      bytes.append(suffix)
      if labels.isEmpty, boundName == nil { return }
      bytes.append(0x7B)
    } else {
      bytes.append(0x7B)
      Self.quote(name, into: &bytes)
      bytes.removeLast()
      bytes.append(suffix)
      bytes.append(0x22)
    }
    if !labels.isEmpty {
      if !isLegacy { bytes.append(0x2C) }
      bytes.append(contentsOf: labels)
    }
    if let boundName {
      if !isLegacy || !labels.isEmpty { bytes.append(0x2C) }
      bytes.append(boundName)
      bytes.append(0x3D)
      bytes.append(0x22)
      bytes.append(contentsOf: boundTexts[bound])
      bytes.append(0x22)
    }
    bytes.append(0x7D)
  }

  /// The additional label of the series.
  var boundLabel: Label? {
    guard let boundName else { return nil }
    return Label(boundName.description, BytesView(boundTexts.span.extracting(bound)).string)
  }

  private static func quote(_ text: Span<UInt8>, into bytes: inout [UInt8]) {
    bytes.append(0x22)
    var start = 0
    while true {
      let end = text.endOfPlainText(from: start).end
      bytes.append(text.extracting(start..<end))
      if end == text.count { break }
      bytes.append(0x5C)
      bytes.append(text[end] == 0x0A ? 0x6E : text[end])
      start = end + 1
    }
    bytes.append(0x22)
  }
}
