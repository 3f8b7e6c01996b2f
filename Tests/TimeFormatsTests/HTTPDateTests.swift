import Testing

@testable import TimeFormats

@Suite struct HTTPDateTests {
  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ]) func `the three formats of HTTP are one time`(_ text: String) {
    #expect(HTTPDate.secondsSinceEpoch(text) == 784_111_777)
  }

  @Test(arguments: [
    "", "soon", "Sun, 06 Nov 1994", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
  ])
  func `what is no date is none`(_ text: String) { #expect(HTTPDate.secondsSinceEpoch(text) == nil) }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
  ])
  func `a date is in the fixed format`(_ seconds: Int, _ text: String) {
    #expect(HTTPDate.text(secondsSinceEpoch: seconds) == text)
  }

  @Test func `dates that are written read back the same`() {
    for seconds in stride(from: 0, to: 4_000_000_000, by: 12_345_679) {
      #expect(HTTPDate.secondsSinceEpoch(HTTPDate.text(secondsSinceEpoch: seconds)) == seconds)
    }
  }
}
