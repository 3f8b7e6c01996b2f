import SeededRandom
import Testing
import WireFormat

@testable import LogData

@Suite struct ArenaTextTests {
  @Test func `either of two bytes is found at every place`() {
    for count in 0...20 {
      for place in 0..<max(count, 1) {
        var bytes = [UInt8](repeating: 0x61, count: count)
        if place < count { bytes[place] = 0x2C }
        let found = count == 0 ? -1 : place
        #expect(bytes.span.firstPlace(of: 0x2C, 0x22, from: 0, to: count) == found)
        #expect(bytes.span.firstPlace(of: 0x22, 0x2C, from: 0, to: count) == found)
        #expect(bytes.span.firstPlace(of: 0x2C, 0x22, from: 0, to: place) == -1)
        #expect(bytes.span.firstPlace(of: 0x2C, 0x22, from: place, to: count) == found)
        // A byte that differs in its lowest bit stands right behind.
        if place + 1 < count { bytes[place + 1] = 0x2D }
        #expect(bytes.span.firstPlace(of: 0x2C, 0x22, from: 0, to: count) == found)
      }
    }
  }

  @Test func `pieces that follow each other are not copied`() {
    var entry = LogEntry()
    _ = entry.add("abcdef")
    var text = ArenaText()
    text.append(from: 1, to: 3, of: &entry)
    text.append(from: 3, to: 4, of: &entry)
    #expect(text.range == WireRange(1, 4) && entry.arena.count == 6)
    text.append(from: 5, to: 6, of: &entry)
    text.append(from: 0, to: 1, of: &entry)
    #expect(entry.string(text.range) == "bcdfa")
  }

  @Test(arguments: [
    ("", ""), ("a", "a"), (" a ", "a"), ("\t\n a b\r\n", "a b"), ("   ", ""),
    ("\u{A0}\u{3000}é\u{2003}", "é"),
    ("\u{200B}a", "\u{200B}a"), ("é", "é"), ("\u{1680}", ""), ("\u{85}\u{2028}\u{2029}\u{202F}\u{205F}", ""),
  ])
  func `white space around a text is that of Unicode`(text: String, expected: String) {
    var entry = LogEntry()
    _ = entry.add(" ")
    let range = entry.add(text)
    _ = entry.add(" ")
    #expect(entry.string(entry.trimmed(range)) == expected)
  }
}
