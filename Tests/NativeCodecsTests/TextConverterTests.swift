import Testing

@testable import NativeCodecs

@Suite struct TextConverterTests {
  private func text(_ bytes: [UInt8], _ name: String) throws -> String {
    let converter = try #require(TextConverter(from: name))
    var output: [UInt8] = []
    converter.append(bytes.span, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(
    arguments: [
      ("ISO-8859-15", [0xA4, 0x41], "€A"),
      ("windows-1251", [0xCF, 0xF0, 0xE8], "При"),
      ("shift_jis", [0x93, 0xFA, 0x96, 0x7B], "日本"),
      ("GBK", [0xC4, 0xE3, 0xBA, 0xC3], "你好"),
      ("big5", [0xA7, 0x41, 0xA6, 0x6E], "你好"),
      ("euc-kr", [0xC7, 0xD1], "한"),
      ("koi8-r", [0xF0, 0xD2], "Пр"),
      ("ISO-2022-JP", [0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42, 0x21], "日!"),
      ("UTF-32LE", [0x1E, 0xD1, 1, 0], "𝄞"),
      ("IBM037", [0xC8, 0x89], "Hi"),
      // Holds a letter back until it is clear that no accent follows.
      ("TCVN", [0x61], "a"),
    ] as [(String, [UInt8], String)])
  func `text of an encoding becomes UTF-8`(name: String, bytes: [UInt8], expected: String) throws {
    #expect(try text(bytes, name) == expected)
  }

  @Test func `malformed bytes become replacement characters, and the rest stays`() throws {
    #expect(try text([0x93, 0xFA, 0xFF, 0x41, 0x93], "shift_jis") == "日\u{FFFD}A\u{FFFD}")
    #expect(try text([0x41, 0x80, 0x42], "ascii") == "A\u{FFFD}B")
    let wide = try #require(TextConverter(from: "UTF-32LE", unitWidth: 4))
    var output: [UInt8] = []
    wide.append([0, 0, 0, 0xFF, 0x41, 0, 0, 0, 0x42].span, to: &output)
    #expect(String(decoding: output, as: UTF8.self) == "\u{FFFD}A\u{FFFD}")
  }

  @Test func `a state does not reach from one text into the next`() throws {
    let converter = try #require(TextConverter(from: "ISO-2022-JP"))
    var output: [UInt8] = []
    converter.append([0x1B, 0x24, 0x42, 0x46, 0x7C].span, to: &output)
    converter.append([0x46, 0x7C].span, to: &output)
    #expect(String(decoding: output, as: UTF8.self) == "日F|")
  }

  @Test func `a place in the converted text is found in the original`() throws {
    let converter = try #require(TextConverter(from: "shift_jis"))
    let bytes: [UInt8] = [0x93, 0xFA, 0x41, 0xFF, 0x96, 0x7B]
    #expect([0, 3, 4, 7, 10].map { converter.length(of: bytes.span, convertedTo: $0) } == [0, 2, 3, 4, 6])
  }

  @Test func `long texts are converted whole`() throws {
    let bytes = [UInt8](repeating: 0xE4, count: 100_000)
    #expect(try text(bytes, "ISO-8859-2") == String(repeating: "ä", count: 100_000))
  }

  @Test func `unknown names and variants of a conversion are not opened`() {
    for name in ["utf-99", "", "latin1//IGNORE", "../../tmp/x", String(repeating: "a", count: 100)] {
      #expect(TextConverter(from: name) == nil)
    }
  }

  @Test func `characters are written in an encoding`() {
    #expect(TextConverter.encode("\n ", in: "IBM037") == [0x25, 0x40])
    #expect(TextConverter.encode("\n", in: "UTF-32BE") == [0, 0, 0, 0x0A])
  }
}
