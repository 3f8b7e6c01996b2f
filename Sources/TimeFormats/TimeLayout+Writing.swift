extension TimeLayout {
  /// Writes a time of this layout's zone.
  package func append(nanoseconds: Int64, to bytes: inout [UInt8]) {
    let (seconds, nanosecond) = UnixTime.split(nanoseconds)
    let offset = zone.offset(atUnixSeconds: seconds)
    let time = CivilTime(unixSeconds: seconds + offset)
    for element in elements {
      switch element.piece {
      case .literal: bytes.append(element.argument)
      case .spaces: for _ in 0..<element.argument { bytes.append(UInt8(ascii: " ")) }
      case .year, .anyYear: DecimalText.append(time.year, width: 4, to: &bytes)
      case .shortYear: DecimalText.append(time.year % 100, width: 2, to: &bytes)
      case .monthName: bytes += CalendarNames.months[time.month - 1].utf8.prefix(3)
      case .longMonthName: bytes += CalendarNames.months[time.month - 1].utf8
      case .weekdayName: bytes += CalendarNames.days[time.weekday].utf8.prefix(3)
      case .longWeekdayName: bytes += CalendarNames.days[time.weekday].utf8
      case .month: DecimalText.append(time.month, width: 1, to: &bytes)
      case .twoMonth: DecimalText.append(time.month, width: 2, to: &bytes)
      case .spacedMonth:
        DecimalText.append(time.month, width: 2, padding: UInt8(ascii: " "), to: &bytes)
      case .day: DecimalText.append(time.day, width: 1, to: &bytes)
      case .twoDay: DecimalText.append(time.day, width: 2, to: &bytes)
      case .spacedDay: DecimalText.append(time.day, width: 2, padding: UInt8(ascii: " "), to: &bytes)
      case .yearDay: DecimalText.append(time.dayOfYear, width: 3, to: &bytes)
      case .spacedYearDay:
        DecimalText.append(time.dayOfYear, width: 3, padding: UInt8(ascii: " "), to: &bytes)
      case .hour: DecimalText.append(time.hour, width: 2, to: &bytes)
      case .hour12: DecimalText.append((time.hour + 11) % 12 + 1, width: 1, to: &bytes)
      case .twoHour12: DecimalText.append((time.hour + 11) % 12 + 1, width: 2, to: &bytes)
      case .minute: DecimalText.append(time.minute, width: 1, to: &bytes)
      case .twoMinute: DecimalText.append(time.minute, width: 2, to: &bytes)
      case .second: DecimalText.append(time.second, width: 1, to: &bytes)
      case .twoSecond: DecimalText.append(time.second, width: 2, to: &bytes)
      case .upperMeridiem: bytes += (time.hour < 12 ? "AM" : "PM").utf8
      case .lowerMeridiem: bytes += (time.hour < 12 ? "am" : "pm").utf8
      case .exactFraction, .fraction: append(element, nanosecond, to: &bytes)
      case .offset: append(offset: offset, OffsetForm(rawValue: element.argument), to: &bytes)
      case .zoneName:
        let name = zone.abbreviation(atUnixSeconds: seconds)
        if name.isEmpty {
          append(offset: offset, [.minutes], to: &bytes)
        } else {
          bytes += name.utf8
        }
      }
    }
  }

  /// A time of this layout's zone.
  package func text(nanoseconds: Int64) -> String {
    var bytes: [UInt8] = []
    append(nanoseconds: nanoseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Nines leave trailing zeros out, and the dot when nothing else is left.
  private func append(_ element: TimeElement, _ nanosecond: Int, to bytes: inout [UInt8]) {
    let digits = element.fractionDigits
    bytes.append(UInt8(ascii: element.argument & TimeElement.comma == 0 ? "." : ","))
    DecimalText.appendFraction(nanosecond, digits: digits, to: &bytes)
    guard element.piece == .fraction, element.argument & TimeElement.keepsZeros == 0 else { return }
    for _ in 0..<digits where bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: ".") || bytes.last == UInt8(ascii: ",") { bytes.removeLast() }
  }

  private func append(offset: Int, _ form: OffsetForm, to bytes: inout [UInt8]) {
    if offset == 0, form.contains(.zulu) {
      bytes.append(UInt8(ascii: "Z"))
      return
    }
    bytes.append(UInt8(ascii: offset < 0 ? "-" : "+"))
    let size = abs(offset)
    DecimalText.append(size / 3600, width: 2, to: &bytes)
    var parts: [Int] = []
    if form.contains(.minutes) { parts.append(size / 60 % 60) }
    if form.contains(.seconds) { parts.append(size % 60) }
    for part in parts {
      if form.contains(.colons) { bytes.append(UInt8(ascii: ":")) }
      DecimalText.append(part, width: 2, to: &bytes)
    }
  }
}
