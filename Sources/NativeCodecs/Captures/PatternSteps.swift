/// A pattern as steps that lead from one to the next: bytes to take, choices, marks of where groups begin and end.
///
/// Of two ways at a choice the first is preferred, as in Perl and RE2. There is no way around without taking a byte.
struct PatternSteps: Sendable {
  enum Step: Sendable {
    /// Takes a byte of one of the ``sets``.
    case byte(set: Int, next: Int)
    case choice(Int, Int)
    /// Two for each group: where it begins and where it ends.
    case mark(Int, next: Int)
    case assertion(PatternAssertion, next: Int)
    case match
  }

  private(set) var steps: [Step] = []
  private(set) var sets: [ByteSet] = []
  private(set) var start = 0
  private var positions: [ByteSet: Int] = [:]
  private let keepsGroups: Bool

  /// More than this and the pattern is not taken.
  private static let most = 4000

  /// - Parameters:
  ///   - anchoring: of `anywhere`, the mark 0 says where the match begins, if that is asked.
  init(
    _ tree: PatternTree, anchoring: Pattern.Anchoring, asking question: CapturePattern.Question
  ) throws(NotTaken) {
    keepsGroups = question == .groups
    var next = try add(.match)
    if anchoring == .whole { next = try add(.assertion(.textEnd, next: next)) }
    start = try compile(tree, next)
    if anchoring == .anywhere {
      // (?s:.*?) of bytes in front.
      if question != .existence { start = try add(.mark(0, next: start)) }
      let loop = try add(.match)
      let byte = try add(.byte(set: set(ByteSet(0...255)), next: loop))
      steps[loop] = .choice(start, byte)
      start = loop
    }
  }

  private mutating func add(_ step: Step) throws(NotTaken) -> Int {
    guard steps.count < Self.most else { throw .tooLarge }
    steps.append(step)
    return steps.count - 1
  }

  private mutating func set(_ set: ByteSet) -> Int {
    if let known = positions[set] { return known }
    sets.append(set)
    positions[set] = sets.count - 1
    return sets.count - 1
  }

  /// Adds the steps of a part and returns the first; they are made from the last to the first.
  private mutating func compile(_ tree: PatternTree, _ next: Int) throws(NotTaken) -> Int {
    switch tree {
    case .empty: return next
    case .scalar(let set): return try compile(set, next)
    case .sequence(let parts):
      var first = next
      for part in parts.reversed() { first = try compile(part, first) }
      return first
    case .alternatives(let all):
      var first = try compile(all[all.count - 1], next)
      for alternative in all.dropLast().reversed() {
        first = try add(.choice(compile(alternative, next), first))
      }
      return first
    case .repeated(let body, let least, let most, let isGreedy):
      return try compile(body, least, most, isGreedy, next)
    case .group(let body, let number):
      guard keepsGroups else { return try compile(body, next) }
      let end = try add(.mark(2 * number + 1, next: next))
      return try add(.mark(2 * number, next: compile(body, end)))
    case .assertion(let assertion): return try add(.assertion(assertion, next: next))
    }
  }

  private mutating func compile(
    _ body: PatternTree, _ least: Int, _ most: Int?, _ isGreedy: Bool, _ next: Int
  ) throws(NotTaken) -> Int {
    var first = next
    var copies = least
    if let most {
      for _ in least..<most {
        let way = try compile(body, first)
        first = try add(isGreedy ? .choice(way, next) : .choice(next, way))
      }
    } else {
      let loop = try add(.match)
      let way = try compile(body, loop)
      steps[loop] = isGreedy ? .choice(way, next) : .choice(next, way)
      // The first of x+ is the loop's own body.
      first = least > 0 ? way : loop
      copies -= 1
    }
    while copies > 0 {
      first = try compile(body, first)
      copies -= 1
    }
    return first
  }

  private mutating func compile(_ scalars: ScalarSet, _ next: Int) throws(NotTaken) -> Int {
    // Lead bytes with the same rest share it.
    var leads: [[ClosedRange<UInt8>]: ByteSet] = [:]
    var order: [[ClosedRange<UInt8>]] = []
    for sequence in scalars.byteSequences {
      let rest = Array(sequence.dropFirst())
      if leads[rest] == nil { order.append(rest) }
      leads[rest] = (leads[rest] ?? ByteSet()).union(ByteSet(sequence[0]))
    }
    var tails: [ArraySlice<ClosedRange<UInt8>>: Int] = [:]
    var first: Int?
    for rest in order {
      var way = next
      for start in rest.indices.reversed() {
        let tail = rest[start...]
        if let known = tails[tail] {
          way = known
          continue
        }
        way = try add(.byte(set: set(ByteSet(rest[start])), next: way))
        tails[tail] = way
      }
      way = try add(.byte(set: set(leads[rest] ?? ByteSet()), next: way))
      first = try first.map { other throws(NotTaken) in try add(.choice(way, other)) } ?? way
    }
    // No scalar at all: a byte of none.
    return try first ?? add(.byte(set: set(ByteSet()), next: next))
  }
}
