/// What has been read of a time so far.
private struct TimeParts {
  var year = 0
  var month = -1
  var day = -1
  var yearDay = -1
  var hour = 0
  var minute = 0
  var second = 0
  var nanosecond = 0
  /// -1 for AM, 1 for PM.
  var meridiem = 0
  /// Seconds ahead of UTC; the largest number when there is none.
  var offset = Int.max
  /// Where an abbreviation of a zone stands.
  var zoneName = 0..<0
}

extension TimeLayout {
  /// Reads a time that fills the whole text, as nanoseconds since the Unix epoch.
  ///
  /// - Parameter now: nanoseconds since the epoch. Where the layout has no year, it is the latest in which the date
  ///   exists and lies at most seven days ahead of `now`; where it has no date, it is today, or yesterday when that
  ///   time of today is more than twelve hours ahead.
  /// - Throws: what is wrong and at which byte.
  package func nanoseconds(of text: Span<UInt8>, now: Int64) throws(TimeTextError) -> Int64 {
    var parts = TimeParts()
    let end = try read(text, into: &parts)
    if end < text.count { throw TimeTextError(.surplus, at: end) }
    if parts.meridiem > 0, parts.hour < 12 {
      parts.hour &+= 12
    } else if parts.meridiem < 0, parts.hour == 12 {
      parts.hour = 0
    }
    if parts.yearDay >= 0 { try applyYearDay(&parts) }
    let month = parts.month < 0 ? 1 : parts.month
    let day = parts.day < 0 ? 1 : parts.day
    if day < 1 || day > 28 && day > CivilTime.days(inMonth: month, year: parts.year) {
      throw TimeTextError(.dayRange, at: 0)
    }
    let clock = parts.hour &* 3600 &+ parts.minute &* 60 &+ parts.second
    if parts.year == 0 {
      let seconds = try guess(parts, month: month, day: day, clock: clock, text, now: now)
      return try UnixTime.nanoseconds(seconds: seconds, nanosecond: parts.nanosecond)
    }
    let local = CivilTime.days(year: parts.year, month: month, day: day) &* 86_400 &+ clock
    let seconds = try moment(ofLocal: local, parts, text)
    return try UnixTime.nanoseconds(seconds: seconds, nanosecond: parts.nanosecond)
  }

  /// The moment of a local time, by the offset or the zone in the text, or else by the layout's zone.
  private func moment(
    ofLocal local: Int, _ parts: TimeParts, _ text: Span<UInt8>
  ) throws(TimeTextError) -> Int {
    if parts.offset != .max { return local &- parts.offset }
    if parts.zoneName.isEmpty { return zone.unixSeconds(ofLocal: local) }
    let name = text.extracting(parts.zoneName)
    guard let moment = abbreviations.unixSeconds(ofLocal: local, name, in: zone) else {
      throw TimeTextError(.unknownZone, at: parts.zoneName.lowerBound)
    }
    return moment
  }

  /// Finds the month and day of a day of the year.
  private func applyYearDay(_ parts: inout TimeParts) throws(TimeTextError) {
    let length = CivilTime.isLeap(year: parts.year) ? 366 : 365
    guard parts.yearDay >= 1, parts.yearDay <= length else { throw TimeTextError(.dayOfYearRange, at: 0) }
    var month = 1
    var day = parts.yearDay
    while day > CivilTime.days(inMonth: month, year: parts.year) {
      day &-= CivilTime.days(inMonth: month, year: parts.year)
      month &+= 1
    }
    if parts.month >= 0 && parts.month != month || parts.day >= 0 && parts.day != day {
      throw TimeTextError(.dayOfYearMismatch, at: 0)
    }
    (parts.month, parts.day) = (month, day)
  }

  /// The moment of a time without a year, seen from the present.
  private func guess(
    _ parts: TimeParts, month: Int, day: Int, clock: Int, _ text: Span<UInt8>, now: Int64
  ) throws(TimeTextError) -> Int {
    let present = UnixTime.split(now).seconds
    if needsDate {
      let days = CivilTime.days(ofUnixSeconds: present &+ zone.offset(atUnixSeconds: present))
      let moment = try moment(ofLocal: days &* 86_400 &+ clock, parts, text)
      return moment > present &+ 43_200
        ? try self.moment(ofLocal: (days &- 1) &* 86_400 &+ clock, parts, text) : moment
    }
    let year = zone.latestYear(month: month, day: day, secondOfDay: clock, now: present)
    let local = CivilTime.days(year: year, month: month, day: day) &* 86_400 &+ clock
    return try moment(ofLocal: local, parts, text)
  }

