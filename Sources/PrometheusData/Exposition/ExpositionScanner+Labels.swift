internal import TelemetryData

/// Labels as values, for series that are met for the first time.
extension ExpositionScanner {
  /// The labels of the series that ``takeSeries()`` stepped over.
  func seriesLabels(of type: ExpositionType) throws(ExpositionError) -> LabelSet {
    let (name, labels) = readLabels(from: seriesStart, to: seriesEnd)
    return try LabelSet.unique(
      [Label("__name__", name)] + labels.map { $0.normalized(in: type) },
      or: { (name) in fault("the label \(name) is there twice", at: seriesStart) })
  }

  /// The labels of an exemplar, braces included.
  func exemplarLabels(from start: Int, to end: Int) throws(ExpositionError) -> LabelSet {
    let labels = readLabels(from: start, to: end).labels
    let length = labels.reduce(0) { $0 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count }
    if length > Self.maxExemplarLength {
      throw fault("the labels of an exemplar are longer than \(Self.maxExemplarLength) characters", at: start)
    }
    return try LabelSet.unique(labels, or: { (name) in fault("the label \(name) is there twice", at: start) })
  }

  /// Characters that the names and values of an exemplar's labels may have together (OpenMetrics 1.0).
  private static var maxExemplarLength: Int { 128 }

  /// Takes a series apart whose syntax has been checked.
  private func readLabels(from start: Int, to end: Int) -> (name: String, labels: [Label]) {
    var place = start
    while place < end, ExpositionCharacters.isName(bytes[place]) { place += 1 }
    var name = string(from: start, to: place)
    var labels: [Label] = []
    while place < end {
      let byte = bytes[place]
      if byte != 0x22 && !ExpositionCharacters.isLetter(byte) {
        place += 1
        continue
      }
      let label = token(at: &place)
      while place < end, ExpositionCharacters.isBlank(bytes[place]) { place += 1 }
      if place < end, bytes[place] == 0x3D {
        while place < end, bytes[place] != 0x22 { place += 1 }
        labels.append(Label(label, token(at: &place)))
      } else {
        name = label
      }
    }
    return (name, labels)
  }

  /// A name or a quoted string.
  private func token(at place: inout Int) -> String {
    let start = place
    if bytes[start] != 0x22 {
      while place < bytes.count, ExpositionCharacters.isName(bytes[place]) { place += 1 }
      return string(from: start, to: place)
    }
    place += 1
    while place < bytes.count, bytes[place] != 0x22 { place += bytes[place] == 0x5C ? 2 : 1 }
    let end = min(place, bytes.count)
    place = end + 1
    return unescaped(from: start + 1, to: end, resolvingQuotes: true)
  }

  /// Bytes with their escapes resolved: `\\`, `\n` and, where wanted, `\"`. Others stay as they are, as in Prometheus.
  func unescaped(from start: Int, to end: Int, resolvingQuotes: Bool) -> String {
    var place = start
    while place < end, bytes[place] != 0x5C { place += 1 }
    if place == end { return string(from: start, to: end) }
    var text = BytesView(bytes.extracting(start..<place)).array
    while place < end {
      let byte = bytes[place]
      let escaped = byte == 0x5C && place + 1 < end ? bytes[place + 1] : 0
      switch escaped {
      case 0x5C: text.append(0x5C)
      case 0x6E: text.append(0x0A)
      case 0x22 where resolvingQuotes: text.append(0x22)
      default:
        text.append(byte)
        place += 1
        continue
      }
      place += 2
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func string(from start: Int, to end: Int) -> String {
    BytesView(bytes.extracting(start..<end)).string
  }
}

extension Label {
  /// With the bound of a bucket or the quantile of a summary as Prometheus 3 writes it, so that `1` and `1.0` from two
  /// versions of a target are one series.
  func normalized(in type: ExpositionType) -> Label {
    switch type {
    case .histogram where name == "le", .summary where name == "quantile":
      let digits = Array(value.utf8)
      guard let number = ExpositionNumber(digits.span, at: 0), number.end == digits.count else { return self }
      return Label(name, ExpositionFloat.text(number.value))
    default: return self
    }
  }
}

extension LabelSet {
  /// The set of these labels, each of which is there once.
  ///
  /// Sorting finds what is there twice in little time, however many labels a hostile target sends.
  static func unique(
    _ labels: [Label], or fault: (String) -> ExpositionError
  ) throws(ExpositionError) -> LabelSet {
    let sorted = labels.sorted()
    for (label, next) in zip(sorted, sorted.dropFirst()) where Label.isSame(label.name, next.name) {
      throw fault(label.name)
    }
    return LabelSet(sorted)
  }
}
