import SeededRandom
import Testing

@testable import LogData

@Suite struct SyslogFramerTests {
  /// The messages of a stream that is divided into buffers of given sizes.
  private func messages(
    _ stream: [UInt8], _ mode: SyslogFramer.Mode, limit: Int = 1000, sizes: () -> Int
  ) -> [String] {
    var framer = SyslogFramer(mode, limit: limit)
    var (found, buffer, place): ([String], [UInt8], Int) = ([], [], 0)
    func take(_ isEnded: Bool) {
      var cursor = 0
      while let message = framer.next(in: buffer.span, at: &cursor, isEnded: isEnded) {
        found.append(String(decoding: buffer[message], as: UTF8.self))
      }
      buffer.removeFirst(cursor)
    }
    while place < stream.count {
      let end = min(stream.count, place + max(1, sizes()))
      buffer += stream[place..<end]
      place = end
      take(false)
      #expect(buffer.count <= framer.longestRest)
    }
    take(true)
    #expect(buffer.isEmpty)
    return found
  }

  static let cases: [(stream: String, mode: SyslogFramer.Mode, limit: Int, messages: [String])] = [
    ("a\nb\0c\r\n\nd", .lines, 100, ["a", "b", "c\r", "", "d"]),
    ("a\nb\0c", .trailer(0), 100, ["a\nb", "c"]),
    ("a\nb\0c", .trailer(10), 100, ["a", "b\0c"]),
    ("0123456789\nab", .lines, 4, ["0123", "4567", "89", "ab"]),
    ("ääää\n", .lines, 3, ["ä", "ä", "ä", "ä"]),
    ("5 <1>ab5 <2>cd", .octetCounting(most: 100), 100, ["5 <1>ab", "5 <2>cd"]),
    ("5 <1>ab\r\n\n5 <2>cd\n", .octetCounting(most: 100), 100, ["5 <1>ab", "5 <2>cd"]),
    ("<1>a\n5 <2>cd<3>e\0", .octetCounting(most: 100), 100, ["<1>a", "5 <2>cd", "<3>e"]),
    // Too long: cut, and what follows is read on.
    ("10 <1>abcdefg5 <2>cd", .octetCounting(most: 6), 100, ["10 <1>abc", "5 <2>cd"]),
    // Cut off by the end.
    ("5 <1>ab50 <2>", .octetCounting(most: 100), 100, ["5 <1>ab", "50 <2>"]),
    ("5 <1>ab50", .octetCounting(most: 100), 100, ["5 <1>ab", "50"]),
    // No counts.
    ("0 a\n12345678901 b\n7x\n", .octetCounting(most: 100), 100, ["0 a", "12345678901 b", "7x"]),
    ("999999999 <1>a", .octetCounting(most: 8), 100, ["999999999 <1>a"]),
  ]

  @Test(arguments: cases.indices)
  func `messages do not depend on how the stream is divided`(_ index: Int) {
    let item = Self.cases[index]
    let stream = Array(item.stream.utf8)
    var random = SeededGenerator(UInt64(index))
    for _ in 0..<50 {
      #expect(
        messages(stream, item.mode, limit: item.limit) { Int.random(in: 1...8, using: &random) }
          == item.messages)
    }
    #expect(messages(stream, item.mode, limit: item.limit) { stream.count } == item.messages)
  }

  @Test func `any bytes give the same messages however they are divided, and all of them`() {
    var random = SeededGenerator(7)
    let alphabet = Array("0159 <>ab\n\0\r".utf8)
    for mode in [SyslogFramer.Mode.lines, .trailer(0), .octetCounting(most: 12)] {
      for _ in 0..<300 {
        let stream = (0..<40).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] }
        let whole = messages(stream, mode, limit: 9) { stream.count }
        let parts = messages(stream, mode, limit: 9) { Int.random(in: 1...5, using: &random) }
        #expect(whole == parts, "\(String(decoding: stream, as: UTF8.self).debugDescription) \(mode)")
      }
    }
  }
}
