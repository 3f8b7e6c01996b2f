/// Which texts and numbers stand for which severity. What is added first counts.
struct SeverityTable: Sendable {
  private struct Entry: Sendable {
    /// In lower case.
    let text: [UInt8]
    let severity: Int32
  }

  private var entries: [Entry] = []
  private var ranges: [(range: ClosedRange<Int64>, severity: Int32)] = []
  /// Positions of entries by the hash of their text; -1 where there is none. At most half full.
  private var slots = [Int16](repeating: -1, count: 16)

  mutating func add(_ match: SeverityMatches.Match, _ severity: Int32) {
    switch match {
    case .range(let range): ranges.append((range, severity))
    case .text(let text):
      let bytes = Array(text.utf8)
      guard entries.count < 16_000, find(bytes.span) == nil else { return }
      // A number may be in a range that was told before.
      if let number = bytes.span.decimal, let range = ranges.first(where: { $0.range.contains(number) }) {
        entries.append(Entry(text: bytes, severity: range.severity))
      } else {
        entries.append(Entry(text: bytes, severity: severity))
      }
      if entries.count * 2 > slots.count {
        slots = [Int16](repeating: -1, count: slots.count * 2)
        for position in entries.indices {
          let text = entries[position].text
          let free = slot(of: text.span)
          slots[free] = Int16(position)
        }
      } else {
        let free = slot(of: bytes.span)
        slots[free] = Int16(entries.count - 1)
      }
    }
  }

  /// The severity of a text, in any case; nil when it stands for none.
  func severity(of text: Span<UInt8>) -> Int32? {
    if let severity = find(text) { return severity }
    guard !ranges.isEmpty, let number = text.decimal else { return nil }
    return ranges.first { $0.range.contains(number) }?.severity
  }

  private func find(_ text: Span<UInt8>) -> Int32? {
    let position = slots[slot(of: text)]
    return position < 0 ? nil : entries[Int(position)].severity
  }

  /// Where a text is, or would be.
  private func slot(of text: Span<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in text.indices { hash = (hash ^ UInt64(text[index].lowered)) &* 0x100_0000_01B3 }
    var slot = Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
    while slots[slot] >= 0, !isSame(entries[Int(slots[slot])].text, text) {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func isSame(_ lower: [UInt8], _ text: Span<UInt8>) -> Bool {
    guard lower.count == text.count else { return false }
    for index in text.indices where lower[index] != text[index].lowered { return false }
    return true
  }
}

extension UInt8 {
  /// The letter in lower case.
  fileprivate var lowered: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}

extension Span<UInt8> {
  /// The whole number that the text is, written the shortest way; nil otherwise.
  fileprivate var decimal: Int64? {
    let isNegative = count > 1 && self[0] == 0x2D
    let start = isNegative ? 1 : 0
    guard count > start, count - start <= 18, self[start] != 0x30 || count == 1 else { return nil }
    var value: Int64 = 0
    for index in start..<count {
      let digit = self[index] &- 0x30
      if digit > 9 { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return isNegative ? -value : value
  }
}
