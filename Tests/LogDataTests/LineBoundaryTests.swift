import NativeCodecs
import SeededRandom
import Testing

@testable import LogData

@Suite struct LineBoundaryTests {
  private func framing(
    start: String? = nil, end: String? = nil, omits: Bool = false, encoding: TextEncoding = .utf8,
    limit: Int = 1 << 20, oversize: LineFraming.Oversize = .split, trims: Bool = false
  ) throws -> LineFraming {
    let pattern = BoundaryPattern(try Pattern(start ?? end ?? "", matchesLines: true))
    return LineFraming(
      encoding: encoding,
      boundary: start != nil ? .start(pattern, omits: omits) : .end(pattern, omits: omits), limit: limit,
      oversize: oversize, trimsLeading: trims, trimsTrailing: trims)
  }

  @Test(arguments: [
    ("LOGSTART \\d+ ", "LOGSTART 123 log1LOGSTART 123 a", ["LOGSTART 123 log1", "LOGSTART 123 a"]),
    ("^LOGSTART", "LOGSTART LOGSTART x\nLOGSTART b\nc\n", ["LOGSTART LOGSTART x\n", "LOGSTART b\nc\n"]),
    ("LOGSTART", "none of them", ["none of them"]),
    ("LOGSTART", "before LOGSTART after", ["before ", "LOGSTART after"]),
    // A start directly behind another is none.
    ("aa", "aaaaaa x", ["aaaa", "aa x"]),
    ("^", "a\nb\n", ["a\n", "b\n"]),
    ("^$", "a\n\nb\n", ["a\n", "\nb\n"]),
  ])
  func `records begin where a pattern matches`(pattern: String, text: String, expected: [String]) throws {
    #expect(strings(frame(Array(text.utf8), try framing(start: pattern)).texts) == expected)
  }

  @Test(arguments: [
    ("LOGEND \\d+", "log1 LOGEND 12log2 LOGEND 34", ["log1 LOGEND 12", "log2 LOGEND 34"]),
    ("LOGEND$", "log1 LOGEND LOGEND\nlog2 LOGEND\n", ["log1 LOGEND LOGEND", "\nlog2 LOGEND", "\n"]),
    ("^LOGEND.*\\n", "a\nLOGEND x\nb\nLOGEND y\nc", ["a\nLOGEND x\n", "b\nLOGEND y\n", "c"]),
    (";", "a;b;;c", ["a;", "b;", ";", "c"]),
    ("$", "a\nb\n", ["a", "\nb", "\n"]),
    ("x*", "axb", ["ax", "b"]),
  ])
  func `records end where a pattern matches`(pattern: String, text: String, expected: [String]) throws {
    #expect(strings(frame(Array(text.utf8), try framing(end: pattern)).texts) == expected)
  }

  @Test func `a pattern may be left out of the text, never out of the positions`() throws {
    let begun = frame(Array("x S1 a\nb\nS2 c\n".utf8), try framing(start: "S\\d ?", omits: true, trims: true))
    #expect(strings(begun.texts) == ["x", "a\nb", "c"])
    #expect(begun.lines.map(\.end) == [2, 9, 14])
    let ended = frame(Array("a END\nb END\n".utf8), try framing(end: "END", omits: true, trims: true))
    #expect(strings(ended.texts) == ["a", "b", ""])
    #expect(ended.lines.map(\.end) == [5, 11, 12])
  }

