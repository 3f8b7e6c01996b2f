internal import LogData

/// Cuts what comes over one stream into records, and adds these to a lane.
///
/// What is incomplete waits here for the rest of it; whole records are taken from where they were read.
struct StreamRecords {
  private enum Framer {
    case lines(LineFramer)
    case syslog(SyslogFramer, LineFraming)
    case whole(limit: Int)
  }

  private var framer: Framer
  private let isBytes: Bool
  private var rest: [UInt8] = []

  init(_ framing: RecordFraming) {
    isBytes = framing.lines.encoding == .bytes
    switch framing {
    case .lines(let lines): framer = .lines(LineFramer(lines))
    case .syslog(let mode, let limit, let lines): framer = .syslog(SyslogFramer(mode, limit: limit), lines)
    case .whole(let limit, _): framer = .whole(limit: limit)
    }
  }

  /// Bytes of an incomplete record.
  var heldBytes: Int { rest.count }

  /// Takes bytes of the stream.
  mutating func receive(
    _ bytes: Span<UInt8>, into lane: LogLaneState, from origin: borrowing LogOrigin
  ) {
    if case .whole(let limit) = framer {
      let room = min(bytes.count, max(0, limit - rest.count))
      rest.append(copying: bytes.extracting(first: room))
      return
    }
    var cursor = 0
    if rest.isEmpty {
      take(bytes, at: &cursor, isEnded: false, lane, origin)
      if cursor < bytes.count { rest.append(copying: bytes.extracting(cursor..<bytes.count)) }
      return
    }
    var buffer: [UInt8] = []
    swap(&buffer, &rest)
    buffer.append(copying: bytes)
    take(buffer.span, at: &cursor, isEnded: false, lane, origin)
    if cursor == buffer.count, buffer.capacity > 4096 {
      // A connection that is idle keeps next to nothing.
      buffer = []
    } else {
      buffer.removeFirst(cursor)
    }
    swap(&buffer, &rest)
  }

  /// Takes what is left as a record: the stream has ended, or there is no room to wait for more.
  mutating func end(into lane: LogLaneState, from origin: borrowing LogOrigin) {
    let buffer = rest
    rest = []
    if case .whole = framer { return lane.add(buffer.span, from: origin) }
    var cursor = 0
    take(buffer.span, at: &cursor, isEnded: true, lane, origin)
  }

  private mutating func take(
    _ buffer: Span<UInt8>, at cursor: inout Int, isEnded: Bool, _ lane: LogLaneState,
    _ origin: borrowing LogOrigin
  ) {
    switch framer {
    case .lines(var lines):
      let input: LineFramer.Input = isEnded ? .ended : isBytes ? .idle(now: 0) : .flowing
      while let line = lines.next(in: buffer, at: &cursor, input) {
        lane.add(buffer.extracting(line.text), from: origin)
      }
      framer = .lines(lines)
    case .syslog(var messages, let lines):
      while let message = messages.next(in: buffer, at: &cursor, isEnded: isEnded) {
        lane.add(buffer.extracting(lines.trimmed(buffer, message)), from: origin)
      }
      framer = .syslog(messages, lines)
    case .whole: break
    }
  }
}