  /// Reads element by element; the position behind the last.
  private func read(_ text: Span<UInt8>, into parts: inout TimeParts) throws(TimeTextError) -> Int {
    let compiled = self.elements
    let elements = compiled.span
    var position = 0
    for index in elements.indices {
      let element = elements[index]
      if element.isLenient {
        while position < text.count, text[position] == 0x20 || (0x09...0x0D).contains(text[position]) {
          position &+= 1
        }
      }
      switch element.piece {
      case .literal:
        guard position < text.count, text[position] == element.argument else {
          throw TimeTextError(.literal, at: position)
        }
        position &+= 1
      case .spaces:
        if position < text.count, text[position] != 0x20 { throw TimeTextError(.space, at: position) }
        while position < text.count, text[position] == 0x20 { position &+= 1 }
      case .twoDay, .day, .spacedDay:
        if element.piece == .spacedDay, position < text.count, text[position] == 0x20 { position &+= 1 }
        let strict = element.piece == .twoDay && !element.isLenient
        parts.day = try text.number(&position, strict: strict, else: .day)
      case .monthName:
        parts.month = text.shortMonth(at: position)
        if parts.month < 0 { throw TimeTextError(.monthName, at: position) }
        position &+= 3
      case .longMonthName:
        parts.month = try text.longName(CalendarNames.months, &position, else: .monthName) &+ 1
      case .twoMonth, .month, .spacedMonth:
        if element.piece == .spacedMonth, position < text.count, text[position] == 0x20 { position &+= 1 }
        let start = position
        let strict = element.piece == .twoMonth && !element.isLenient
        parts.month = try text.number(&position, strict: strict, else: .month)
        if parts.month < 1 || parts.month > 12 { throw TimeTextError(.monthRange, at: start) }
      case .year, .anyYear:
        let century = text.twoDigits(position)
        let rest = text.twoDigits(position &+ 2)
        if century >= 0, rest >= 0 {
          parts.year = century &* 100 &+ rest
          position &+= 4
        } else if element.piece == .anyYear, century >= 0 {
          parts.year = century &+ (century >= 69 ? 1900 : 2000)
          position &+= 2
        } else {
          throw TimeTextError(.year, at: position)
        }
      case .shortYear:
        let year = text.twoDigits(position)
        if year < 0 { throw TimeTextError(.year, at: position) }
        parts.year = year &+ (year >= 69 ? 1900 : 2000)
        position &+= 2
      case .hour:
        let start = position
        parts.hour = try text.number(&position, strict: false, else: .hour)
        if parts.hour > 23 { throw TimeTextError(.hourRange, at: start) }
      case .hour12, .twoHour12:
        let start = position
        let strict = element.piece == .twoHour12 && !element.isLenient
        parts.hour = try text.number(&position, strict: strict, else: .hour)
        if parts.hour > 12 { throw TimeTextError(.hourRange, at: start) }
      case .minute, .twoMinute:
        let start = position
        let strict = element.piece == .twoMinute && !element.isLenient
        parts.minute = try text.number(&position, strict: strict, else: .minute)
        if parts.minute > 59 { throw TimeTextError(.minuteRange, at: start) }
      case .second, .twoSecond:
        let start = position
        let strict = element.piece == .twoSecond && !element.isLenient
        parts.second = try text.number(&position, strict: strict, else: .second)
        if parts.second > 59 { throw TimeTextError(.secondRange, at: start) }
        if element.argument == 1 { parts.nanosecond = text.fraction(&position) }
      case .fraction:
        parts.nanosecond = text.fraction(&position)
      case .exactFraction:
        let start = position
        let digits = element.fractionDigits
        guard position < text.count, text[position] == 0x2E || text[position] == 0x2C else {
          throw TimeTextError(.fraction, at: start)
        }
        parts.nanosecond = text.fraction(&position, digits: digits)
        if position &- start &- 1 != digits { throw TimeTextError(.fraction, at: start) }
      case .upperMeridiem, .lowerMeridiem:
        guard position &+ 1 < text.count, text[position &+ 1] | 0x20 == 0x6D else {
          throw TimeTextError(.meridiem, at: position)
        }
        switch text[position] | 0x20 {
        case 0x61: parts.meridiem = -1
        case 0x70: parts.meridiem = 1
        default: throw TimeTextError(.meridiem, at: position)
        }
        position &+= 2
      case .offset:
        parts.offset = try text.offset(&position, OffsetForm(rawValue: element.argument))
      case .zoneName:
        let length = text.zoneNameLength(at: position)
        if length == 0 { throw TimeTextError(.zoneName, at: position) }
        if text.hasUTC(at: position) {
          parts.offset = 0
        } else {
          parts.zoneName = position..<position &+ length
        }
        position &+= length
      case .weekdayName:
        if text.shortWeekday(at: position) < 0 { throw TimeTextError(.weekdayName, at: position) }
        position &+= 3
      case .longWeekdayName:
        _ = try text.longName(CalendarNames.days, &position, else: .weekdayName)
      case .yearDay, .spacedYearDay:
        let start = position
        if element.piece == .spacedYearDay {
          while position < text.count, position &- start < 2, text[position] == 0x20 { position &+= 1 }
        }
        let digits = text.yearDay(&position, into: &parts.yearDay)
        if digits == 0 || element.piece == .yearDay && digits != 3 {
          throw TimeTextError(.dayOfYear, at: start)
        }
      }
    }
    return position
  }
}

