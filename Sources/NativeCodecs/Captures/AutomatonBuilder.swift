/// Makes the table of a pattern's steps.
struct AutomatonBuilder {
  /// One of the ways in a state.
  private struct Thread {
    /// The step it goes on with at the next byte.
    var step: Int
    /// For each mark the thread of the state whose register holds it, -1 when it is not set.
    var holders: [Int32]
  }

  private struct State {
    var before: PlaceBefore
    var threads: [Thread]
  }

  /// Where a look at the next byte leads.
  private struct Outcome {
    /// The steps to go on with, the thread each comes from, and the marks set on the way.
    var threads: [(step: Int, from: Int, marks: UInt64)] = []
    var match: (from: Int, marks: UInt64)?
  }

  private static let mostStates = 2048
  private static let mostEntries = 1 << 16
  private static let mostWork = 250_000
  private static let mostRegisters = 2048
  /// For the moment, the register that breaks circles of moves.
  private static let spare: UInt16 = 0xFFF0

  private let steps: PatternSteps
  private let markCount: Int
  private var result = CaptureTables()
  private var states: [State] = []
  private var numbers: [[Int32]: Int] = [:]
  private var actionNumbers: [CaptureTables.Action: Int] = [CaptureTables.Action(): 0]
  private var matchPlaces: [[UInt16]: Int32] = [:]
  private var movePlaces: [[UInt32]: Range<Int32>] = [:]
  private var work = 0
  /// Steps that this look has met already, and those that a thread goes on with.
  private var seen: [Int]
  private var targets: [Int]
  private var look = 0
  private var asksForLines = false
  private var asksForWords = false
  private var asksForStart = false

  /// - Parameter markCount: two for each group that is found.
  static func tables(of steps: PatternSteps, markCount: Int) throws(NotTaken) -> CaptureTables {
    guard markCount <= UInt64.bitWidth else { throw .tooLarge }
    var builder = Self(steps, markCount: markCount)
    try builder.build()
    return builder.result
  }

  private init(_ steps: PatternSteps, markCount: Int) {
    self.steps = steps
    self.markCount = markCount
    seen = Array(repeating: 0, count: steps.steps.count)
    targets = seen
    for case .assertion(let assertion, _) in steps.steps {
      switch assertion {
      case .textStart: asksForStart = true
      case .lineStart, .lineEnd: asksForLines = true
      case .wordBoundary, .noWordBoundary: asksForWords = true
      case .textEnd: break
      }
    }
  }

  private mutating func build() throws(NotTaken) {
    result.markCount = markCount
    result.actions = [CaptureTables.Action()]
    let examples = makeClasses()
    // State 0: no way is left.
    states = [State(before: .other, threads: [])]
    let nothing = [Int32](repeating: -1, count: markCount)
    for before in PlaceBefore.allCases {
      let state = State(before: asked(before), threads: [Thread(step: steps.start, holders: nothing)])
      result.starts.append(UInt16(try number(of: state)))
    }
    var done = 0
    while done < states.count {
      try fill(done, examples)
      done += 1
    }
    result.registerCount = ((states.map(\.threads.count).max() ?? 0) + 1) * markCount + 1
    guard result.registerCount < Self.mostRegisters else { throw .tooLarge }
    for index in result.moves.indices {
      let spare = UInt32(result.registerCount - 1)
      if result.moves[index] >> 16 == UInt32(Self.spare) {
        result.moves[index] = spare << 16 | result.moves[index] & 0xFFFF
      }
      if result.moves[index] & 0xFFFF == UInt32(Self.spare) {
        result.moves[index] = result.moves[index] & ~0xFFFF | spare
      }
    }
    if markCount > 0 { dropPassingMatches() }
    findLoops()
  }

  /// Bytes that no step tells apart are one class; returns one of each.
  private mutating func makeClasses() -> [UInt8] {
    var sets = steps.sets
    if asksForLines { sets.append(.lineEnd) }
    if asksForWords { sets.append(.words) }
    var kinds = [Int](repeating: 0, count: 256)
    var count = 1
    for set in sets {
      // By kind: what those in the set and those outside are called from here on. The first side keeps the number.
      var inside = [Int](repeating: -1, count: 256)
      var outside = inside
      for byte in 0..<256 {
        let kind = kinds[byte]
        let isIn = set.contains(UInt8(byte))
        if (isIn ? inside[kind] : outside[kind]) < 0 {
          let isFirst = (isIn ? outside[kind] : inside[kind]) < 0
          let number = isFirst ? kind : count
          if !isFirst { count += 1 }
          if isIn { inside[kind] = number } else { outside[kind] = number }
        }
        kinds[byte] = isIn ? inside[kind] : outside[kind]
      }
    }
    result.classes = kinds.map { UInt8(truncatingIfNeeded: $0) }
    result.classCount = count
    return (0..<count).map { kind in UInt8(truncatingIfNeeded: kinds.firstIndex(of: kind) ?? 0) }
  }

