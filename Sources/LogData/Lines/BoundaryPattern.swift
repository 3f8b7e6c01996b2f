package import NativeCodecs

/// A pattern that is looked for where records begin or end.
package struct BoundaryPattern: Sendable {
  package let pattern: CapturePattern
  /// The same, at one place only; for a pattern that matches at the starts of lines and nowhere else.
  private let atLineStarts: CapturePattern?

  /// - Parameter pattern: compiled with `matchesLines`.
  package init(_ pattern: Pattern) {
    self.pattern = CapturePattern(pattern, asking: .extent)
    let anchored =
      Self.isAtLineStarts(pattern.text)
      ? try? Pattern(pattern.text, anchoring: .start, matchesLines: true) : nil
    atLineStarts = anchored.map { CapturePattern($0, asking: .extent) }
  }

  /// Whether each match is at the start of a line, as far as the text of the pattern shows it: it begins with `^`, and
  /// neither alternatives nor flags put that aside.
  private static func isAtLineStarts(_ text: String) -> Bool {
    guard text.utf8.first == UInt8(ascii: "^"), !text.contains("(?") else { return false }
    return !text.utf8.contains(UInt8(ascii: "|")) && !"*+?{".utf8.contains(text.utf8.dropFirst().first ?? 0)
  }

  /// The range of the first match from `start` on, in bytes; nil when there is none.
  ///
  /// Most lines that are no start show it by their first byte, so that looking at each costs less than a search.
  func firstMatch(in text: Span<UInt8>, from start: Int = 0) -> Range<Int>? {
    guard let atLineStarts else { return pattern.firstMatch(in: text, from: start) }
    var place = start
    if start > 0, start <= text.count, text[start - 1] != 0x0A {
      guard let feed = text.firstOffset(of: 0x0A, from: start, to: text.count) else { return nil }
      place = feed + 1
    }
    while true {
      if let match = atLineStarts.firstMatch(in: text, from: place) { return match }
      guard let feed = text.firstOffset(of: 0x0A, from: place, to: text.count) else { return nil }
      place = feed + 1
    }
  }
}
