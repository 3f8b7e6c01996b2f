import SeededRandom
import Testing

@testable import LogData

/// What a reader with buffers of its own sees of a stream.
func frame(
  _ bytes: [UInt8], _ framing: LineFraming, chunks: [Int] = [], end: LineFramer.Input = .ended
) -> (lines: [FramedLine], texts: [[UInt8]], framer: LineFramer) {
  var framer = LineFramer(framing)
  var buffer: [UInt8] = []
  var lines: [FramedLine] = []
  var texts: [[UInt8]] = []
  var given = 0
  var sizes = chunks[...]
  while true {
    let size = min(sizes.popFirst() ?? bytes.count, bytes.count - given)
    buffer += bytes[given..<(given + size)]
    given += size
    let input = given == bytes.count ? end : .flowing
    var cursor = 0
    while let line = framer.next(in: buffer.span, at: &cursor, input) {
      lines.append(line)
      texts.append(Array(buffer[line.text]))
    }
    buffer.removeFirst(cursor)
    if given == bytes.count { return (lines, texts, framer) }
  }
}

func strings(_ texts: [[UInt8]]) -> [String] { texts.map { String(decoding: $0, as: UTF8.self) } }

@Suite struct LineFramerTests {
  @Test(arguments: [
    ("", []),
    ("a\nb\n", ["a", "b"]),
    ("a\r\nb\r\n", ["a", "b"]),
    ("a\n\n\nb", ["a", "", "", "b"]),
    ("  a \t\n\tb  \r\n", ["a", "b"]),
    ("a\0b\n", ["a\0b"]),
    ("\n", [""]),
  ])
  func `lines end at line feeds`(text: String, expected: [String]) {
    #expect(strings(frame(Array(text.utf8), LineFraming()).texts) == expected)
  }

  @Test func `white space stays where it is to be kept, but for the line's own carriage return`() {
    let bytes = Array(" a \r\r\n b".utf8)
    let kept = LineFraming(trimsLeading: false, trimsTrailing: false)
    #expect(strings(frame(bytes, kept).texts) == [" a \r", " b"])
    #expect(strings(frame(bytes, LineFraming(trimsLeading: false)).texts) == [" a", " b"])
    #expect(strings(frame(bytes, LineFraming(trimsTrailing: false)).texts) == ["a \r", "b"])
  }

  @Test func `positions are those of the stream, terminators included`() {
    let lines = frame(Array("ab\r\n\ncd".utf8), LineFraming(), chunks: [1, 2, 1, 1]).lines
    #expect(lines.map(\.start) == [0, 4, 5])
    #expect(lines.map(\.end) == [4, 5, 7])
  }

  @Test func `a line that is too long is split, and one of the very length is not`() {
    let bytes = Array("abcd\r\nabcde\nabcdefghi\n".utf8)
    let result = frame(bytes, LineFraming(limit: 4))
    #expect(strings(result.texts) == ["abcd", "abcd", "e", "abcd", "efgh", "i"])
    #expect(result.lines.last?.end == UInt64(bytes.count))
  }

  @Test func `of a truncated line the rest is passed over`() {
    let bytes = Array("abcdefghi\nxy\n123456".utf8)
    let framing = LineFraming(limit: 4, oversize: .truncate)
    let result = frame(bytes, framing)
    #expect(strings(result.texts) == ["abcd", "xy", "1234"])
    #expect(result.lines.map(\.isTruncated) == [true, false, true])
    #expect(result.lines.map(\.start) == [0, 10, 13])
    #expect(result.framer.offset == UInt64(bytes.count))
    // A reader that goes on in the middle knows that it does.
    var resumed = LineFramer(framing, offset: 4, isSkipping: true)
    var cursor = 4
    let line = resumed.next(in: bytes.span, at: &cursor, .ended)
    #expect(line?.start == 10)
  }

