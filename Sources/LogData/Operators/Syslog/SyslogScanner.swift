internal import TimeFormats
internal import WireFormat

/// Reads syslog messages from a text: what RFC 5424 and RFC 3164 have in common.
struct SyslogScanner: ~Escapable {
  let text: Span<UInt8>
  /// The next byte.
  var position: Int
  /// Where the message ends.
  let end: Int

  @_lifetime(copy text)
  init(_ text: Span<UInt8>, from start: Int, to end: Int) {
    self.text = text
    position = start
    self.end = end
  }

  /// The next byte; 0 at the end.
  @inline(__always)
  var next: UInt8 { position < end ? text[position] : 0 }

  /// The byte some places ahead; 0 behind the end.
  @inline(__always)
  func peek(_ distance: Int) -> UInt8 { position + distance < end ? text[position + distance] : 0 }

  /// `<34>`.
  mutating func readPriority() throws(SyslogFault) -> Int {
    let start = position
    guard next == 0x3C else { throw SyslogFault(.priority, at: start) }
    var value = 0
    var place = position + 1
    while place < end, place < start + 4, text[place].isDigit {
      value = value * 10 + Int(text[place] - 0x30)
      place += 1
    }
    guard place > start + 1, place < end, text[place] == 0x3E else {
      throw SyslogFault(.priority, at: start)
    }
    if value > 191 { throw SyslogFault(.priorityRange, at: start) }
    position = place + 1
    return value
  }

  mutating func skipSpace() throws(SyslogFault) {
    guard next == 0x20 else { throw SyslogFault(.space, at: position) }
    position += 1
  }

  /// The bytes up to the next space or the end.
  @inline(__always)
  func wordEnd() -> Int {
    var place = position
    while place < end, text[place] != 0x20 { place &+= 1 }
    return place
  }

  /// A number of one or two digits; -1 when there is none.
  mutating func readNumber(most digits: Int) -> Int {
    var value = 0
    let start = position
    while position < start + digits, next.isDigit {
      value = value * 10 + Int(next - 0x30)
      position += 1
    }
    return position == start ? -1 : value
  }
}

extension UInt8 {
  @inline(__always)
  var isDigit: Bool { self &- 0x30 < 10 }
}
