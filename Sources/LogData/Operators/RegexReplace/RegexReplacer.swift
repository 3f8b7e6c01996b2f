internal import NativeCodecs
internal import WireFormat

/// Replaces what a regular expression matches in a text, wherever it does.
struct RegexReplacer {
  private let pattern: CapturePattern
  private let replacement: [PatternTemplate.Piece]
  /// Here to keep the memory.
  private var match = PatternMatch()

  init(_ pattern: Pattern, with template: PatternTemplate) {
    replacement = template.pieces(for: pattern)
    let needsGroups = replacement.contains { piece in
      if case .groups(let groups) = piece { groups != [0] } else { false }
    }
    self.pattern = CapturePattern(pattern, asking: needsGroups ? .groups : .extent)
  }

  /// The text after all replacements, in the entry's arena; the same range when nothing matches.
  mutating func replace(_ text: WireRange, of entry: inout LogEntry) -> WireRange {
    let start = text.lowerBound
    var result: Int?
    var (position, copied, lastEnd) = (0, 0, -1)
    while position <= text.count, pattern.find(in: entry.text(text), from: position, into: &match),
      let whole = match[0]
    {
      // An empty match right behind the last one is not a match of its own.
      if !(whole.isEmpty && whole.lowerBound == lastEnd) {
        result = result ?? entry.arena.count
        entry.repeatArena(from: start + copied, to: start + whole.lowerBound)
        addReplacement(from: start, to: &entry)
        (copied, lastEnd) = (whole.upperBound, whole.upperBound)
      }
      position = whole.upperBound
      if whole.isEmpty {
        position += 1
        while position < text.count, entry.arena[start + position] & 0xC0 == 0x80 { position += 1 }
      }
    }
    guard let result else { return text }
    entry.repeatArena(from: start + copied, to: text.upperBound)
    return WireRange(result, entry.arena.count)
  }

  private func addReplacement(from start: Int, to entry: inout LogEntry) {
    for piece in replacement {
      switch piece {
      case .text(let bytes): _ = entry.add(bytes.span)
      case .groups(let groups):
        for group in groups {
          guard let place = match[group] else { continue }
          entry.repeatArena(from: start + place.lowerBound, to: start + place.upperBound)
          break
        }
      }
    }
  }
}
