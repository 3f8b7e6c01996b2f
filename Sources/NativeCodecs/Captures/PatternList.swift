/// Patterns of which any may match.
///
/// As many as an automaton takes together are looked for in one pass.
@safe package final class PatternList: @unchecked Sendable {
  package let isEmpty: Bool
  /// Held by themselves: an array would retain each for a match, and threads that do so at once wait for each other longer
  /// than they match.
  private let automata: UnsafeBufferPointer<Unmanaged<CaptureAutomaton>>
  /// Those that RE2 matches.
  private let others: [CapturePattern]

  package init(_ patterns: [Pattern]) {
    isEmpty = patterns.isEmpty
    var tables: [CaptureTables] = []
    var others: [CapturePattern] = []
    Self.join(patterns[...], &tables, &others)
    self.others = others
    let room = UnsafeMutableBufferPointer<Unmanaged<CaptureAutomaton>>.allocate(capacity: tables.count)
    _ = unsafe room.initialize(from: tables.map { unsafe Unmanaged.passRetained(CaptureAutomaton($0)) })
    unsafe automata = UnsafeBufferPointer(room)
  }

  deinit {
    for position in unsafe 0..<automata.count { unsafe automata[position].release() }
    unsafe automata.deallocate()
  }

  /// Makes one automaton of all patterns, or else of each half of them.
  private static func join(
    _ patterns: ArraySlice<Pattern>, _ tables: inout [CaptureTables], _ others: inout [CapturePattern]
  ) {
    guard let first = patterns.first else { return }
    if patterns.count == 1 {
      if let made = try? CaptureTables(first, asking: .existence, foundGroups: 0) {
        tables.append(made)
      } else {
        others.append(CapturePattern(first, asking: .existence))
      }
    } else if let made = CaptureTables(any: patterns) {
      tables.append(made)
    } else {
      let middle = patterns.startIndex + patterns.count / 2
      join(patterns[..<middle], &tables, &others)
      join(patterns[middle...], &tables, &others)
    }
  }

  package func matches(_ text: Span<UInt8>) -> Bool {
    for position in unsafe 0..<automata.count {
      if unsafe automata[position]._withUnsafeGuaranteedRef({ $0.matches(text) }) { return true }
    }
    return others.isEmpty ? false : othersMatch(text)
  }

  private func othersMatch(_ text: Span<UInt8>) -> Bool { others.contains { $0.matches(text) } }
}

extension CaptureTables {
  /// What asks whether any of several patterns matches; nil where they are better left apart.
  fileprivate init?(any patterns: ArraySlice<Pattern>) {
    guard patterns.allSatisfy(\.isPlain),
      let joined = try? Pattern(patterns.map { "(?:\($0.text))" }.joined(separator: "|")),
      let tables = try? CaptureTables(joined, asking: .existence, foundGroups: 0)
    else { return nil }
    self = tables
  }
}

extension Pattern {
  /// Whether its text says all about it.
  fileprivate var isPlain: Bool { anchoring == .anywhere && options == Options() }
}
