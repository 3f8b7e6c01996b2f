/// A pattern of RE2's syntax as a tree.
indirect enum PatternTree: Sendable {
  case empty
  /// One scalar of a set.
  case scalar(ScalarSet)
  case sequence([PatternTree])
  /// The first that leads to a match is taken.
  case alternatives([PatternTree])
  /// `most` is nil without a limit.
  case repeated(PatternTree, least: Int, most: Int?, isGreedy: Bool)
  /// A group by its number from 1.
  case group(PatternTree, Int)
  case assertion(PatternAssertion)

  /// Whether it matches nothing at all, in some texts at least.
  var isNullable: Bool {
    switch self {
    case .empty, .assertion: true
    case .scalar: false
    case .sequence(let parts): parts.allSatisfy(\.isNullable)
    case .alternatives(let parts): parts.contains(where: \.isNullable)
    case .repeated(let body, let least, _, _): least == 0 || body.isNullable
    case .group(let body, _): body.isNullable
    }
  }
}

/// What must hold at a place between two bytes.
enum PatternAssertion: Sendable {
  case textStart, textEnd, lineStart, lineEnd
  /// One of the neighbours is a letter, a digit or `_`, the other is not.
  case wordBoundary, noWordBoundary
}

/// Why a pattern, which is right, stays with RE2.
enum NotTaken: Error {
  /// A part of the syntax that has no counterpart here.
  case syntax
  /// A repetition of something that can be empty: what its groups hold then, RE2 decides.
  case emptyRepetition
  /// It needs more states than are worth it.
  case tooLarge
}
