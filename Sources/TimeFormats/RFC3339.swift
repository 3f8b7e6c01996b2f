/// Times as RFC 3339 writes them: `2006-01-02T15:04:05.999999999+07:00`.
package enum RFC3339 {
  /// Reads a time as nanoseconds since the Unix epoch.
  ///
  /// `t`, `z` and a space in place of `T` are fine, as the RFC allows; digits of the fraction after the ninth do not
  /// count; a leap second is the first second of the next minute.
  package static func nanoseconds(_ text: Span<UInt8>) throws(TimeTextError) -> Int64 {
    let count = text.count
    let century = text.twoDigits(0)
    let yearOfCentury = text.twoDigits(2)
    if century < 0 || yearOfCentury < 0 { throw TimeTextError(.year, at: 0) }
    let month = text.twoDigits(5)
    let day = text.twoDigits(8)
    let hour = text.twoDigits(11)
    let minute = text.twoDigits(14)
    let second = text.twoDigits(17)
    // One test for all of the usual case; what exactly is wrong is asked behind it.
    if month | day | hour | minute | second < 0 || text[4] != 0x2D || text[7] != 0x2D || text[13] != 0x3A
      || text[16] != 0x3A || (text[10] | 0x20 != 0x74 && text[10] != 0x20)
    {
      throw fault(text)
    }
    if month < 1 || month > 12 { throw TimeTextError(.monthRange, at: 5) }
    if hour > 23 { throw TimeTextError(.hourRange, at: 11) }
    if minute > 59 { throw TimeTextError(.minuteRange, at: 14) }
    if second > 60 { throw TimeTextError(.secondRange, at: 17) }
    let year = century &* 100 &+ yearOfCentury
    if day < 1 || day > 28 && day > CivilTime.days(inMonth: month, year: year) {
      throw TimeTextError(.dayRange, at: 8)
    }
    var seconds =
      CivilTime.days(year: year, month: month, day: day) &* 86_400 &+ hour &* 3600 &+ minute &* 60 &+ second
    var position = 19
    var nanosecond = 0
    if position < count, text[position] == 0x2E {
      position &+= 1
      let start = position
      var scale = 100_000_000
      while position < count {
        let digit = Int(text[position] &- 48)
        if digit > 9 { break }
        nanosecond &+= digit &* scale
        scale /= 10
        position &+= 1
      }
      if position == start { throw TimeTextError(.fraction, at: position) }
    }
    guard position < count else { throw TimeTextError(.offset, at: position) }
    let sign = text[position]
    if sign | 0x20 == 0x7A {
      position &+= 1
    } else {
      let hours = text.twoDigits(position &+ 1)
      let minutes = text.twoDigits(position &+ 4)
      guard sign == 0x2B || sign == 0x2D, hours | minutes >= 0, text[position &+ 3] == 0x3A else {
        throw TimeTextError(.offset, at: position)
      }
      if hours > 23 || minutes > 59 { throw TimeTextError(.offsetRange, at: position) }
      let offset = hours &* 3600 &+ minutes &* 60
      seconds = sign == 0x2D ? seconds &+ offset : seconds &- offset
      position &+= 6
    }
    if position < count { throw TimeTextError(.surplus, at: position) }
    return try UnixTime.nanoseconds(seconds: seconds, nanosecond: nanosecond)
  }

  private static func fault(_ text: Span<UInt8>) -> TimeTextError {
    let parts: [(start: Int, reason: TimeTextError.Reason, behind: [UInt8])] = [
      (2, .year, [0x2D]), (5, .month, [0x2D]), (8, .day, [0x54, 0x74, 0x20]), (11, .hour, [0x3A]),
      (14, .minute, [0x3A]), (17, .second, []),
    ]
    for part in parts {
      if text.twoDigits(part.start) < 0 { return TimeTextError(part.reason, at: part.start) }
      let end = part.start + 2
      if !part.behind.isEmpty, end >= text.count || !part.behind.contains(text[end]) {
        return TimeTextError(.literal, at: end)
      }
    }
    return TimeTextError(.number, at: 0)
  }

  /// Writes a time in UTC, with as many digits of the fraction as asked for: 0 to 9.
  package static func append(nanoseconds: Int64, digits: Int, to bytes: inout [UInt8]) {
    let (seconds, nanosecond) = UnixTime.split(nanoseconds)
    let time = CivilTime(unixSeconds: seconds)
    for (value, width, behind) in [
      (time.year, 4, UInt8(ascii: "-")), (time.month, 2, UInt8(ascii: "-")), (time.day, 2, UInt8(ascii: "T")),
      (time.hour, 2, UInt8(ascii: ":")), (time.minute, 2, UInt8(ascii: ":")),
    ] {
      DecimalText.append(value, width: width, to: &bytes)
      bytes.append(behind)
    }
    DecimalText.append(time.second, width: 2, to: &bytes)
    if digits > 0 {
      bytes.append(UInt8(ascii: "."))
      DecimalText.appendFraction(nanosecond, digits: digits, to: &bytes)
    }
    bytes.append(UInt8(ascii: "Z"))
  }

  /// A time in UTC, with as many digits of the fraction as asked for.
  package static func text(nanoseconds: Int64, digits: Int = 0) -> String {
    var bytes: [UInt8] = []
    append(nanoseconds: nanoseconds, digits: digits, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Seconds and nanoseconds since the Unix epoch.
package enum UnixTime {
  /// One number of nanoseconds.
  ///
  /// - Throws: `range`, when 64 bits do not hold it.
  @inline(__always)
  package static func nanoseconds(seconds: Int, nanosecond: Int) throws(TimeTextError) -> Int64 {
    // Within these bounds neither the product nor the sum overflows.
    if seconds >= 9_223_372_036 || seconds < -9_223_372_036 { throw TimeTextError(.range, at: 0) }
    return Int64(seconds &* 1_000_000_000 &+ nanosecond)
  }

  /// Whole seconds, rounded down, and the nanoseconds behind them: 0 to 999,999,999.
  package static func split(_ nanoseconds: Int64) -> (seconds: Int, nanosecond: Int) {
    let rest = Int(nanoseconds % 1_000_000_000)
    let seconds = Int(nanoseconds / 1_000_000_000)
    return rest < 0 ? (seconds - 1, rest + 1_000_000_000) : (seconds, rest)
  }
}
