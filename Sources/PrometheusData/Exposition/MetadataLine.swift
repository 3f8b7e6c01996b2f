internal import TelemetryData
internal import WireFormat

/// Where the parts of a help, type or unit line stand.
struct MetadataLine {
  enum Keyword {
    case help, type, unit
  }

  /// The family's name, without quotes.
  var nameStart = 0
  var nameEnd = 0
  var textStart = 0
  var textEnd = 0

  @inline(__always)
  var name: Range<Int> { nameStart..<nameEnd }
  @inline(__always)
  var text: Range<Int> { textStart..<textEnd }

  /// Reads the family's name, quoted or not.
  @inline(__always)
  mutating func readName(_ scanner: inout ExpositionScanner, to end: Int) throws(ExpositionError) {
    if scanner.next == 0x22 {
      nameStart = scanner.position &+ 1
      try scanner.takeQuoted("name")
      nameEnd = scanner.position &- 1
      if scanner.position > end { throw scanner.fault("a line feed in a name", at: end) }
      if nameEnd == nameStart { throw scanner.fault("the metric's name is empty", at: nameStart &- 1) }
      return
    }
    nameStart = scanner.position
    nameEnd = scanner.bytes.endOfName(from: nameStart)
    if nameEnd == nameStart || ExpositionCharacters.isDigit(scanner.bytes[nameStart]) {
      throw scanner.fault("expected the name of a metric", at: nameStart)
    }
    scanner.position = nameEnd
  }

  /// Takes the rest of the line, less the one character behind the name, as the text.
  @inline(__always)
  mutating func readText(_ scanner: inout ExpositionScanner, to end: Int) {
    textStart = min(scanner.position &+ 1, end)
    textEnd = end
  }

  /// Takes blanks around the text away.
  @inline(__always)
  mutating func trimText(_ scanner: borrowing ExpositionScanner) {
    while textStart < textEnd, ExpositionCharacters.isBlank(scanner.bytes[textStart]) { textStart &+= 1 }
    while textStart < textEnd, ExpositionCharacters.isBlank(scanner.bytes[textEnd &- 1]) { textEnd &-= 1 }
  }

  func familyName(_ scanner: borrowing ExpositionScanner) -> String {
    scanner.unescaped(from: nameStart, to: nameEnd, resolvingQuotes: true)
  }

  func string(_ scanner: borrowing ExpositionScanner, resolvingQuotes: Bool) -> String {
    scanner.unescaped(from: textStart, to: textEnd, resolvingQuotes: resolvingQuotes)
  }
}

extension ExpositionScanner {
  /// Steps over HELP, TYPE or UNIT with a blank behind it.
  @inline(__always)
  mutating func takeKeyword() -> MetadataLine.Keyword? {
    if position &+ 5 > bytes.count { return nil }
    let behind = bytes[position &+ 4]
    if behind != 0x20, behind != 0x09 || syntax == .openMetrics { return nil }
    let keyword: MetadataLine.Keyword
    switch bytes.loadUInt32(at: position) {
    case 0x504C_4548: keyword = .help
    case 0x4550_5954: keyword = .type
    case 0x5449_4E55: keyword = .unit
    default: return nil
    }
    position &+= 5
    return keyword
  }

  /// Steps over a whole number that ends at a blank, a line feed or the end.
  mutating func takeInteger(_ what: StaticString) throws(ExpositionError) -> Int64 {
    let start = position
    let isNegative = next == 0x2D
    if isNegative || next == 0x2B { position &+= 1 }
    let first = position
    var value: Int64 = 0
    while !isAtEnd, ExpositionCharacters.isDigit(next) {
      let (tenfold, overflows) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(next &- 0x30)
      let (sum, carries) =
        isNegative ? tenfold.subtractingReportingOverflow(digit) : tenfold.addingReportingOverflow(digit)
      if overflows || carries { throw fault("\(what) does not fit into 64 bits", at: start) }
      value = sum
      position &+= 1
    }
    if position == first || !isEndOfToken(position) {
      throw fault("\(what) is not a whole number", at: start)
    }
    return value
  }
}

extension ExpositionType {
  /// The type that a word in a TYPE line means; each format has words of its own.
  init?(word: Span<UInt8>, in syntax: ExpositionScanner.Syntax) {
    // All words are short enough to be strings without memory of their own.
    switch (BytesView(word).string, syntax) {
    case ("counter", _): self = .counter
    case ("gauge", _): self = .gauge
    case ("histogram", _): self = .histogram
    case ("summary", _): self = .summary
    case ("untyped", .text), ("unknown", .openMetrics): self = .unknown
    case ("info", .openMetrics): self = .info
    case ("stateset", .openMetrics): self = .stateSet
    case ("gaugehistogram", .openMetrics): self = .gaugeHistogram
    default: return nil
    }
  }
}