  /// What the pattern's assertions can tell.
  private func asked(_ before: PlaceBefore) -> PlaceBefore {
    switch before {
    case .other: .other
    case .textStart: asksForStart || asksForLines ? .textStart : .other
    case .lineEnd: asksForLines ? .lineEnd : .other
    case .word: asksForWords ? .word : .other
    }
  }

  private mutating func number(of found: State) throws(NotTaken) -> Int {
    var state = found
    // Where nothing but the match is asked for, no way is preferred to another.
    if markCount == 0 { state.threads.sort { $0.step < $1.step } }
    var key = [Int32(state.before.rawValue)]
    for thread in state.threads {
      key.append(Int32(thread.step))
      key += thread.holders
    }
    work += key.count / 4
    if let known = numbers[key] { return known }
    guard states.count < Self.mostStates, states.count * result.classCount < Self.mostEntries else {
      throw .tooLarge
    }
    states.append(state)
    numbers[key] = states.count - 1
    return states.count - 1
  }

  private mutating func fill(_ number: Int, _ examples: [UInt8]) throws(NotTaken) {
    let state = states[number]
    for example in examples {
      let outcome = try outcome(of: state, at: example)
      guard !outcome.threads.isEmpty else {
        result.table.append(UInt32(try action(outcome, of: state, moves: [])) << 16)
        continue
      }
      let (next, moves) = next(outcome, from: state, before: asked(PlaceBefore(example)))
      let target = try self.number(of: next)
      result.table.append(UInt32(try action(outcome, of: state, moves: moves)) << 16 | UInt32(target))
    }
    let end = try outcome(of: state, at: nil)
    result.ends.append(UInt16(try action(end, of: state, moves: [])))
  }

  /// Follows the threads of a state in order of preference, up to the first match.
  private mutating func outcome(of state: State, at byte: UInt8?) throws(NotTaken) -> Outcome {
    look += 1
    var outcome = Outcome()
    var waiting: [(step: Int, marks: UInt64)] = []
    for (from, thread) in state.threads.enumerated() {
      waiting.append((thread.step, 0))
      while let (step, marks) = waiting.popLast() {
        guard seen[step] != look else { continue }
        seen[step] = look
        work += 1
        guard work < Self.mostWork else { throw .tooLarge }
        switch steps.steps[step] {
        case .byte(let set, let next):
          guard let byte, steps.sets[set].contains(byte), targets[next] != look else { continue }
          targets[next] = look
          outcome.threads.append((next, from, marks))
        case .choice(let first, let second):
          waiting.append((second, marks))
          waiting.append((first, marks))
        case .mark(let mark, let next): waiting.append((next, marks | 1 << UInt64(mark)))
        case .assertion(let assertion, let next):
          if assertion.holds(before: state.before, after: byte) { waiting.append((next, marks)) }
        case .match:
          outcome.match = (from, marks)
          return outcome
        }
      }
    }
    return outcome
  }

  /// The state that the threads of an outcome make, and the moves of registers on the way there.
  ///
  /// A value keeps to the register of the first thread that has it.
  private func next(
    _ outcome: Outcome, from state: State, before: PlaceBefore
  ) -> (State, [UInt32]) {
    var threads: [Thread] = []
    var copies: [(to: UInt16, from: UInt16)] = []
    var marked: [UInt16] = []
    // By mark and old thread (or the place here), the new thread that holds it.
    let width = state.threads.count + 1
    var known = [Int32](repeating: -1, count: markCount * width)
    for (position, thread) in outcome.threads.enumerated() {
      var holders = [Int32](repeating: -1, count: markCount)
      for mark in 0..<markCount {
        let isHere = thread.marks >> UInt64(mark) & 1 != 0
        let old = isHere ? Int32(width - 1) : state.threads[thread.from].holders[mark]
        guard old >= 0 else { continue }
        let place = mark * width + Int(old)
        if known[place] < 0 {
          known[place] = Int32(position)
          let register = register(of: position, mark)
          if isHere {
            marked.append(register)
          } else if Int(old) != position {
            copies.append((register, self.register(of: Int(old), mark)))
          }
        }
        holders[mark] = known[place]
      }
      threads.append(Thread(step: thread.step, holders: holders))
    }
    let moves = Self.inOrder(copies) + marked.map { UInt32($0) << 16 | UInt32(CaptureTables.here) }
    return (State(before: before, threads: threads), moves)
  }

