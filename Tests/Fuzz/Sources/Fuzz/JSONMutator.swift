/// Changes JSON texts by the pieces that matter to a reader of OTLP-JSON.
struct JSONMutator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed) }

  private static let pieces: [String] = [
    "null", "true", "false", "{}", "[]", "{", "}", "[", "]", ",", ":", "\"", "\"\"", "\\", "\\u0000",
    "\\ud83d\\ude00",
    "\\ud83d", "\\n", " ", "\n", "0", "-0", "-1", "1e999", "1.5", "1e2", "\"NaN\"", "\"Infinity\"",
    "\"-Infinity\"",
    "9223372036854775807", "-9223372036854775808", "18446744073709551615", "\"18446744073709551616\"",
    "\"12\"",
    "\"AQI=\"", "\"AQI\"", "\"00112233445566778899aabbccddeeff\"", "\"0011223344556677\"",
    "\"SPAN_KIND_SERVER\"",
    "\"unknown\":{\"a\":[1,{}]},", "{\"stringValue\":\"x\"}", "{\"arrayValue\":{\"values\":[{}]}}", "\u{0}",
    "ü",
  ]

  mutating func mutate(_ text: [UInt8]) -> [UInt8] {
    var text = text
    for _ in 0...Int.random(in: 0...3, using: &random) { text = change(text) }
    return text
  }

  private mutating func change(_ text: [UInt8]) -> [UInt8] {
    let start = Int.random(in: 0...text.count, using: &random)
    let end = min(text.count, start + Int.random(in: 0...12, using: &random))
    let piece = Array((Self.pieces.randomElement(using: &random) ?? "").utf8)
    let (before, after) = (Array(text[..<start]), Array(text[end...]))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return before + after
    case 1: return before + piece + after
    case 2: return before + piece + Array(text[start...])
    case 3: return Array(text[..<end]) + Array(text[start...])
    case 4: return replaceValue(text, after: start, with: piece)
    default:
      var text = text
      if start < text.count { text[start] = UInt8(truncatingIfNeeded: random.next()) }
      return text
    }
  }

  /// Puts a piece in the place of the simple value after the next colon.
  private func replaceValue(_ text: [UInt8], after start: Int, with piece: [UInt8]) -> [UInt8] {
    guard let colon = text[start...].firstIndex(of: UInt8(ascii: ":")) else { return text }
    let rest = text[(colon + 1)...]
    let stops = ",}]".utf8
    guard let end = rest.firstIndex(where: { stops.contains($0) }) else { return text }
    return Array(text[...colon]) + piece + Array(text[end...])
  }
}
