internal import TimeFormats
internal import WireFormat

/// What a reader of RFC 3164 knows besides the text: its times have neither year nor zone.
struct SyslogSurroundings {
  /// Seconds since the Unix epoch.
  var now: Int
  var zone: TimeZoneRules
}

extension SyslogScanner {
  /// Reads what follows the priority: timestamp, host name, tag and message (RFC 3164, section 4).
  ///
  /// The RFC describes what was seen, and more has been seen since: RFC 3339 timestamps (rsyslog), years, fractions of
  /// seconds, zones and sequence numbers (Cisco), messages without a host name (the system's own), and messages without
  /// any header (Python). A text without a timestamp is a message, as section 4.3.3 has it: so nothing is malformed.
  mutating func readRFC3164(into message: inout SyslogMessage, _ surroundings: SyslogSurroundings) {
    skipSequenceNumber()
    if let time = readTime(surroundings) {
      message.timestamp = time
      if next == 0x3A { position += 1 }
      if next == 0x20 { position += 1 }
      readHostname(into: &message)
    }
    readTag(into: &message)
    message.message = position..<end
  }

  /// Cisco's `29: `, which counts messages.
  private mutating func skipSequenceNumber() {
    let start = position
    while next.isDigit { position += 1 }
    if position > start, next == 0x3A, peek(1) == 0x20 {
      position += 2
    } else {
      position = start
    }
  }

  /// The word behind the timestamp, unless it is a tag.
  private mutating func readHostname(into message: inout SyslogMessage) {
    let wordEnd = wordEnd()
    guard wordEnd > position, wordEnd < end, tag() == nil else { return }
    message.hostname = position..<wordEnd
    position = wordEnd + 1
    // Cisco's firewalls write `host : %ASA-6-…`.
    if next == 0x3A, peek(1) == 0x20 { position += 2 }
  }

  private mutating func readTag(into message: inout SyslogMessage) {
    guard let tag = tag() else { return }
    message.appname = tag.name
    message.processID = tag.processID
    position = tag.end
    if next == 0x20 { position += 1 }
  }

  /// `name:` or `name[123]:`, with a space or the end behind it.
  private func tag() -> (name: Range<Int>, processID: Range<Int>, end: Int)? {
    var place = position
    var open = -1
    while place < end {
      let byte = text[place]
      if byte == 0x20 || byte == 0x5B { break }
      place &+= 1
    }
    let nameEnd = place
    if place < end, text[place] == 0x5B {
      open = place + 1
      while place < end, text[place] != 0x5D {
        if text[place] < 0x20 || place - open > 128 { return nil }
        place += 1
      }
      guard place + 1 < end, text[place + 1] == 0x3A, place + 2 == end || text[place + 2] == 0x20 else {
        return nil
      }
      return nameEnd > position ? (position..<nameEnd, open..<place, place + 2) : nil
    }
    guard nameEnd > position + 1, text[nameEnd - 1] == 0x3A else { return nil }
    return (position..<nameEnd - 1, 0..<0, nameEnd)
  }

  // Times.

  /// A time in one of the forms seen; nil, and nothing read, when there is none.
  private mutating func readTime(_ surroundings: SyslogSurroundings) -> Int64? {
    let start = position
    // Cisco's marks of a clock that is not set right.
    if next == 0x2A || next == 0x2E { position += 1 }
    let time = peek(4) == 0x2D ? readFullTime() : readShortTime(surroundings)
    if time == nil { position = start }
    return time
  }

  /// RFC 3339.
  private mutating func readFullTime() -> Int64? {
    var wordEnd = wordEnd()
    if wordEnd > position, text[wordEnd - 1] == 0x3A { wordEnd -= 1 }
    do throws(TimeTextError) {
      let time = try RFC3339.nanoseconds(text.extracting(position..<wordEnd))
      position = wordEnd
      return time
    } catch {
      return nil
    }
  }

  /// `Jan  2 15:04:05`, perhaps with a year before the month or behind the day, a fraction, and `UTC`.
  private mutating func readShortTime(_ surroundings: SyslogSurroundings) -> Int64? {
    var year = 0
    if next.isDigit {
      year = readYear()
      guard year > 0 else { return nil }
    }
    let month = readMonth()
    guard month > 0 else { return nil }
    if next == 0x20 { position += 1 }
    let day = readNumber(most: 2)
    guard day >= 1, day <= CivilTime.days(inMonth: month, year: year > 0 ? year : 2000), next == 0x20 else {
      return nil
    }
    position += 1
    if year == 0, peek(4) == 0x20 {
      year = readYear()
      guard year > 0 else { return nil }
    }
    guard let clock = readClock() else { return nil }
    let nanosecond = readFraction()
    if year == 0 {
      year = surroundings.zone.latestYear(month: month, day: day, secondOfDay: clock, now: surroundings.now)
    }
    let local = CivilTime.days(year: year, month: month, day: day) * 86_400 + clock
    let seconds = readUTC() ? local : surroundings.zone.unixSeconds(ofLocal: local)
    return try? UnixTime.nanoseconds(seconds: seconds, nanosecond: nanosecond)
  }

  /// Four digits and a space; 0 when they are none.
  private mutating func readYear() -> Int {
    let year = readNumber(most: 4)
    guard year >= 1970, next == 0x20 else { return 0 }
    position += 1
    return year
  }

  /// The number of a month by its first three letters and a space; 0 when it is none.
  private mutating func readMonth() -> Int {
    guard position + 4 <= end, text[position + 3] == 0x20 else { return 0 }
    let name = UInt32(text[position]) << 16 | UInt32(text[position + 1]) << 8 | UInt32(text[position + 2])
    let month: Int
    // The letters of ASCII with the bit that makes them small.
    switch name | 0x202020 {
    case 0x6A616E: month = 1
    case 0x666562: month = 2
    case 0x6D6172: month = 3
    case 0x617072: month = 4
    case 0x6D6179: month = 5
    case 0x6A756E: month = 6
    case 0x6A756C: month = 7
    case 0x617567: month = 8
    case 0x736570: month = 9
    case 0x6F6374: month = 10
    case 0x6E6F76: month = 11
    case 0x646563: month = 12
    default: return 0
    }
    position += 4
    return month
  }

  /// `15:04:05` in seconds; the leap second is the first of the next minute.
  private mutating func readClock() -> Int? {
    let hour = readNumber(most: 2)
    guard hour >= 0, hour < 24, next == 0x3A else { return nil }
    position += 1
    let minute = readNumber(most: 2)
    guard minute >= 0, minute < 60, next == 0x3A else { return nil }
    position += 1
    let second = readNumber(most: 2)
    guard second >= 0, second <= 60 else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  /// Nanoseconds behind a point or a comma.
  private mutating func readFraction() -> Int {
    guard next == 0x2E || next == 0x2C, peek(1).isDigit else { return 0 }
    position += 1
    var (value, scale) = (0, 100_000_000)
    while next.isDigit {
      value += Int(next - 0x30) * scale
      scale /= 10
      position += 1
    }
    return value
  }

  /// ` UTC:` or ` GMT:` behind the time: with a colon, since it could be the name of a host.
  private mutating func readUTC() -> Bool {
    guard next == 0x20, peek(4) == 0x3A else { return false }
    let isUTC = peek(1) == 0x55 && peek(2) == 0x54 && peek(3) == 0x43
    let isGMT = peek(1) == 0x47 && peek(2) == 0x4D && peek(3) == 0x54
    guard isUTC || isGMT else { return false }
    position += 4
    return true
  }
}
