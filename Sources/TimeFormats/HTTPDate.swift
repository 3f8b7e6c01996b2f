/// The dates of HTTP headers, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
package enum HTTPDate {
  /// The text of a time.
  package static func text(secondsSinceEpoch seconds: Int) -> String {
    let time = CivilTime(unixSeconds: seconds)
    let day = CalendarNames.days[time.weekday].prefix(3)
    let month = CalendarNames.months[time.month - 1].prefix(3)
    return "\(day), \(time.day, width: 2) \(month) \(time.year, width: 4) "
      + "\(time.hour, width: 2):\(time.minute, width: 2):\(time.second, width: 2) GMT"
  }

  /// Seconds since the epoch; nil for anything that is none of the three formats that HTTP allows.
  ///
  /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994` are the same time.
  package static func secondsSinceEpoch(_ text: String) -> Int? {
    let words = text.lowercased().split { $0 == " " || $0 == "-" }
    let date: (day: Substring, month: Substring, year: Substring, clock: Substring)
    if words.count == 6, words[0].hasSuffix(","), words[5] == "gmt" {
      date = (words[1], words[2], words[3], words[4])
    } else if words.count == 5, !words[0].hasSuffix(",") {
      date = (words[2], words[1], words[4], words[3])
    } else {
      return nil
    }
    let clock = date.clock.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    guard let month = CalendarNames.months.firstIndex(where: { $0.prefix(3).lowercased() == date.month }),
      let day = Int(date.day), (1...31).contains(day),
      var year = Int(date.year), (0...9999).contains(year),
      clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
    else { return nil }
    // Two digits are the closest such year to this century's first half.
    if date.year.count == 2 { year += year < 70 ? 2000 : 1900 }
    return CivilTime(
      year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2]
    ).unixSeconds
  }
}
