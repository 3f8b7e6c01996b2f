import NativeCodecs
import SeededRandom
import Testing

@Suite struct CapturePatternTests {
  /// Whether the automaton and RE2 find the same.
  static func check(_ pattern: CapturePattern, _ text: [UInt8], from start: Int = 0) -> Bool {
    var match = PatternMatch()
    let isFound = pattern.find(in: text.span, from: start, into: &match)
    let expected = pattern.pattern.captures(in: text.span, from: start)
    let found = isFound ? (0..<match.count).map { match[$0] } : nil
    if found != expected {
      Issue.record(
        """
        /\(pattern.text)/ \(pattern.pattern.anchoring) on \(text) from \(start):
        \(String(describing: found)) is not \(String(describing: expected))
        """)
    }
    return found == expected
  }

  @Test(arguments: [2026, 7, 1913] as [UInt64])
  func `generated patterns find what RE2 finds, in generated texts`(seed: UInt64) throws {
    var generator = PatternGenerator(seed: seed)
    var (taken, matched, count) = (0, 0, 0)
    var match = PatternMatch()
    while count < 4000 {
      let (text, sample) = generator.pattern()
      let anchoring = generator.random.pick([.anywhere, .start, .whole] as [Pattern.Anchoring])
      let (dots, cases) = (generator.random.chance(10), generator.random.chance(10))
      // Some are none: a quantifier too much, say.
      guard
        let pattern = try? CapturePattern(
          text, anchoring: anchoring, dotMatchesNewline: dots, ignoresCase: cases)
      else { continue }
      let asking = try CapturePattern(
        text, anchoring: anchoring, dotMatchesNewline: dots, ignoresCase: cases, asking: .existence)
      count += 1
      if !pattern.usesRE2 { taken += 1 }
      for text in generator.texts(around: sample) {
        let start = generator.random.chance(20) ? generator.random.below(text.count + 1) : 0
        guard Self.check(pattern, text, from: start) else { return }
        let isThere = pattern.find(in: text.span, from: start, into: &match)
        if isThere { matched += 1 }
        guard asking.find(in: text.span, from: start, into: &match) == isThere else {
          Issue.record("/\(pattern.text)/ \(anchoring) on \(text) from \(start): existence is not \(isThere)")
          return
        }
      }
    }
    // The comparison means something.
    #expect(taken > count * 2 / 3, "only \(taken) of \(count) are taken")
    #expect(matched > count * 2, "only \(matched) matches")
  }
}
