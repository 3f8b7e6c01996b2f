import SeededRandom
import Testing

@testable import TimeFormats

@Suite struct CivilTimeTests {
  @Test func `a leap day is the 29th of February`() {
    let time = CivilTime(unixSeconds: 1_709_210_096)
    #expect(time == CivilTime(year: 2024, month: 2, day: 29, hour: 12, minute: 34, second: 56))
    #expect(time.weekday == 4)
    #expect(time.dayOfYear == 60)
  }

  @Test func `every day of eight centuries follows the one before it`() {
    var expected = CivilTime(year: 1600, month: 1, day: 1)
    var weekday = 6
    for day in CivilTime.days(year: 1600, month: 1, day: 1)..<CivilTime.days(year: 2400, month: 1, day: 1) {
      let time = CivilTime(unixSeconds: day * 86_400)
      #expect(time == expected && time.weekday == weekday && time.unixSeconds == day * 86_400)
      weekday = (weekday + 1) % 7
      expected.day += 1
      if expected.day > CivilTime.days(inMonth: expected.month, year: expected.year) {
        expected.day = 1
        expected.month += 1
      }
      if expected.month > 12 {
        expected.month = 1
        expected.year += 1
      }
    }
  }

  @Test func `moments before the epoch and at the ends of what numbers hold have a date`() {
    #expect(
      CivilTime(unixSeconds: -1)
        == CivilTime(year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59))
    var random = SeededGenerator(7)
    for seconds in [Int.min, .max]
      + (0..<1000).map({ _ in Int.random(in: -1 << 50..<1 << 50, using: &random) })
    {
      let time = CivilTime(unixSeconds: seconds)
      #expect((1...12).contains(time.month) && (1...31).contains(time.day) && (0...23).contains(time.hour))
      if abs(seconds / 2) < 1 << 49 { #expect(time.unixSeconds == seconds) }
    }
  }
}
