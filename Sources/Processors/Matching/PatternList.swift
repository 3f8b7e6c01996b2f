internal import NativeCodecs

/// Patterns of which any may match.
///
/// All are looked for in one pass where the automaton takes them together.
struct PatternList: Sendable {
  private let patterns: [CapturePattern]

  init(_ patterns: [Pattern]) {
    let single = patterns.map { CapturePattern($0, asking: .existence) }
    let joined = patterns.map { "(?:\($0.text))" }.joined(separator: "|")
    if single.count > 1, let all = try? CapturePattern(joined, asking: .existence), !all.usesRE2 {
      self.patterns = [all]
    } else {
      self.patterns = single
    }
  }

  var isEmpty: Bool { patterns.isEmpty }

  func matches(_ text: Span<UInt8>) -> Bool {
    // By position: a loop over the array itself would retain every pattern, which may take longer than matching.
    for position in 0..<patterns.count where patterns[position].matches(text) { return true }
    return false
  }
}
