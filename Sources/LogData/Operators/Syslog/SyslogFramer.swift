/// Cuts a stream into syslog messages (RFC 6587), from a buffer that its reader owns.
///
/// Where messages are counted, those that are not are taken as well: up to the next line feed or zero.
package struct SyslogFramer: Sendable {
  package enum Mode: Sendable, Equatable {
    /// Messages begin with the number of their octets; those of more are cut.
    case octetCounting(most: Int)
    /// Messages end with a byte.
    case trailer(UInt8)
    /// Messages end with a line feed or a zero, whichever comes first: the first is usual, and Python sends the other.
    case lines
  }

  private let mode: Mode
  /// The most bytes of a message that is not counted; what is longer is split.
  private let limit: Int
  /// How many bytes behind the cursor are known to hold no end.
  private var searched = 0
  /// How many bytes of a cut message follow.
  private var skipped = 0

  /// How many bytes a reader must be able to hold: with this many at hand, ``next(in:at:isEnded:)`` always finds
  /// something to take.
  package var longestRest: Int {
    guard case .octetCounting(let most) = mode else { return limit + 1 }
    return max(limit, most + Self.longestCount + 1) + 1
  }

  /// Digits of a count.
  private static let longestCount = 9

  package init(_ mode: Mode, limit: Int) {
    self.mode = mode
    self.limit = max(1, limit)
  }

  /// The next message at `cursor`, which moves behind it; nil when there is none without more bytes.
  ///
  /// A counted message has its count before it, as `syslog_parser` wants it. A message may be empty.
  ///
  /// - Parameter isEnded: whether no more bytes come: what is left is a message.
  package mutating func next(in buffer: Span<UInt8>, at cursor: inout Int, isEnded: Bool) -> Range<Int>? {
    if case .octetCounting(let most) = mode {
      skip(in: buffer, at: &cursor)
      if skipped > 0 || cursor == buffer.count { return nil }
      switch count(in: buffer, at: cursor) {
      case .unknown: if !isEnded { return nil }
      case .none: break
      case .octets(let count, let start): return take(count, start, most, in: buffer, at: &cursor, isEnded)
      }
    }
    return nextLine(in: buffer, at: &cursor, isEnded)
  }

  // Counted messages.

  private enum Count {
    /// There are digits, and not yet what follows them.
    case unknown
    /// This is no count.
    case none
    case octets(Int, start: Int)
  }

  /// Passes over the rest of a cut message, and line ends that some senders put behind counted ones.
  private mutating func skip(in buffer: Span<UInt8>, at cursor: inout Int) {
    let passed = min(skipped, buffer.count - cursor)
    skipped -= passed
    cursor += passed
    if searched > 0 { return }
    while skipped == 0, cursor < buffer.count,
      buffer[cursor] == 0x0A || buffer[cursor] == 0x0D || buffer[cursor] == 0
    {
      cursor += 1
    }
  }

  private func count(in buffer: Span<UInt8>, at cursor: Int) -> Count {
    if searched > 0 { return .none }
    var value = 0
    var place = cursor
    while place < buffer.count, buffer[place].isDigit {
      if place - cursor == Self.longestCount { return .none }
      value = value * 10 + Int(buffer[place] - 0x30)
      place += 1
    }
    if place == buffer.count { return place > cursor ? .unknown : .none }
    return value > 0 && buffer[place] == 0x20 ? .octets(value, start: place + 1) : .none
  }

  private mutating func take(
    _ count: Int, _ start: Int, _ most: Int, in buffer: Span<UInt8>, at cursor: inout Int, _ isEnded: Bool
  ) -> Range<Int>? {
    let taken = min(count, most)
    let present = buffer.count - start
    if present < taken, !isEnded { return nil }
    let end = start + min(taken, present)
    let message = cursor..<end
    cursor = end
    skipped = isEnded && present < taken ? 0 : count - taken
    return message
  }

  // Messages with an end.

  private mutating func nextLine(
    in buffer: Span<UInt8>, at cursor: inout Int, _ isEnded: Bool
  ) -> Range<Int>? {
    let window = min(buffer.count, cursor + limit + 1)
    let from = min(cursor + searched, window)
    var end: Int?
    switch mode {
    case .trailer(let byte): end = buffer.firstOffset(of: byte, from: from, to: window)
    case .lines, .octetCounting:
      let feed = buffer.firstOffset(of: 0x0A, from: from, to: window)
      end = buffer.firstOffset(of: 0, from: from, to: feed ?? window) ?? feed
    }
    if let end { return take(cursor..<end, behind: end + 1, at: &cursor) }
    if window - cursor > limit {
      // Not within a character.
      var cut = cursor + limit
      while cut > cursor + 1, cut > cursor + limit - 3, buffer[cut] & 0xC0 == 0x80 { cut -= 1 }
      return take(cursor..<cut, behind: cut, at: &cursor)
    }
    if isEnded, window > cursor { return take(cursor..<window, behind: window, at: &cursor) }
    searched = window - cursor
    return nil
  }

  private mutating func take(_ message: Range<Int>, behind end: Int, at cursor: inout Int) -> Range<Int> {
    cursor = end
    searched = 0
    return message
  }
}
