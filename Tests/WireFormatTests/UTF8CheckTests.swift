import Testing
import WireFormat

struct UTF8CheckTests {
  static let wellFormed: [String] = [
    "", "a", "plain ascii text, longer than eight bytes", "ä", "naïve café", "日本語テキスト", "😀", "abcdefg😀",
    "\u{7FF}\u{800}",
    "\u{FFFF}\u{10000}\u{10FFFF}", "\u{D7FF}\u{E000}",
  ]

  @Test(arguments: wellFormed)
  func `well-formed text passes at every position in a buffer`(text: String) {
    for before in 0..<9 {
      for after in 0..<9 {
        let padding = [UInt8](repeating: 0xFF, count: before)
        let bytes = padding + Array(text.utf8) + [UInt8](repeating: 0x80, count: after)
        #expect(UTF8Check.firstInvalid(in: bytes.span, from: before, to: before + text.utf8.count) == -1)
      }
    }
  }

  static let malformed: [(bytes: [UInt8], at: Int)] = [
    ([0x80], 0), ([0x61, 0xBF], 1), ([0xC0, 0xAF], 0), ([0xC1, 0xBF], 0), ([0xC2], 0), ([0xC2, 0x41], 0),
    ([0xE0, 0x9F, 0xBF], 0), ([0xED, 0xA0, 0x80], 0), ([0xE1, 0x80], 0), ([0xE1, 0x80, 0xC0], 0),
    ([0xF0, 0x8F, 0xBF, 0xBF], 0), ([0xF4, 0x90, 0x80, 0x80], 0), ([0xF5, 0x80, 0x80, 0x80], 0),
    ([0xF1, 0x80, 0x80], 0), ([0xFF], 0), (Array("0123456789abcde".utf8) + [0xFE], 15),
  ]

  @Test(arguments: malformed)
  func `malformed text is found where it starts`(bytes: [UInt8], at: Int) {
    #expect(UTF8Check.firstInvalid(in: bytes.span, from: 0, to: bytes.count) == at)
    let inside = Array("12345678".utf8) + bytes + Array("12345678".utf8)
    #expect(UTF8Check.firstInvalid(in: inside.span, from: 8, to: 8 + bytes.count) == 8 + at)
  }

  @Test func `the check agrees with the standard library on random bytes`() {
    var state: UInt64 = 7
    for _ in 0..<50_000 {
      var bytes: [UInt8] = []
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      for _ in 0..<Int(state >> 60) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let choices: [UInt8] = [
          0x41, 0x80, 0x8F, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF3, 0xF4,
        ]
        bytes.append(choices[Int(state >> 33) % choices.count])
      }
      #expect(UTF8Check.isValid(bytes.span) == (String(validating: bytes, as: UTF8.self) != nil))
    }
  }
}
