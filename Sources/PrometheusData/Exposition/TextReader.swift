internal import TelemetryData
internal import WireFormat

/// Reads Prometheus' text format, versions 0.0.4 and 1.0.0, as Prometheus itself does.
///
/// Source: "Exposition formats" of Prometheus' documentation, and what its parser takes beyond that: blanks between all
/// tokens, a comma behind the last label, no line feed at the end, line feeds in label values. A carriage return is part
/// of what it stands in, so that CRLF is refused in all lines but comments and help. Metadata is not held against the
/// samples below it.
package struct TextReader: ExpositionSource, ~Escapable {
  private var scanner: ExpositionScanner
  private var metadata = MetadataLine()
  /// The type that was given last.
  private var type = ExpositionType.unknown
  package private(set) var value = 0.0
  private var milliseconds: Int64 = 0
  private var hasTimestamp = false

  @_lifetime(copy text)
  package init(_ text: Span<UInt8>) { scanner = ExpositionScanner(text, .text) }

  @_lifetime(self: copy self)
  package mutating func next() throws(ExpositionError) -> ExpositionEntry {
    while true {
      switch scanner.next {
      case 0x23:
        if let entry = try readComment() { return entry }
      case 0x0A, 0x20, 0x09: scanner.position &+= 1
      case 0 where scanner.isAtEnd: return .end
      default:
        try scanner.takeSeries()
        try readSample()
        return .sample
      }
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
    hasTimestamp = false
    if !scanner.isAtEnd, scanner.next != 0x0A { try readTimestamp() }
    scanner.position &+= 1
  }

  @_lifetime(self: copy self)
  private mutating func readTimestamp() throws(ExpositionError) {
    scanner.skipBlanks()
    if scanner.isAtEnd || scanner.next == 0x0A { return }
    milliseconds = try scanner.takeInteger("the timestamp")
    hasTimestamp = true
    scanner.skipBlanks()
    if !scanner.isAtEnd, scanner.next != 0x0A { throw scanner.fault("expected the end of the line") }
  }

  /// Reads a line that starts with a hash; nil for a comment.
  @_lifetime(self: copy self)
  private mutating func readComment() throws(ExpositionError) -> ExpositionEntry? {
    let start = scanner.position
    scanner.position &+= 1
    scanner.skipBlanks()
    let isIndented = scanner.position > start &+ 1
    let (end, mayNotBeASCII) = scanner.bytes.endOfLine(from: scanner.position)
    let keyword = isIndented ? scanner.takeKeyword() : nil
    scanner.skipBlanks()
    if keyword == .help {
      try metadata.readName(&scanner, to: end)
      metadata.readText(&scanner, to: end)
      if mayNotBeASCII { try scanner.checkUTF8(from: metadata.textStart, to: end, "help") }
      scanner.position = end &+ 1
      return .help
    }
    if keyword == .type {
      try metadata.readName(&scanner, to: end)
      metadata.readText(&scanner, to: end)
      metadata.trimText(scanner)
      guard let type = ExpositionType(word: scanner.bytes.extracting(metadata.text), in: .text) else {
        throw scanner.fault(
          "not a type: counter, gauge, histogram, summary or untyped", at: metadata.textStart)
      }
      self.type = type
      scanner.position = end &+ 1
      return .type(type)
    }
    scanner.position = end &+ 1
    return nil
  }

  package var rawFamilyName: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(metadata.name) }
  }
  package var rawText: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(metadata.text) }
  }
  package var familyName: String { metadata.familyName(scanner) }
  package var text: String { metadata.string(scanner, resolvingQuotes: false) }
  package var series: Span<UInt8> {
    @_lifetime(copy self) get { scanner.bytes.extracting(scanner.seriesStart..<scanner.seriesEnd) }
  }
  package func labels() throws(ExpositionError) -> LabelSet { try scanner.seriesLabels(of: type) }
  package var timestamp: Int64? { hasTimestamp ? milliseconds : nil }
  package var createdTimestamp: Int64? { nil }
  package var hasExemplars: Bool { false }
  package var exemplars: [ExpositionExemplar] { [] }
  package var histogram: NativeHistogram { NativeHistogram() }
}
