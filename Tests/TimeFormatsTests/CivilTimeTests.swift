import Testing

@testable import TimeFormats

@Suite struct CivilTimeTests {
  @Test func `a leap day is the 29th of February`() {
    let time = CivilTime(unixSeconds: 1_709_210_096)
    #expect(
      [time.year, time.month, time.day, time.hour, time.minute, time.second] == [2024, 2, 29, 12, 34, 56])
  }
}
