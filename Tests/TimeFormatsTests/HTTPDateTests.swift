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

  @Test func `dates that are written read back the same`() {
    #expect(HTTPDate.text(secondsSinceEpoch: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    for seconds in stride(from: 0, to: 4_000_000_000, by: 12_345_679) {
      #expect(HTTPDate.secondsSinceEpoch(HTTPDate.text(secondsSinceEpoch: seconds)) == seconds)
    }
  }
}