  @Test(arguments: [LineFraming.Oversize.split, .truncate])
  func `a stream without line feeds takes no more memory than a record`(oversize: LineFraming.Oversize) {
    let framing = LineFraming(limit: 1 << 20, oversize: oversize)
    var framer = LineFramer(framing)
    let chunk = [UInt8](repeating: 0x78, count: 1 << 18)
    var buffer: [UInt8] = []
    var (count, most) = (0, 0)
    for _ in 0..<100 {
      buffer += chunk
      var cursor = 0
      while framer.next(in: buffer.span, at: &cursor, .flowing) != nil { count += 1 }
      buffer.removeFirst(cursor)
      most = max(most, buffer.count)
    }
    #expect(framer.offset == 100 << 18 - UInt64(buffer.count))
    #expect(most < framing.longestRest)
    #expect(count == (oversize == .split ? 24 : 1))
    #expect(MemoryLayout<LineFramer>.size <= 64)
  }

  @Test func `a split leaves characters whole`() {
    let bytes = Array("aäöü€𝄞".utf8)
    let result = frame(bytes, LineFraming(limit: 4))
    #expect(strings(result.texts).joined() == "aäöü€𝄞")
    #expect(strings(result.texts).allSatisfy { !$0.contains("\u{FFFD}") })
  }

  @Test func `UTF-16 is cut at its own line feeds`() {
    // U+0A0A and U+0A00 hold bytes that look like line feeds.
    let text = " a\u{0A0A}\u{0A00}b\r\n\u{010A}\nc"
    for (encoding, bytes) in [
      (TextEncoding.utf16LittleEndian, text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }),
      (.utf16BigEndian, text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }),
    ] {
      let result = frame(bytes, LineFraming(encoding: encoding), chunks: Array(repeating: 1, count: 99))
      let texts = result.texts.map { bytes in
        String(
          decoding: stride(from: 0, to: bytes.count, by: 2).map { place in
            let (low, high) = (UInt16(bytes[place]), UInt16(bytes[place + 1]))
            return encoding == .utf16LittleEndian ? low | high << 8 : high | low << 8
          }, as: UTF16.self)
      }
      #expect(texts == ["a\u{0A0A}\u{0A00}b", "\u{010A}", "c"])
    }
  }

  @Test func `bytes that are no text come as they are`() {
    let result = frame(Array(" a\nb \n".utf8), LineFraming(encoding: .bytes, limit: 4))
    #expect(strings(result.texts) == [" a\nb", " \n"])
  }

  @Test func `an incomplete line is taken when nothing has been added for the period`() {
    var framer = LineFramer(LineFraming(flushPeriod: 100))
    var buffer = Array("half".utf8)
    var cursor = 0
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 1000)) == nil)
    #expect(framer.flushDeadline == 1100)
    buffer += Array(" of".utf8)
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 1090)) == nil)
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 1150)) == nil)
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 1190))?.text == 0..<7)
    #expect(framer.flushDeadline == nil)
    #expect(framer.offset == 7)
  }

  @Test(arguments: 0..<200)
  func `however a stream is divided, its records are the same and cover it`(seed: UInt64) {
    var random = SeededGenerator(seed)
    let alphabet = Array("ab \r\n\n€\u{0A0A}".utf8) + [0xFF, 0]
    let bytes = (0..<random.below(121)).map { _ in random.pick(alphabet) }
    let encodings: [TextEncoding] = [.utf8, .utf8Raw, .utf16LittleEndian, .utf16BigEndian]
    let framing = LineFraming(
      encoding: random.pick(encodings), limit: 1 + random.below(20),
      oversize: random.chance(50) ? .split : .truncate, trimsLeading: random.chance(50),
      trimsTrailing: random.chance(50))
    let whole = frame(bytes, framing)
    let cut = frame(bytes, framing, chunks: bytes.map { _ in random.below(6) })
    #expect(whole.lines.map(\.start) == cut.lines.map(\.start))
    #expect(whole.lines.map(\.end) == cut.lines.map(\.end))
    #expect(whole.texts == cut.texts)
    #expect(whole.framer.offset == UInt64(bytes.count))
    var position: UInt64 = 0
    for line in whole.lines {
      #expect(line.start == position || framing.oversize == .truncate && line.start > position)
      #expect(line.end > line.start)
      position = line.end
    }
  }
}
