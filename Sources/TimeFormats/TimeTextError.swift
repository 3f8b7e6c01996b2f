/// Why a text is no time of the form that was expected.
///
/// It holds no text, so that a line which is none costs nothing but the look at it.
package struct TimeTextError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Reason: UInt8, Sendable {
    case year, month, monthName, weekdayName, day, dayOfYear, hour, minute, second, fraction, meridiem
    case offset, zoneName, space, literal, separator, number
    /// The text goes on behind the time.
    case surplus
    case hourRange, minuteRange, secondRange, monthRange, offsetRange
    /// There is no such day in the month.
    case dayRange
    case dayOfYearRange
    /// The day of the year contradicts the month or the day.
    case dayOfYearMismatch
    /// Nobody knows what the abbreviation of a time zone stands for.
    case unknownZone
    /// Before 1678 or after 2262: nanoseconds in 64 bits end there.
    case range
  }

  package let reason: Reason
  /// How many bytes of the text stand before the place.
  package let offset: Int

  @inline(__always)
  init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// A clause without a full stop, such as `expected the name of a month at byte 3`.
  package var description: String {
    switch reason {
    case .year: expected("a year")
    case .month: expected("the number of a month")
    case .monthName: expected("the name of a month")
    case .weekdayName: expected("the name of a weekday")
    case .day: expected("a day of the month")
    case .dayOfYear: expected("a day of the year")
    case .hour: expected("an hour")
    case .minute: expected("a minute")
    case .second: expected("a second")
    case .fraction: expected("a fraction of a second")
    case .meridiem: expected("AM or PM")
    case .offset: expected("an offset from UTC")
    case .zoneName: expected("an abbreviation of a time zone")
    case .space: expected("a space")
    case .literal: expected("the layout's own text")
    case .separator: expected("one dot between seconds and their fraction")
    case .number: expected("a number")
    case .surplus: "the time ends before byte \(offset), where more text follows"
    case .monthRange: "the month at byte \(offset) is not from 1 to 12"
    case .hourRange: "the hour at byte \(offset) is out of range"
    case .minuteRange: "the minute at byte \(offset) is out of range"
    case .secondRange: "the second at byte \(offset) is out of range"
    case .offsetRange: "the offset from UTC at byte \(offset) is out of range"
    case .dayRange: "the month has no such day"
    case .dayOfYearRange: "the year has no such day"
    case .dayOfYearMismatch: "the day of the year contradicts the month and day"
    case .unknownZone: "the time zone at byte \(offset) is not known"
    case .range: "the time lies outside of the years 1678 to 2262"
    }
  }

  private func expected(_ what: String) -> String { "expected \(what) at byte \(offset)" }
}
