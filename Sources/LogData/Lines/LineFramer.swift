/// Cuts one stream into records, from a buffer that its reader owns.
///
/// Lines are ranges of the buffer: nothing is copied. Incomplete rests stay with the reader, which either keeps them at
/// the start of its buffer or, for a file, forgets them and reads again from ``offset``. So an idle file costs this
/// structure and no buffer.
///
/// ```swift
/// var cursor = 0
/// while let line = framer.next(in: buffer.span, at: &cursor, .idle(now: now)) { … }
/// // Bytes before `cursor` are done with; those behind it are wanted again, with more behind them.
/// ```
///
/// However the bytes of a stream are divided into buffers, the records are the same.
package struct LineFramer: Sendable {
  /// What is known about the bytes behind the buffer.
  package enum Input: Sendable, Equatable {
    /// There are more, to be had at once.
    case flowing
    /// There are no more at present. `now` is monotonic, in nanoseconds: an incomplete record that has not grown for
    /// ``LineFraming/flushPeriod`` is taken as it is.
    case idle(now: UInt64)
    /// There will be no more: what is left is a record.
    case ended
  }

  package let framing: LineFraming
  /// Bytes from the start of the stream to the first that is not done with.
  package private(set) var offset: UInt64
  /// Whether the rest of a truncated record is being passed over.
  package internal(set) var isSkipping: Bool
  /// How many bytes of the rest are known to hold no line feed.
  private var searched = 0
  /// How long the rest was when it was last seen to grow, and when that was.
  private var restCount = 0
  private var restSince: UInt64 = 0

  /// - Parameters:
  ///   - offset: where in the stream the first buffer begins: 0, or the end of a record.
  ///   - isSkipping: whether that record was truncated.
  package init(_ framing: LineFraming, offset: UInt64 = 0, isSkipping: Bool = false) {
    self.framing = framing
    self.offset = offset
    self.isSkipping = isSkipping
  }

  /// When an incomplete record is to be looked at again if nothing is added to it, on the clock of
  /// ``Input/idle(now:)``; nil when there is none.
  package var flushDeadline: UInt64? {
    guard restCount > 0, framing.flushPeriod > 0 else { return nil }
    return restSince &+ framing.flushPeriod
  }

  /// The next record at `cursor`, which moves behind it; nil when there is none without more bytes.
  ///
  /// - Parameters:
  ///   - buffer: bytes of the stream; the one at `cursor` has the stream's ``offset``.
  ///   - cursor: at the first byte not done with. It may move even when there is no record.
  package mutating func next(in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input) -> FramedLine? {
    if framing.areByteLines, offset != 0, !isSkipping {
      return nextByteLine(in: buffer, at: &cursor, input)
    }
    return nextSlowly(in: buffer, at: &cursor, input)
  }

  private mutating func nextSlowly(
    in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input
  ) -> FramedLine? {
    if framing.encoding == .bytes { return nextPiece(in: buffer, at: &cursor, input) }
    if offset == 0, skipMark(in: buffer, at: &cursor, input) { return nil }
    if framing.hasPattern { return nextMatched(in: buffer, at: &cursor, input) }
    if isSkipping { skip(in: buffer, at: &cursor, input) }
    if isSkipping { return nil }
    return nextLine(in: buffer, at: &cursor, input)
  }

  private mutating func nextLine(
    in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input
  ) -> FramedLine? {
    let start = cursor
    let width = framing.units.width
    let rest = buffer.count - start
    // A carriage return may stand before the line feed. Looking no further keeps many cuts of one long line cheap.
    let window = start + min(rest, framing.limit + 2 * width)
    guard let feed = framing.units.firstLineFeed(in: buffer, start: start, from: start + searched, to: window)
    else { return nextWithoutFeed(in: buffer, at: &cursor, input) }
    let content = contentLength(of: buffer, from: start, to: feed)
    if content > framing.limit { return cut(in: buffer, at: &cursor) }
    return take(in: buffer, at: &cursor, text: start..<(start + content), end: feed + width)
  }

  /// The same as ``nextLine(in:at:_:)`` for lines whose ends are ASCII, and as fast as it can be.
  private mutating func nextByteLine(
    in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input
  ) -> FramedLine? {
    let start = cursor
    let window = start + min(buffer.count - start, framing.limit + 2)
    guard let feed = buffer.firstOffset(of: 0x0A, from: start + searched, to: window) else {
      return nextWithoutFeed(in: buffer, at: &cursor, input)
    }
    var (low, high) = (start, feed)
    if high > low, buffer[high &- 1] == 0x0D { high &-= 1 }
    if high &- low > framing.limit { return cut(in: buffer, at: &cursor) }
    // Hardly a line has anything to trim.
    if low < high, buffer[low] <= 0x20 || buffer[high &- 1] <= 0x20 {
      let range = trimmed(buffer, low..<high)
      (low, high) = (range.lowerBound, range.upperBound)
    }
    let position = offset
    offset = position &+ UInt64(truncatingIfNeeded: feed &+ 1 &- start)
    cursor = feed &+ 1
    searched = 0
    restCount = 0
    return FramedLine(text: low..<high, start: position, end: offset)
  }

  /// What there is when no line feed is.
  private mutating func nextWithoutFeed(
    in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input
  ) -> FramedLine? {
    let rest = buffer.count - cursor
    let whole = rest - rest % framing.units.width
    if contentLength(of: buffer, from: cursor, to: cursor + whole) > framing.limit {
      return cut(in: buffer, at: &cursor)
    }
    return takeRest(in: buffer, at: &cursor, whole: whole, input)
  }

  /// The bytes up to a line feed, without the carriage return before it.
  @inline(__always)
  private func contentLength(of buffer: Span<UInt8>, from start: Int, to end: Int) -> Int {
    let width = framing.units.width
    guard end - start >= width,
      framing.units.unit(buffer, at: end - width) == framing.units.carriageReturn
    else { return end - start }
    return end - start - width
  }

  /// An incomplete record, when the time for it has come.
  ///
  /// - Parameters:
  ///   - whole: bytes of the rest that are whole units.
  ///   - lead: bytes at its start that are not its text.
  mutating func takeRest(
    in buffer: Span<UInt8>, at cursor: inout Int, whole: Int, lead: Int = 0, _ input: Input
  ) -> FramedLine? {
    let rest = buffer.count - cursor
    searched = whole
    switch input {
    case .flowing: break
    case .ended:
      if whole > framing.limit, framing.hasPattern { return cut(in: buffer, at: &cursor, lead: lead) }
      if rest > 0 {
        return take(in: buffer, at: &cursor, text: (cursor + lead)..<buffer.count, end: buffer.count)
      }
    case .idle(let now):
      if whole == 0 {
        restCount = 0
      } else if whole != restCount {
        restCount = whole
        restSince = now
      } else if framing.flushPeriod > 0, now >= restSince, now - restSince >= framing.flushPeriod {
        if whole > framing.limit, framing.hasPattern { return cut(in: buffer, at: &cursor, lead: lead) }
        let end = cursor + whole
        return take(in: buffer, at: &cursor, text: (cursor + lead)..<end, end: end)
      }
    }
    return nil
  }

  @inline(__always)
  mutating func take(
    in buffer: Span<UInt8>, at cursor: inout Int, text: Range<Int>, end: Int, isTruncated: Bool = false
  ) -> FramedLine {
    let start = offset
    offset &+= UInt64(end - cursor)
    cursor = end
    searched = 0
    restCount = 0
    isSkipping = isTruncated
    return FramedLine(
      text: trimmed(buffer, text), start: start, end: offset, isTruncated: isTruncated)
  }

  /// The first bytes of a record that is too long.
  ///
  /// - Parameter lead: bytes at its start that are not its text.
  mutating func cut(in buffer: Span<UInt8>, at cursor: inout Int, lead: Int = 0) -> FramedLine {
    let searched = searched
    let end = framing.encoding.cut(in: buffer, from: cursor, to: cursor + framing.limit)
    let length = end - cursor
    let line = take(
      in: buffer, at: &cursor, text: (cursor + min(lead, length))..<end, end: end,
      isTruncated: framing.oversize == .truncate)
    self.searched = max(0, searched - length)
    return line
  }

  /// Passes over the rest of a truncated line.
  private mutating func skip(in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input) {
    let width = framing.units.width
    let end: Int
    if let feed = framing.units.firstLineFeed(in: buffer, start: cursor, from: cursor, to: buffer.count) {
      end = feed + width
      isSkipping = false
    } else if input == .ended {
      end = buffer.count
    } else {
      end = buffer.count - (buffer.count - cursor) % width
    }
    pass(end - cursor, at: &cursor)
  }

  /// Goes on behind bytes that are no record.
  mutating func pass(_ count: Int, at cursor: inout Int) {
    offset &+= UInt64(count)
    cursor += count
    searched = 0
    restCount = 0
  }

  /// Passes over a byte order mark at the start of the stream.
  ///
  /// - Returns: whether more bytes are needed to tell.
  private mutating func skipMark(in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input) -> Bool {
    let mark = framing.encoding.byteOrderMark
    let count = min(mark.count, buffer.count - cursor)
    guard count > 0 else { return false }
    for index in 0..<count where buffer[cursor + index] != mark[index] { return false }
    if count < mark.count { return input != .ended }
    pass(count, at: &cursor)
    return false
  }

  /// As much as there is, up to the limit: of bytes that are no text.
  private mutating func nextPiece(
    in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input
  ) -> FramedLine? {
    let rest = buffer.count - cursor
    guard rest > 0, rest >= framing.limit || input != .flowing else { return nil }
    let end = cursor + min(rest, framing.limit)
    return take(in: buffer, at: &cursor, text: cursor..<end, end: end)
  }

  private func trimmed(_ buffer: Span<UInt8>, _ text: Range<Int>) -> Range<Int> {
    let units = framing.units
    var (low, high) = (text.lowerBound, text.upperBound)
    if framing.trimsTrailing {
      while high - low >= units.width, units.isWhitespace(units.unit(buffer, at: high - units.width)) {
        high -= units.width
      }
    }
    if framing.trimsLeading {
      while high - low >= units.width, units.isWhitespace(units.unit(buffer, at: low)) { low += units.width }
    }
    return low..<high
  }
}