extension Span<UInt8> {
  /// A number of two digits or, unless `strict`, of one.
  @inline(__always)
  fileprivate func number(
    _ position: inout Int, strict: Bool, else reason: TimeTextError.Reason
  ) throws(TimeTextError) -> Int {
    let first = digit(position)
    if first > 9 { throw TimeTextError(reason, at: position) }
    let second = digit(position &+ 1)
    if second > 9 {
      if strict { throw TimeTextError(reason, at: position) }
      position &+= 1
      return first
    }
    position &+= 2
    return first &* 10 &+ second
  }

  /// A dot or comma with digits, as nanoseconds; 0 and no step when there is none.
  fileprivate func fraction(_ position: inout Int, digits: Int = .max) -> Int {
    guard position &+ 1 < count, self[position] == 0x2E || self[position] == 0x2C, digit(position &+ 1) <= 9
    else { return 0 }
    position &+= 1
    let end = digits < count &- position ? position &+ digits : count
    var nanosecond = 0
    var scale = 100_000_000
    while position < end {
      let digit = Int(self[position] &- 48)
      if digit > 9 { break }
      nanosecond &+= digit &* scale
      scale /= 10
      position &+= 1
    }
    return nanosecond
  }

  /// One to three digits; how many there are.
  fileprivate func yearDay(_ position: inout Int, into value: inout Int) -> Int {
    value = 0
    var digits = 0
    while digits < 3, digit(position) <= 9 {
      value = value &* 10 &+ digit(position)
      position &+= 1
      digits &+= 1
    }
    return digits
  }

  /// Three letters in lower case as one number; 0 when there are not three bytes.
  @inline(__always)
  private func threeLetters(at position: Int) -> UInt32 {
    guard position &+ 2 < count else { return 0 }
    return (UInt32(self[position]) << 16 | UInt32(self[position &+ 1]) << 8 | UInt32(self[position &+ 2]))
      | 0x20_2020
  }

  /// 1 to 12, or -1.
  @inline(__always)
  fileprivate func shortMonth(at position: Int) -> Int {
    switch threeLetters(at: position) {
    case 0x6A_616E: 1
    case 0x66_6562: 2
    case 0x6D_6172: 3
    case 0x61_7072: 4
    case 0x6D_6179: 5
    case 0x6A_756E: 6
    case 0x6A_756C: 7
    case 0x61_7567: 8
    case 0x73_6570: 9
    case 0x6F_6374: 10
    case 0x6E_6F76: 11
    case 0x64_6563: 12
    default: -1
    }
  }

  /// 0 to 6, or -1.
  fileprivate func shortWeekday(at position: Int) -> Int {
    switch threeLetters(at: position) {
    case 0x73_756E: 0
    case 0x6D_6F6E: 1
    case 0x74_7565: 2
    case 0x77_6564: 3
    case 0x74_6875: 4
    case 0x66_7269: 5
    case 0x73_6174: 6
    default: -1
    }
  }

  /// The index of the name that stands at the position, in upper or lower case.
  fileprivate func longName(
    _ names: [String], _ position: inout Int, else reason: TimeTextError.Reason
  ) throws(TimeTextError) -> Int {
    for index in names.indices {
      let name = names[index].utf8.span
      if name.count > count &- position { continue }
      var length = 0
      while length < name.count, self[position &+ length] | 0x20 == name[length] | 0x20 { length &+= 1 }
      if length == name.count {
        position &+= length
        return index
      }
    }
    throw TimeTextError(reason, at: position)
  }

  /// An offset from UTC in one of the forms, in seconds.
  @inline(__always)
  fileprivate func offset(_ position: inout Int, _ form: OffsetForm) throws(TimeTextError) -> Int {
    let start = position
    guard start < count else { throw TimeTextError(.offset, at: start) }
    let sign = self[start]
    if sign == 0x5A, form.contains(.zulu) {
      position = start &+ 1
      return 0
    }
    let hours = twoDigits(start &+ 1)
    if sign != 0x2B && sign != 0x2D || hours < 0 { throw TimeTextError(.offset, at: start) }
    var end = start &+ 3
    var minutes = 0
    var seconds = 0
    if form.contains(.minutes) {
      var isColon = form.contains(.colons)
      if form.contains(.any) { isColon = end < count && self[end] == 0x3A }
      if isColon, end >= count || self[end] != 0x3A { throw TimeTextError(.offset, at: start) }
      minutes = twoDigits(isColon ? end &+ 1 : end)
      if minutes >= 0 {
        end &+= isColon ? 3 : 2
      } else if form.contains(.any) {
        minutes = 0
      } else {
        throw TimeTextError(.offset, at: start)
      }
      if form.contains(.seconds) {
        if isColon, end >= count || self[end] != 0x3A { throw TimeTextError(.offset, at: start) }
        seconds = twoDigits(isColon ? end &+ 1 : end)
        if seconds < 0 { throw TimeTextError(.offset, at: start) }
        end &+= isColon ? 3 : 2
      }
    }
    // Some people write 24 hours, 60 minutes or 60 seconds; Go takes them, too.
    if hours > 24 || minutes > 60 || seconds > 60 { throw TimeTextError(.offsetRange, at: start) }
    position = end
    let offset = hours &* 3600 &+ minutes &* 60 &+ seconds
    return sign == 0x2D ? 0 &- offset : offset
  }
}
