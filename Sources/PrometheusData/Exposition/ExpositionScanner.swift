internal import WireFormat

/// Reads the tokens of a text exposition, straight from its bytes.
///
/// Both formats share it: text 0.0.4 and 1.0.0, which Prometheus reads generously, and OpenMetrics, which leaves no choice.
struct ExpositionScanner: ~Escapable {
  /// How much may stand between tokens.
  enum Syntax {
    /// Blanks between all tokens, line feeds in label values, commas between labels left out or behind the last one: what
    /// Prometheus' own parser lets targets get away with.
    case text
    /// One space where the grammar has one, nothing elsewhere.
    case openMetrics
  }

  let bytes: Span<UInt8>
  let syntax: Syntax
  /// The next byte to read.
  var position = 0

  /// Where the parts of the last series stand.
  var seriesStart = 0
  var seriesEnd = 0
  /// The metric's name, without quotes.
  var nameStart = 0
  var nameEnd = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ syntax: Syntax) {
    self.bytes = bytes
    self.syntax = syntax
  }

  /// The next byte, or zero, which is no token, at the end.
  @inline(__always)
  var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  @inline(__always)
  var isAtEnd: Bool { position >= bytes.count }

  @inline(__always)
  mutating func skipBlanks() {
    while position < bytes.count, ExpositionCharacters.isBlank(bytes[position]) { position &+= 1 }
  }

  /// Blanks where the syntax allows them between any two tokens.
  @inline(__always)
  private mutating func skipOptionalBlanks() {
    if syntax == .text { skipBlanks() }
  }

  @inline(never)
  func fault(_ reason: String, at place: Int? = nil) -> ExpositionError {
    let place = min(place ?? position, bytes.count)
    var line = 1
    var start = 0
    for index in 0..<place where bytes[index] == 0x0A {
      line += 1
      start = index + 1
    }
    return ExpositionError(line: line, column: place - start + 1, reason: reason)
  }

  // Series.

  /// Steps over the name of a metric and its labels, and over the blanks behind them, up to the value.
  @inline(__always)
  mutating func takeSeries() throws(ExpositionError) {
    seriesStart = position
    nameStart = position
    position = bytes.endOfName(from: position)
    nameEnd = position
    seriesEnd = position
    let isNamed = nameEnd > nameStart
    if isNamed, ExpositionCharacters.isDigit(bytes[nameStart]) {
      throw fault("expected the name of a metric", at: nameStart)
    }
    skipOptionalBlanks()
    if next == 0x7B {
      try takeLabels(hasName: isNamed)
      seriesEnd = position
      if syntax == .text { return skipBlanks() }
    } else if !isNamed {
      throw fault("expected the name of a metric")
    }
    if syntax == .openMetrics { return try takeSpace() }
    if position == seriesEnd { throw fault("expected a blank and a value behind the metric") }
  }

  /// Steps over the one space that OpenMetrics has before a value, a timestamp and an exemplar.
  @inline(__always)
  mutating func takeSpace() throws(ExpositionError) {
    if next != 0x20 { throw fault("expected a space") }
    position &+= 1
  }

  /// Steps over a series that is known, and the blanks behind it, if it stands here; otherwise over nothing.
  @inline(__always)
  mutating func takeSeries(like known: Span<UInt8>) -> Bool {
    if known.isEmpty || !bytes.hasBytes(known, at: position) { return false }
    let end = position &+ known.count
    if end >= bytes.count { return false }
    var place = end
    if syntax == .openMetrics {
      if bytes[end] != 0x20 { return false }
      place = end &+ 1
    } else {
      while place < bytes.count, ExpositionCharacters.isBlank(bytes[place]) { place &+= 1 }
      if place >= bytes.count { return false }
      if known[known.count &- 1] != 0x7D {
        // A name alone: there may be more to it, or labels.
        if place == end || bytes[place] == 0x7B { return false }
      }
    }
    seriesStart = position
    seriesEnd = end
    position = place
    return true
  }

  /// Steps over labels in braces; without a name before them they hold it, in quotes.
  @inline(__always)
  private mutating func takeLabels(hasName isNamed: Bool) throws(ExpositionError) {
    var hasName = isNamed
    let opening = position
    position &+= 1
    skipOptionalBlanks()
    while next != 0x7D {
      if next == 0x22 {
        let start = position
        try takeQuoted("name")
        let end = position
        skipOptionalBlanks()
        if next == 0x2C || next == 0x7D {
          if hasName { throw fault("the metric already has a name", at: start) }
          if end &- start == 2 { throw fault("the metric's name is empty", at: start) }
          hasName = true
          nameStart = start &+ 1
          nameEnd = end &- 1
          if try !takeComma() { break }
          continue
        }
        if end &- start == 2 { throw fault("the label's name is empty", at: start) }
      } else {
        try takeLabelName()
        skipOptionalBlanks()
      }
      try takeLabelValue()
      if try !takeComma() { break }
    }
    if !hasName { throw fault("the metric has no name", at: opening) }
    position &+= 1
  }

  /// Steps over the labels of an exemplar in braces, among which a name alone has no meaning.
  mutating func takeExemplarLabels() throws(ExpositionError) {
    position &+= 1
    while next != 0x7D {
      if next == 0x22 {
        let start = position
        try takeQuoted("name")
        if position &- start == 2 { throw fault("the label's name is empty", at: start) }
      } else {
        try takeLabelName()
      }
      try takeLabelValue()
      if try !takeComma() { break }
    }
    position &+= 1
  }

  @inline(__always)
  mutating func takeLabelName() throws(ExpositionError) {
    let start = position
    while position < bytes.count, ExpositionCharacters.isName(bytes[position]), bytes[position] != 0x3A {
      position &+= 1
    }
    if position == start || ExpositionCharacters.isDigit(bytes[start]) {
      throw fault(isAtEnd ? "the labels are not closed" : "expected the name of a label", at: start)
    }
  }

  @inline(__always)
  mutating func takeLabelValue() throws(ExpositionError) {
    if next != 0x3D { throw fault("expected = behind the label's name") }
    position &+= 1
    skipOptionalBlanks()
    if next != 0x22 { throw fault("expected a label value in quotes") }
    try takeQuoted("value")
    skipOptionalBlanks()
  }

  /// Steps over what separates labels; false before the closing brace.
  @inline(__always)
  mutating func takeComma() throws(ExpositionError) -> Bool {
    if next == 0x7D { return false }
    if next == 0x2C {
      position &+= 1
      skipOptionalBlanks()
      if syntax == .openMetrics, next == 0x7D { throw fault("expected a label behind the comma") }
      return true
    }
    if isAtEnd { throw fault("the labels are not closed") }
    if syntax == .openMetrics { throw fault("expected , or } behind the label") }
    return true
  }

  /// Steps over a quoted string, whose first quote stands here; escapes are resolved only where its text is wanted.
  @inline(__always)
  mutating func takeQuoted(_ what: StaticString) throws(ExpositionError) {
    let start = position &+ 1
    let (end, mayNotBeASCII) = bytes.endOfPlainText(from: start)
    if end < bytes.count, bytes[end] == 0x22, !mayNotBeASCII {
      position = end &+ 1
      return
    }
    try takeUnusualQuoted(start, what)
  }

  /// Strings with escapes, line feeds or other characters than ASCII.
  @inline(never)
  private mutating func takeUnusualQuoted(_ start: Int, _ what: StaticString) throws(ExpositionError) {
    var end = start
    while true {
      end = bytes.endOfPlainText(from: end).end
      let byte = end < bytes.count ? bytes[end] : 0
      if byte == 0x22 { break }
      if byte == 0x0A, syntax == .text {
        end += 1
        continue
      }
      // Nor can a line feed be escaped by a backslash before it.
      if byte != 0x5C || end + 1 >= bytes.count || bytes[end + 1] == 0x0A {
        throw fault("the label \(what) is not closed", at: start - 1)
      }
      end += 2
    }
    try checkUTF8(from: start, to: end, "label \(what)")
    position = end &+ 1
  }

  func checkUTF8(from start: Int, to end: Int, _ what: @autoclosure () -> String) throws(ExpositionError) {
    let place = UTF8Check.firstInvalid(in: bytes, from: start, to: end)
    if place >= 0 { throw fault("the \(what()) is not UTF-8", at: place) }
  }

  /// Where the name of the series stands that was stepped over.
  func seriesName() -> Range<Int> {
    if bytes[seriesStart] != 0x7B { return seriesStart..<bytes.endOfName(from: seriesStart) }
    var again = self
    again.position = seriesStart
    try? again.takeSeries()
    return again.nameStart..<again.nameEnd
  }

  // Numbers.

  /// Steps over a number that ends at a blank, a line feed or the end.
  @inline(__always)
  mutating func takeNumber(_ what: StaticString) throws(ExpositionError) -> Double {
    if let number = ExpositionNumber(bytes, at: position), isEndOfToken(number.end) {
      position = number.end
      return number.value
    }
    let isMissing = isEndOfToken(position)
    throw fault(isMissing ? "expected \(what)" : "\(what) is not a number, or too large a one")
  }

  @inline(__always)
  func isEndOfToken(_ place: Int) -> Bool {
    if place >= bytes.count { return true }
    let byte = bytes[place]
    return byte == 0x0A || byte == 0x20 || (syntax == .text && byte == 0x09)
  }
}
