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

  @Test func `a list without patterns matches nothing`() {
    let list = PatternList([])
    #expect(list.isEmpty)
    #expect(!list.matches("".utf8.span) && !list.matches("a".utf8.span))
  }

  @Test(arguments: [2026, 7, 1913] as [UInt64])
  func `generated patterns find what RE2 finds, in generated texts`(seed: UInt64) throws {
    var generator = PatternGenerator(seed: seed)
    var (taken, matched, count) = (0, 0, 0)
    var match = PatternMatch()
    var latest: [Pattern] = []
    while count < 300 {
      let (text, sample) = generator.pattern()
      let anchoring = generator.random.pick([.anywhere, .start, .whole] as [Pattern.Anchoring])
      let (dots, cases, lines) = (
        generator.random.chance(10), generator.random.chance(10), generator.random.chance(10)
      )
      // Some are none: a quantifier too much, say.
      guard
        let read = try? Pattern(
          text, anchoring: anchoring, dotMatchesNewline: dots, matchesLines: lines, ignoresCase: cases)
      else { continue }
      let pattern = CapturePattern(read)
      let others = [CapturePattern(read, asking: .extent), CapturePattern(read, asking: .existence)]
      count += 1
      if !pattern.usesRE2 { taken += 1 }
      latest = latest.suffix(generator.random.below(6)) + [read]
      let list = PatternList(latest)
      for text in generator.texts(around: sample) {
        guard list.matches(text.span) == latest.contains(where: { $0.matches(text.span) }) else {
          Issue.record("/\(latest.map(\.text))/ in a list, on \(text)")
          return
        }
        let start = generator.random.chance(20) ? generator.random.below(text.count + 1) : 0
        guard Self.check(pattern, text, from: start) else { return }
        let isThere = pattern.find(in: text.span, from: start, into: &match)
        if isThere { matched += 1 }
        let whole = isThere ? match[0] : nil
        let matches = read.matches(text.span)
        guard others[0].firstMatch(in: text.span, from: start) == whole,
          pattern.matches(text.span) == matches, others[1].matches(text.span) == matches
        else {
          Issue.record("/\(pattern.text)/ \(anchoring) on \(text) from \(start), without a match to fill")
          return
        }
        for (other, groups) in zip(others, [1, 0]) {
          guard other.find(in: text.span, from: start, into: &match) == isThere, match.count == groups,
            groups == 0 || !isThere || match[0] == whole
          else {
            Issue.record("/\(pattern.text)/ \(anchoring) on \(text) from \(start) with \(groups) groups")
            return
          }
        }
      }
    }
    // The comparison means something.
    #expect(taken > count / 2, "only \(taken) of \(count) are taken")
    #expect(matched > count * 2, "only \(matched) matches")
  }

  @Test(arguments: RealPattern.allCases)
  func `patterns of real logs run on the automaton and find what RE2 finds`(real: RealPattern) throws {
    let pattern = try CapturePattern(real.pattern)
    #expect(!pattern.usesRE2)
    var match = PatternMatch()
    #expect(pattern.find(in: Array(real.line.utf8).span, into: &match))
    for text in real.variations { guard Self.check(pattern, text) else { return } }
  }

  @Test func `groups are byte ranges, and nil when they took no part`() throws {
    let pattern = try CapturePattern("(?P<first>ü)(x)?(?P<last>.)")
    #expect(!pattern.usesRE2)
    #expect(pattern.groupNames == ["", "first", "", "last"])
    let text = Array("aü€".utf8)
    var match = PatternMatch()
    #expect(pattern.find(in: text.span, into: &match))
    #expect((0..<match.count).map { match[$0] } == [1..<6, 1..<3, nil, 3..<6])
    #expect(!pattern.find(in: text.span, from: 3, into: &match))
    #expect(!pattern.find(in: text.span, from: 99, into: &match))
    #expect(!pattern.find(in: text.span, from: -1, into: &match))
  }

  @Test(arguments: [
    "(a*)*", "(|a)+", "\\pL+", "\\Qa.b\\E", "(?i)ü", "a\\Cb", String(repeating: "(.)", count: 40),
    "(?:a?){20}b", "[ab]*a[ab]{14}c",
  ])
  func `what the automaton does not take, RE2 matches`(text: String) throws {
    let pattern = try CapturePattern(text)
    #expect(pattern.usesRE2)
    for text in ["a", "a.b", "aXb", "ÜÜ", "aaaaaaaaaaaaaaaaaaaab", String(repeating: "é", count: 40), ""] {
      #expect(Self.check(pattern, Array(text.utf8)))
      let (isMatched, place) = (pattern.matches(text.utf8.span), pattern.firstMatch(in: text.utf8.span))
      #expect(isMatched == pattern.pattern.matches(text))
      #expect(place == pattern.pattern.captures(in: text)?[0])
    }
  }

  @Test func `a match is used again for patterns with more and fewer groups`() throws {
    let few = try CapturePattern("(a)")
    let many = try CapturePattern("(a)|(b)|(c)|(d)")
    let none = try CapturePattern("a", asking: .existence)
    let text = Array("da".utf8)
    var match = PatternMatch()
    #expect(few.find(in: text.span, into: &match) && match.count == 2 && match[1] == 1..<2)
    #expect(
      many.find(in: text.span, into: &match) && match.count == 5 && match[4] == 0..<1 && match[1] == nil)
    #expect(none.find(in: text.span, into: &match) && match.count == 0)
    #expect(few.find(in: text.span, into: &match) && match.count == 2 && match[1] == 1..<2)
  }

  @Test func `a wrong pattern is told as RE2 tells it`() {
    #expect(throws: PatternError.self) { try CapturePattern("a(b") }
  }
}
