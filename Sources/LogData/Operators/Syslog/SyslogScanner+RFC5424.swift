internal import TimeFormats
internal import WireFormat

extension SyslogScanner {
  /// The most parts of structured data in one message, which bounds the work that one message can make.
  static var mostParts: Int { 1024 }

  /// Reads what follows the priority: version, timestamp, names, structured data and message (RFC 5424, section 6).
  ///
  /// The lengths that the RFC sets for names are not asked for, since many senders exceed them.
  mutating func readRFC5424(into message: inout SyslogMessage) throws(SyslogFault) {
    let version = readNumber(most: 3)
    if version < 1 { throw SyslogFault(.version, at: position) }
    message.version = version
    try skipSpace()
    message.timestamp = try readTimestamp()
    message.hostname = try readField("a host name")
    message.appname = try readField("the name of an application")
    message.processID = try readField("the id of a process")
    message.messageID = try readField("the id of a message")
    try readStructuredData(into: &message)
    guard position < end else { return }
    try skipSpace()
    // The mark that the message is UTF-8.
    if next == 0xEF, peek(1) == 0xBB, peek(2) == 0xBF { position += 3 }
    message.message = position..<end
  }

  private mutating func readTimestamp() throws(SyslogFault) -> Int64? {
    let start = position
    let wordEnd = wordEnd()
    guard wordEnd > start else { throw SyslogFault(.field("a timestamp"), at: start) }
    position = wordEnd
    var time: Int64?
    if wordEnd - start > 1 || text[start] != 0x2D {
      do throws(TimeTextError) {
        time = try RFC3339.nanoseconds(text.extracting(start..<wordEnd))
      } catch {
        throw SyslogFault(.timestamp(error.description), at: start)
      }
    }
    try skipSpace()
    return time
  }

  /// A word with a space behind it; empty for `-`.
  @inline(__always)
  private mutating func readField(_ name: StaticString) throws(SyslogFault) -> Range<Int> {
    let start = position
    let wordEnd = wordEnd()
    if wordEnd == start { throw SyslogFault(.field(name.description), at: start) }
    if wordEnd == end { throw SyslogFault(.space, at: end) }
    position = wordEnd + 1
    if wordEnd == start + 1, text[start] == 0x2D { return start..<start }
    return start..<wordEnd
  }

  // Structured data.

  private mutating func readStructuredData(into message: inout SyslogMessage) throws(SyslogFault) {
    if next == 0x2D, peek(1) == 0x20 || position + 1 == end {
      position += 1
      return
    }
    guard next == 0x5B else { throw SyslogFault(.structuredData, at: position) }
    while next == 0x5B { try readElement(into: &message) }
  }

  private mutating func readElement(into message: inout SyslogMessage) throws(SyslogFault) {
    let start = position
    position += 1
    let name = try readName(.elementName)
    try add(StructuredDataPart(name: name), to: &message)
    while true {
      switch next {
      case 0x5D:
        position += 1
        return
      case 0x20:
        position += 1
        // Some senders put a space before the bracket.
        if next == 0x20 || next == 0x5D { continue }
        try readParameter(into: &message)
      default:
        throw position >= end
          ? SyslogFault(.openElement, at: start) : SyslogFault(.parameterName, at: position)
      }
    }
  }

  private mutating func readParameter(into message: inout SyslogMessage) throws(SyslogFault) {
    let name = try readName(.parameterName)
    guard next == 0x3D else { throw SyslogFault(.equalsSign, at: position) }
    position += 1
    let quote = position
    guard next == 0x22 else { throw SyslogFault(.quote, at: quote) }
    position += 1
    let start = position
    var hasEscapes = false
    while position < end {
      let byte = text[position]
      if byte == 0x22 {
        let value = start..<position
        position += 1
        return try add(StructuredDataPart(name: name, value: value, hasEscapes: hasEscapes), to: &message)
      }
      if byte == 0x5C {
        hasEscapes = true
        position += 1
      }
      position += 1
    }
    position = end
    throw SyslogFault(.openValue, at: quote)
  }

  /// Printable characters but for `=`, space, `]` and quotes.
  private mutating func readName(_ reason: SyslogFault.Reason) throws(SyslogFault) -> Range<Int> {
    let start = position
    while position < end {
      let byte = text[position]
      if byte <= 0x20 || byte == 0x3D || byte == 0x5D || byte == 0x22 || byte == 0x7F { break }
      position += 1
    }
    if position == start { throw SyslogFault(reason, at: start) }
    return start..<position
  }

  private func add(
    _ part: StructuredDataPart, to message: inout SyslogMessage
  ) throws(SyslogFault) {
    if message.structuredData.count >= Self.mostParts {
      throw SyslogFault(.tooManyParts(Self.mostParts), at: part.name.lowerBound)
    }
    message.structuredData.append(part)
  }
}
