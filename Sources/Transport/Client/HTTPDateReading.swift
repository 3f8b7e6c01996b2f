/// Reads the three date formats that HTTP allows (RFC 9110 §5.6.7).
enum HTTPDateReading {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// Seconds since the epoch; nil for anything that is no such date.
  ///
  /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994` are the same time.
  static func secondsSinceEpoch(_ text: String) -> Int? {
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
    guard let month = months.firstIndex(of: String(date.month)), let day = Int(date.day),
      (1...31).contains(day),
      var year = Int(date.year), (0...9999).contains(year),
      clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
    else { return nil }
    // Two digits are the closest such year to this century's first half.
    if date.year.count == 2 { year += year < 70 ? 2000 : 1900 }
    return days(year: year, month: month + 1, day: day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
  }

  /// Days from 1 January 1970 in the Gregorian calendar.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    // Counting years from March puts the leap day at their end.
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = (month + 9) % 12
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    return marchYear * 365 + leapDays + (marchMonth * 153 + 2) / 5 + day - 1 - 719_468
  }
}