  @Test func `the last record waits for the period, and loses its pattern then too`() throws {
    let framing = LineFraming(
      boundary: .start(BoundaryPattern(try Pattern("^S ", matchesLines: true)), omits: true), flushPeriod: 10)
    var framer = LineFramer(framing)
    let buffer = Array("S a\nS b\n".utf8)
    var cursor = 0
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 0))?.text == 2..<3)
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 0)) == nil)
    #expect(framer.flushDeadline == 10)
    #expect(framer.next(in: buffer.span, at: &cursor, .idle(now: 10))?.text == 6..<7)
    #expect(cursor == 8)
  }

  @Test func `a match that may still become another waits for the end of its line`() throws {
    var framer = LineFramer(try framing(end: "END\\d*"))
    var cursor = 0
    #expect(framer.next(in: Array("a END1".utf8).span, at: &cursor, .flowing) == nil)
    #expect(framer.next(in: Array("a END12 b\n".utf8).span, at: &cursor, .flowing)?.end == 7)
  }

  @Test func `records longer than the limit are split, or truncated up to the next boundary`() throws {
    let text = Array("S 1234567890\nabc\nS b\n".utf8)
    let split = frame(text, try framing(start: "^S", limit: 8))
    #expect(strings(split.texts) == ["S 123456", "7890\nabc", "\n", "S b\n"])
    let truncated = frame(text, try framing(start: "^S", limit: 8, oversize: .truncate))
    #expect(strings(truncated.texts) == ["S 123456", "S b\n"])
    #expect(truncated.lines.map(\.start) == [0, 17])
    #expect(truncated.framer.offset == UInt64(text.count))
  }

  @Test(arguments: ["utf-16le", "utf-16be", "latin1", "shift_jis", "utf-32be", "ibm037"])
  func `patterns match text in any encoding`(name: String) throws {
    let text = "S 1 ab\nc\nS 2 d\ne\n"
    let encoding = try #require(TextEncoding(named: name))
    let bytes = try #require(TextConverter.encode(text, in: name == "latin1" ? "ISO-8859-1" : name))
    let framing = try framing(start: "^S \\d ", omits: true, encoding: encoding, trims: true)
    let result = frame(bytes, framing, chunks: Array(repeating: 3, count: bytes.count))
    var decoder = LineDecoder(encoding)
    let texts = result.texts.map { bytes in
      let form = decoder.decode(bytes.span)
      return String(decoding: form == .converted ? decoder.converted : bytes, as: UTF8.self)
    }
    #expect(texts == ["ab\nc", "d\ne"])
    #expect(result.lines.map { Int($0.end) * text.utf8.count / bytes.count } == [9, 17])
  }

  @Test func `a byte order mark does not hide the first start`() throws {
    let result = frame(Array("\u{FEFF}S a\nS b\n".utf8), try framing(start: "^S"))
    #expect(strings(result.texts) == ["S a\n", "S b\n"])
    #expect(result.lines.map(\.start) == [3, 7])
  }

  @Test(arguments: [
    "^a", "^", "^$", "^a\\n^b", "^\\s+b", "^a|b", "(?i)^A", "^*a", "^[ab]", "^(a|b)", "^[|a]b?|b", "^(a|)|b",
    "^\\(|b",
  ])
  func `looking at the starts of lines finds what a search finds`(text: String) throws {
    let pattern = try Pattern(text, matchesLines: true)
    let boundary = BoundaryPattern(pattern)
    for subject in ["", "a", "\n", "a\nb", "b\na\nb\n", "\n\na", " \n b\na\n", "ba\n\n"] {
      let bytes = Array(subject.utf8)
      for start in 0...bytes.count {
        let (left, right) = (
          boundary.firstMatch(in: bytes.span, from: start), pattern.firstMatch(in: bytes.span, from: start)
        )
        #expect(left == right, "\(subject.debugDescription) from \(start)")
      }
    }
  }

  @Test(arguments: 0..<300)
  func `however a stream is divided, its records are the same`(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let words = ["S", "END", "a", "\n", "\n", "\r\n", " ", "ö", "12"]
    let text = (0..<random.below(60)).map { _ in random.pick(words) }.joined()
    let encoding: TextEncoding = random.pick([.utf8, .utf16LittleEndian, .latin1])
    let bytes: [UInt8] =
      switch encoding {
      case .utf16LittleEndian: text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
      case .latin1: text.unicodeScalars.map { UInt8($0.value) }
      default: Array(text.utf8)
      }
    let isStart = random.chance(50)
    let patterns =
      isStart ? ["^S", "S", "^S\\d*", "^a$", "^S.*$", "^"] : ["END$", "END", "^END.*$", "\\d+", "$", "x*"]
    let pattern = random.pick(patterns)
    let framing = try framing(
      start: isStart ? pattern : nil, end: isStart ? nil : pattern, omits: random.chance(50),
      encoding: encoding,
      limit: random.chance(50) ? 1 << 20 : 1 + random.below(30),
      oversize: random.chance(50) ? .split : .truncate,
      trims: random.chance(50))
    let whole = frame(bytes, framing)
    let cut = frame(bytes, framing, chunks: bytes.map { _ in random.below(8) })
    #expect(
      whole.lines.map { $0.start } == cut.lines.map { $0.start }, "\(pattern): \(text.debugDescription)")
    #expect(whole.lines.map { $0.end } == cut.lines.map { $0.end })
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