  /// A row of registers for each thread, behind that of the match's result.
  private func register(of thread: Int, _ mark: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: (thread + 1) * markCount + mark)
  }

  /// Copies that are meant at once, one after the other: none overwrites what another still needs.
  private static func inOrder(_ copies: [(to: UInt16, from: UInt16)]) -> [UInt32] {
    var waiting = copies
    var moves: [UInt32] = []
    while !waiting.isEmpty {
      if let free = waiting.firstIndex(where: { copy in !waiting.contains { $0.from == copy.to } }) {
        let copy = waiting.remove(at: free)
        moves.append(UInt32(copy.to) << 16 | UInt32(copy.from))
      } else {
        // A circle: one of its values waits in the spare register.
        let held = waiting[0].to
        moves.append(UInt32(spare) << 16 | UInt32(held))
        for index in waiting.indices where waiting[index].from == held { waiting[index].from = spare }
      }
    }
    return moves
  }

  private mutating func action(
    _ outcome: Outcome, of state: State, moves: [UInt32]
  ) throws(NotTaken) -> Int {
    var action = CaptureTables.Action()
    if let match = outcome.match {
      let registers = (0..<markCount).map { mark in
        if match.marks >> UInt64(mark) & 1 != 0 { return CaptureTables.here }
        let holder = state.threads[match.from].holders[mark]
        return holder < 0 ? CaptureTables.nowhere : register(of: Int(holder), mark)
      }
      if let known = matchPlaces[registers] {
        action.match = known
      } else {
        action.match = Int32(result.matches.count)
        matchPlaces[registers] = action.match
        result.matches += registers
      }
    }
    if !moves.isEmpty {
      if let known = movePlaces[moves] {
        (action.firstMove, action.endOfMoves) = (known.lowerBound, known.upperBound)
      } else {
        action.firstMove = Int32(result.moves.count)
        action.endOfMoves = Int32(result.moves.count + moves.count)
        movePlaces[moves] = action.firstMove..<action.endOfMoves
        result.moves += moves
      }
    }
    if let known = actionNumbers[action] { return known }
    guard result.actions.count < 0xFFFF else { throw .tooLarge }
    result.actions.append(action)
    actionNumbers[action] = result.actions.count - 1
    return result.actions.count - 1
  }

  /// Takes the matches away that the next step overwrites in any case.
  private mutating func dropPassingMatches() {
    let count = result.classCount
    let matchesAlways = states.indices.map { state in
      result.actions[Int(result.ends[state])].match >= 0
        && (0..<count).allSatisfy { kind in
          result.actions[Int(result.table[state * count + kind] >> 16)].match >= 0
        }
    }
    for index in result.table.indices {
      let (entry, target) = (result.table[index], Int(result.table[index] & 0xFFFF))
      var action = result.actions[Int(entry >> 16)]
      guard action.match >= 0, matchesAlways[target] else { continue }
      action.match = -1
      let known = actionNumbers[action] ?? result.actions.count
      if known == result.actions.count {
        guard known < 0xFFFF else { continue }
        result.actions.append(action)
        actionNumbers[action] = known
      }
      result.table[index] = UInt32(known) << 16 | UInt32(target)
    }
  }

  private mutating func findLoops() {
    let count = result.classCount
    for state in states.indices {
      var bytes = ByteSet()
      if state > 0 {
        for byte in UInt8.min...UInt8.max
        where result.table[state * count + Int(result.classes[Int(byte)])] == UInt32(state) {
          bytes.insert(byte)
        }
      }
      result.loops.append(CaptureLoop(bytes))
    }
    for index in result.table.indices where result.loops[Int(result.table[index] & 0xFFFF)].way != .none {
      result.table[index] |= CaptureTables.loopBit
    }
  }
}
