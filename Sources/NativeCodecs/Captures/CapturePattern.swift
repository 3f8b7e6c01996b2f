/// A pattern that is matched often, for the places of its groups: the way from a line of a log to its fields.
///
/// RE2 judges what is a pattern and what it means. Where it can, the pattern then runs on an automaton of our own, which
/// finds all groups in one pass over the text at a fraction of what RE2 needs; a test asserts that both find the same.
/// What the automaton does not take, RE2 matches. See the decision record 13.
///
/// Compiled once and then safe to share.
package final class CapturePattern: Sendable {
  /// What is asked of a match.
  package enum Question: Sendable {
    case groups
    /// Only whether there is one.
    case existence
  }

  /// RE2's idea of it.
  package let pattern: Pattern
  private let automaton: CaptureAutomaton?
  private let boundCount: Int

  package var text: String { pattern.text }
  /// How many groups there are, the whole match not counted.
  package var groupCount: Int { pattern.groupCount }
  /// The names of the groups, by number from 0, the whole match; empty for those without one.
  package var groupNames: [String] { pattern.groupNames }
  /// Whether RE2 does the matching.
  package var usesRE2: Bool { automaton == nil }

  /// - Parameter dotMatchesNewline: whether `.` takes every character (`(?s)`).
  package init(
    _ text: String, anchoring: Pattern.Anchoring = .anywhere, dotMatchesNewline: Bool = false,
    ignoresCase: Bool = false, asking question: Question = .groups
  ) throws(PatternError) {
    pattern = try Pattern(
      text, anchoring: anchoring, dotMatchesNewline: dotMatchesNewline, ignoresCase: ignoresCase)
    let groups = question == .groups ? pattern.groupCount : nil
    boundCount = groups.map { 2 * $0 + 2 } ?? 0
    automaton = Self.automaton(
      text, anchoring, dotMatchesNewline: dotMatchesNewline, ignoresCase: ignoresCase, groups: groups)
  }

  private static func automaton(
    _ text: String, _ anchoring: Pattern.Anchoring, dotMatchesNewline: Bool, ignoresCase: Bool, groups: Int?
  ) -> CaptureAutomaton? {
    do {
      var parser = PatternParser(text, dotMatchesNewline: dotMatchesNewline, ignoresCase: ignoresCase)
      let tree = try parser.parse()
      guard groups == nil || parser.groupCount == groups else { return nil }
      let steps = try PatternSteps(tree, anchoring: anchoring, keepsMarks: groups != nil)
      return try AutomatonBuilder.automaton(of: steps, groupCount: groups)
    } catch {
      return nil
    }
  }

  /// Looks for the first match from `start` on, and where its groups lie.
  ///
  /// - Returns: whether there is one; `match` means something only then. Texts of 4 GiB and more have none.
  package func find(in text: Span<UInt8>, from start: Int = 0, into match: inout PatternMatch) -> Bool {
    guard start >= 0, start <= text.count, text.count < UInt32.max else { return false }
    guard let automaton else { return pattern.find(in: text, from: start, into: &match) }
    match.makeRoom(groups: boundCount / 2, registers: automaton.registerCount)
    var registers = match.places.mutableSpan
    return automaton.run(text, from: start, registers: &registers)
  }
}
