internal import WireFormat

/// Reads OpenMetrics text, versions 0.0.1 and 1.0.0.
///
/// Source: the OpenMetrics specification 1.0 (text format), with the quoted UTF-8 names of Prometheus 3. Strict about
/// every line, about metadata (each kind once for a family, before its samples), units, and where exemplars may be; like
/// Prometheus it does not hold the samples against the type of their family.
package struct OpenMetricsReader: ExpositionSource, ~Escapable {
  var scanner: ExpositionScanner
  private var metadata = MetadataLine()
  /// The kinds of metadata that the family of ``metadata`` has had.
  private var given = MetadataKinds()
  /// Whether samples came after that metadata.
  private var hasSamples = false
  /// The type that was given last.
  private var type = ExpositionType.unknown
  package private(set) var value = 0.0
  private var milliseconds: Int64 = 0
  private var hasTimestamp = false
  package private(set) var hasExemplars = false
  private var exemplar = ExpositionExemplar(labels: LabelSet(), value: 0)

  private struct MetadataKinds: OptionSet {
    let rawValue: UInt8
    static let help = MetadataKinds(rawValue: 1)
    static let type = MetadataKinds(rawValue: 2)
    static let unit = MetadataKinds(rawValue: 4)
  }

  @_lifetime(copy text)
  package init(_ text: Span<UInt8>) { scanner = ExpositionScanner(text, .openMetrics) }

  @_lifetime(self: copy self)
  package mutating func next() throws(ExpositionError) -> ExpositionEntry {
    switch scanner.next {
    case 0x23: return try readMetadata()
    case 0x0A: throw scanner.fault("an empty line")
    case 0 where scanner.isAtEnd: throw scanner.fault("expected # EOF before the end")
    default:
      try scanner.takeSeries()
      try readSample()
      return .sample
    }
  }

  @_lifetime(self: copy self)
  package mutating func nextSample(like known: Span<UInt8>) throws(ExpositionError) -> Bool {
    if !scanner.takeSeries(like: known) { return false }
    try readSample()
    return true
  }

  /// Reads the value of a sample and what follows it on its line.
  @inline(__always)
  @_lifetime(self: copy self)
  private mutating func readSample() throws(ExpositionError) {
    value = try scanner.takeNumber("the value")
    hasSamples = true
    hasTimestamp = false
    hasExemplars = false
    if scanner.next == 0x20 { try readSuffix() }
    try endLine()
  }

  @inline(__always)
  @_lifetime(self: copy self)
  private mutating func endLine() throws(ExpositionError) {
    if scanner.next != 0x0A {
      throw scanner.fault(scanner.isAtEnd ? "expected # EOF before the end" : "expected the end of the line")
    }
    scanner.position &+= 1
  }

  /// Reads the timestamp and the exemplar behind a value.
  @inline(never)
  @_lifetime(self: copy self)
  private mutating func readSuffix() throws(ExpositionError) {
    scanner.position &+= 1
    if scanner.next != 0x23 {
      milliseconds = try takeTimestamp()
      hasTimestamp = true
      if scanner.next != 0x20 { return }
      scanner.position &+= 1
      if scanner.next != 0x23 { throw scanner.fault("expected an exemplar or the end of the line") }
    }
    try readExemplar()
  }

  /// Seconds with a fraction, cut to milliseconds.
  @_lifetime(self: copy self)
  private mutating func takeTimestamp() throws(ExpositionError) -> Int64 {
    let start = scanner.position
    let time = try scanner.takeNumber("the timestamp") * 1000
    guard let milliseconds = Int64(exactly: time.rounded(.towardZero)) else {
      throw scanner.fault("not a point in time", at: start)
    }
    return milliseconds
  }

  @_lifetime(self: copy self)
  private mutating func readExemplar() throws(ExpositionError) {
    let start = scanner.position
    if !mayHaveExemplar() {
      throw scanner.fault("an exemplar of what is neither a counter's total nor a histogram's bucket")
    }
    scanner.position &+= 1
    try scanner.takeSpace()
    if scanner.next != 0x7B { throw scanner.fault("expected the labels of an exemplar") }
    let labels = scanner.position
    try scanner.takeExemplarLabels()
    exemplar = ExpositionExemplar(
      labels: try scanner.exemplarLabels(from: labels, to: scanner.position), value: 0)
    try scanner.takeSpace()
    exemplar.value = try scanner.takeNumber("the exemplar's value")
    if scanner.next == 0x20 {
      scanner.position &+= 1
      exemplar.timestamp = try takeTimestamp()
    }
    hasExemplars = true
    if scanner.isAtEnd {
      throw scanner.fault("expected # EOF before the end", at: max(start, scanner.position))
    }
  }

  /// Whether the series is a total of a counter or a bucket of a histogram.
  private func mayHaveExemplar() -> Bool {
    let name = scanner.seriesName()
    let suffix: StaticString
    switch type {
    case .counter: suffix = "_total"
    case .histogram, .gaugeHistogram: suffix = "_bucket"
    default: return false
    }
    return given.contains(.type) && name.count == metadata.name.count + suffix.utf8CodeUnitCount
      && scanner.bytes.hasBytes(scanner.bytes.extracting(metadata.name), at: name.lowerBound)
      && scanner.bytes.hasBytes(suffix.description.utf8.span, at: name.lowerBound + metadata.name.count)
  }

  // Metadata.

  /// Reads a line that starts with a hash.
  @_lifetime(self: copy self)
  private mutating func readMetadata() throws(ExpositionError) -> ExpositionEntry {
    let start = scanner.position
    scanner.position &+= 1
    try scanner.takeSpace()
    guard let keyword = scanner.takeKeyword() else {
      if scanner.bytes.hasBytes("EOF".utf8.span, at: scanner.position) { return try readEnd() }
      throw scanner.fault("expected HELP, TYPE, UNIT or EOF: OpenMetrics has no comments")
    }
    let (end, mayNotBeASCII) = scanner.bytes.endOfLine(from: scanner.position)
    let family = metadata.name
    try metadata.readName(&scanner, to: end)
    if scanner.position >= end || scanner.next != 0x20 { throw scanner.fault("expected a space") }
    metadata.readText(&scanner, to: end)
    if end == scanner.bytes.count { throw scanner.fault("expected # EOF before the end", at: end) }
    let isSameFamily =
      given.rawValue != 0 && family.count == metadata.name.count
      && scanner.bytes.hasBytes(scanner.bytes.extracting(family), at: metadata.nameStart)
    if !isSameFamily {
      given = []
    } else if hasSamples {
      throw scanner.fault("metadata behind the samples of its family", at: start)
    }
    hasSamples = false
    scanner.position = end &+ 1
    switch keyword {
    case .help:
      try add(.help, at: start)
      if mayNotBeASCII { try scanner.checkUTF8(from: metadata.textStart, to: end, "help") }
      return .help
    case .type:
      try add(.type, at: start)
      guard let type = ExpositionType(word: scanner.bytes.extracting(metadata.text), in: .openMetrics) else {
        throw scanner.fault("not a type of OpenMetrics", at: metadata.textStart)
      }
      self.type = type
      return .type(type)
    case .unit:
      try add(.unit, at: start)
      try checkUnit()
      return .unit
    }
  }

  @_lifetime(self: copy self)
  private mutating func add(_ kind: MetadataKinds, at start: Int) throws(ExpositionError) {
    if given.contains(kind) { throw scanner.fault("metadata of one kind twice for a family", at: start) }
    given.insert(kind)
  }

  /// The name of a family ends in its unit.
  private func checkUnit() throws(ExpositionError) {
    let (name, unit) = (metadata.name, metadata.text)
    if unit.isEmpty { return }
    let start = name.upperBound - unit.count
    if start - 1 <= name.lowerBound || scanner.bytes[start - 1] != 0x5F
      || !scanner.bytes.hasBytes(scanner.bytes.extracting(unit), at: start)
    {
      throw scanner.fault("the name of the family does not end in its unit", at: metadata.textStart)
    }
  }

  @_lifetime(self: copy self)
  private mutating func readEnd() throws(ExpositionError) -> ExpositionEntry {
    scanner.position &+= 3
    if scanner.next == 0x0A { scanner.position &+= 1 }
    if !scanner.isAtEnd { throw scanner.fault("something behind # EOF") }
    // Asked again, it says the same again.
    scanner.position &-= scanner.bytes[scanner.position &- 1] == 0x0A ? 6 : 5
    return .end
  }

  package var rawFamilyName: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(metadata.name) }
  }
  package var rawText: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(metadata.text) }
  }
  package var familyName: String { metadata.familyName(scanner) }
  package var text: String { metadata.string(scanner, resolvingQuotes: true) }
  package var series: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(scanner.seriesStart..<scanner.seriesEnd) }
  }
  package func labels() throws(ExpositionError) -> LabelSet { try scanner.seriesLabels(of: type) }
  package var timestamp: Int64? { hasTimestamp ? milliseconds : nil }
  package var createdTimestamp: Int64? { nil }
  package var exemplars: [ExpositionExemplar] { hasExemplars ? [exemplar] : [] }
  package var histogram: NativeHistogram { NativeHistogram() }
}
