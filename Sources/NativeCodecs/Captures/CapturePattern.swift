/// A pattern that is matched often, for the places of its groups: the way from a line of a log to its fields.
///
/// RE2 judges what is a pattern and what it means. Where it can, the pattern then runs on an automaton of our own, which
/// finds all groups in one pass over the text at a fraction of what RE2 needs; a test asserts that both find the same.
/// What the automaton does not take, RE2 matches. See the decision record 13.
///
/// Compiled once and then safe to share.
package final class CapturePattern: Sendable {
  /// What is asked of a match; less is found faster.
  package enum Question: Sendable {
    case groups
    /// Only where the match as a whole lies, as group 0.
    case extent
    /// Only whether there is one.
    case existence
  }

  /// RE2's idea of it.
  package let pattern: Pattern
  /// Without states where RE2 does the matching. Not optional, since reading it would retain it for every match.
  private let automaton: CaptureAutomaton
  /// Groups that are found, the whole match among them.
  private let foundGroups: Int

  package var text: String { pattern.text }
  /// How many groups there are, the whole match not counted.
  package var groupCount: Int { pattern.groupCount }
  /// The names of the groups, by number from 0, the whole match; empty for those without one.
  package var groupNames: [String] { pattern.groupNames }
  /// Whether RE2 does the matching.
  package let usesRE2: Bool

  package init(_ pattern: Pattern, asking question: Question = .groups) {
    self.pattern = pattern
    foundGroups =
      switch question {
      case .groups: pattern.groupCount + 1
      case .extent: 1
      case .existence: 0
      }
    let tables = try? CaptureTables(pattern, asking: question, foundGroups: foundGroups)
    usesRE2 = tables == nil
    automaton = CaptureAutomaton(tables ?? CaptureTables())
  }

  package convenience init(
    _ text: String, anchoring: Pattern.Anchoring = .anywhere, asking question: Question = .groups
  ) throws(PatternError) {
    self.init(try Pattern(text, anchoring: anchoring), asking: question)
  }

  /// Looks for the first match from `start` on, and where its groups lie.
  ///
  /// - Returns: whether there is one; `match` means something only then. Texts of 4 GiB and more have none.
  package func find(in text: Span<UInt8>, from start: Int = 0, into match: inout PatternMatch) -> Bool {
    guard start >= 0, start <= text.count, text.count < UInt32.max else { return false }
    if usesRE2 { return pattern.find(in: text, from: start, groups: foundGroups, into: &match) }
    match.makeRoom(groups: foundGroups, registers: automaton.registerCount)
    var registers = match.places.mutableSpan
    return automaton.run(text, from: start, registers: &registers)
  }
}

extension CapturePattern {
  /// Whether a text has a match; fastest where only ``Question/existence`` was asked.
  package func matches(_ text: Span<UInt8>) -> Bool {
    if !usesRE2, foundGroups == 0 { return automaton.matches(text) }
    if usesRE2 || text.count >= UInt32.max { return pattern.matches(text) }
    return automaton.firstMatch(in: text, from: 0) != nil
  }

  /// The range of the first match from `start` on, in bytes; nil when there is none.
  ///
  /// - Important: Not for patterns that were only asked for ``Question/existence``: theirs is empty.
  package func firstMatch(in text: Span<UInt8>, from start: Int = 0) -> Range<Int>? {
    if usesRE2 || text.count >= UInt32.max { return pattern.firstMatch(in: text, from: start) }
    guard start >= 0, start <= text.count else { return nil }
    return automaton.firstMatch(in: text, from: start)
  }
}

extension CaptureAutomaton {
  /// The extent of the first match, in registers on the stack.
  fileprivate func firstMatch(in text: Span<UInt8>, from start: Int) -> Range<Int>? {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(2, registerCount)) { places in
      unsafe places.initialize(repeating: 0)
      var registers = unsafe places.mutableSpan
      guard run(text, from: start, registers: &registers) else { return nil }
      return Int(registers[0])..<Int(registers[1])
    }
  }
}

extension CaptureTables {
  /// - Throws: when the pattern is better left to RE2.
  init(
    _ pattern: Pattern, asking question: CapturePattern.Question, foundGroups: Int
  ) throws(NotTaken) {
    var parser = PatternParser(pattern.text, pattern.options)
    let tree = try parser.parse()
    guard parser.groupCount == pattern.groupCount else { throw .syntax }
    let steps = try PatternSteps(tree, anchoring: pattern.anchoring, asking: question)
    self = try AutomatonBuilder.tables(of: steps, markCount: 2 * foundGroups)
  }
}
