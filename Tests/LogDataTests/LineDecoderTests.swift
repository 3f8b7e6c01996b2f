import SeededRandom
import Testing
import WireFormat

@testable import LogData

@Suite struct LineDecoderTests {
  private func decode(_ bytes: [UInt8], _ encoding: TextEncoding) -> (LineDecoder.Form, String) {
    var decoder = LineDecoder(encoding)
    let form = decoder.decode(bytes.span)
    return (form, String(decoding: form == .converted ? decoder.converted : bytes, as: UTF8.self))
  }

  @Test(
    arguments: [
      ("utf-8", "schön 𝄞", [0x73, 0x63, 0x68, 0xC3, 0xB6, 0x6E, 0x20, 0xF0, 0x9D, 0x84, 0x9E]),
      ("UTF-16LE", "ö𝄞", [0xF6, 0, 0x34, 0xD8, 0x1E, 0xDD]),
      ("utf-16be", "ö𝄞", [0, 0xF6, 0xD8, 0x34, 0xDD, 0x1E]),
      ("utf-16", "ö", [0xF6, 0]),
      ("latin1", "Öl", [0xD6, 0x6C]),
      ("Windows-1252", "€–", [0x80, 0x96]),
      ("gb18030", "你", [0xC4, 0xE3]),
      ("utf-32be", "𝄞", [0, 1, 0xD1, 0x1E]),
    ] as [(String, String, [UInt8])])
  func `text of every encoding becomes UTF-8`(name: String, expected: String, bytes: [UInt8]) throws {
    let encoding = try #require(TextEncoding(named: name))
    #expect(decode(bytes, encoding).1 == expected)
  }

  @Test(arguments: EncodingFixtures.all.indices)
  func `text that Python encoded is read as it was`(position: Int) throws {
    let (name, hex, text) = EncodingFixtures.all[position]
    let encoding = try #require(TextEncoding(named: name), "\(name)")
    let bytes = EncodingFixtures.bytes(hex)
    #expect(decode(bytes, encoding).1.unicodeScalars.elementsEqual(text.unicodeScalars), "\(name)")
    // Line feeds are found in it, and nothing else is taken for one.
    guard encoding.units.width == 1 else { return }
    let lines = frame(
      bytes + [UInt8(encoding.units.lineFeed)] + bytes,
      LineFraming(encoding: encoding, trimsLeading: false, trimsTrailing: false))
    #expect(lines.texts == [bytes, bytes], "\(name)")
  }

  @Test func `text that is UTF-8 already stays where it is`() {
    #expect(decode(Array("plain".utf8), .utf8).0 == .text)
    #expect(decode(Array("schön".utf8), .utf8).0 == .text)
    #expect(decode(Array("plain".utf8), .latin1).0 == .text)
    #expect(decode([], .utf8).0 == .text)
  }

  @Test func `malformed text is replaced, kept as bytes, or no text at all, as the encoding says`() {
    let bytes: [UInt8] = [0x61, 0xFF, 0x62]
    #expect(decode(bytes, .utf8) == (.converted, "a\u{FFFD}b"))
    #expect(decode(bytes, .utf8Raw).0 == .bytes)
    #expect(decode(bytes, .bytes).0 == .bytes)
    #expect(decode(Array("plain".utf8), .bytes).0 == .bytes)
    #expect(decode([0xD8, 0x34, 0, 0x61, 0xDD], .utf16BigEndian).1 == "\u{FFFD}a\u{FFFD}")
  }

  private func isValid(_ bytes: [UInt8]) -> Bool { UTF8Check.isValid(bytes.span) }

  @Test(arguments: TextEncoding.commonNames)
  func `an encoding whose name is suggested exists, and knows plain text`(name: String) throws {
    let encoding = try #require(TextEncoding(named: name))
    let units = encoding.units
    var bytes: [UInt8] = []
    for unit in [units.tab, units.space, units.carriageReturn, units.lineFeed] {
      for place in 0..<units.width { bytes.append(UInt8(truncatingIfNeeded: unit >> (8 * UInt32(place)))) }
    }
    #expect(decode(bytes, encoding).1 == "\t \r\n")
    let lines = frame(bytes + bytes, LineFraming(encoding: encoding)).lines
    #expect(lines.count == (encoding == .bytes ? 1 : 2))
  }

  @Test func `names that mean nothing are none`() {
    for name in ["utf-99", "latin1//TRANSLIT", "unicode", "utf 8"] {
      #expect(TextEncoding(named: name) == nil, "\(name)")
    }
  }

  @Test(arguments: 0..<50)
  func `whatever the bytes, the text is well-formed`(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let encoding = try #require(TextEncoding(named: random.pick(TextEncoding.commonNames)))
    for _ in 0..<20 {
      let bytes = random.bytes(random.below(80))
      var decoder = LineDecoder(encoding)
      switch decoder.decode(bytes.span) {
      case .text: #expect(isValid(bytes))
      case .converted: #expect(isValid(decoder.converted))
      case .bytes: #expect(encoding == .bytes || encoding == .utf8Raw)
      }
    }
  }

  @Test func `a byte order mark at the start of a stream is no text`() {
    #expect(strings(frame(Array("\u{FEFF}a\n\u{FEFF}b".utf8), LineFraming()).texts) == ["a", "\u{FEFF}b"])
    let wide = frame([0xFF, 0xFE, 0x61, 0, 0x0A, 0], LineFraming(encoding: .utf16LittleEndian))
    #expect(wide.texts == [[0x61, 0]])
    #expect(wide.lines.map(\.end) == [6])
  }
}
