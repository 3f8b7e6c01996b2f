@testable import NativeCodecs

/// What must hold for patterns and texts: our automaton finds what RE2 finds.
enum CaptureOracle {
  /// The input is a byte of options, the pattern up to a line end, and the text.
  static func check(_ input: [UInt8]) throws {
    guard let options = input.first, let end = input.firstIndex(of: 0x0A), end > 0 else { return }
    guard let text = String(validating: input[1..<end], as: UTF8.self), text.utf8.count < 120 else { return }
    let anchorings: [Pattern.Anchoring] = [.anywhere, .start, .whole]
    guard
      let pattern = try? Pattern(
        text, anchoring: anchorings[Int(options & 15) % 3], dotMatchesNewline: options & 16 != 0,
        matchesLines: options & 32 != 0, ignoresCase: options & 64 != 0)
    else { return }
    let groups = CapturePattern(pattern)
    let extent = CapturePattern(pattern, asking: .extent)
    let existence = CapturePattern(pattern, asking: .existence)
    let subject = Array(input[(end + 1)...])
    let isThere = pattern.matches(subject.span)
    try require(existence.matches(subject.span) == isThere, "an existence that RE2 does not see")
    for other in others {
      let list = PatternList([other, pattern])
      try require(
        list.matches(subject.span) == (isThere || other.matches(subject.span)),
        "a list finds something else than its patterns")
    }
    for start in [0, subject.count / 2, subject.count] {
      let expected = pattern.captures(in: subject.span, from: start)
      var match = PatternMatch()
      let isFound = groups.find(in: subject.span, from: start, into: &match)
      let found = isFound ? (0..<match.count).map { match[$0] } : nil
      try require(
        found == expected,
        "\(String(describing: found)) from \(start) where RE2 finds \(String(describing: expected))")
      try require(
        extent.find(in: subject.span, from: start, into: &match) == isFound
          && (!isFound || match[0] == expected?[0]),
        "another extent from \(start)")
      try require(
        existence.find(in: subject.span, from: start, into: &match) == isFound,
        "another existence from \(start)")
    }
  }

  /// What patterns stand in a list with.
  private static let others = [#"\b[a-f]{3,}="#, #"(?i)x+$|^é"#].compactMap { try? Pattern($0) }

  static let seeds: [[UInt8]] =
    [
      #"0^(?P<remote>\S+) - (?P<user>.*?) \[(?P<time>[^\]]+)\] "(?P<request>[^"]*)""#
        + "\n" + #"192.0.2.9 - frank [10/Oct/2000] "GET / HTTP/1.0""#,
      "1(a|ab)(c|bcd)(d*)\nabcd", "2[à-ü€😀]+?x{2,3}|(?i:Straße)\nàé€xx",
      "@\\bk+\\B.*$\nKk\u{212A} é\u{FFFF}k",
      " (?m:^)(?s:.)(\\w+)(?:-(\\d+))?$\nfirst\nsecond-17\nthird", "P[[:alpha:]]*[^[:space:]\\\\]\nabc\\d",
    ].map { Array($0.utf8) } + [
      Array("0([^a]|.)+\n".utf8) + [0xE2, 0x82, 0xAC, 0xC3, 0xED, 0xA0, 0x80, 0xFF]
    ]
}
