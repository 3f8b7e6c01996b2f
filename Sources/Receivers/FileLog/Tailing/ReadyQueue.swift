/// Files in the order in which they are to be read: some by turns, the others behind them.
struct ReadyQueue {
  /// How many take turns.
  let most: Int
  private var turns: [TailedFile] = []
  private var firstTurn = 0
  private var behind: [TailedFile] = []
  private var firstBehind = 0

  init(most: Int) { self.most = most }

  var isEmpty: Bool { firstTurn == turns.count && firstBehind == behind.count }

  /// Adds a file behind all others.
  mutating func append(_ file: TailedFile) {
    if turns.count - firstTurn < most, firstBehind == behind.count {
      turns.append(file)
    } else {
      behind.append(file)
    }
  }

  /// Puts a file back that was taken: behind those that take turns with it, or before them.
  mutating func putBack(_ file: TailedFile, first: Bool) {
    if first, firstTurn > 0 {
      firstTurn -= 1
      turns[firstTurn] = file
    } else {
      turns.append(file)
    }
  }

  mutating func popFirst() -> TailedFile? {
    if turns.count - firstTurn < most, firstBehind < behind.count {
      turns.append(behind[firstBehind])
      firstBehind += 1
      Self.compact(&behind, &firstBehind)
    }
    guard firstTurn < turns.count else { return nil }
    defer {
      firstTurn += 1
      if firstTurn == turns.count || firstTurn >= 4096 {
        // The one that is taken keeps its place, for it may be put back.
        turns.removeFirst(firstTurn - 1)
        firstTurn = 1
      }
    }
    return turns[firstTurn]
  }

  private static func compact(_ files: inout [TailedFile], _ first: inout Int) {
    guard first == files.count || first >= 4096 else { return }
    files.removeFirst(first)
    first = 0
  }
}
