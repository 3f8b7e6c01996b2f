internal import LogData

/// How what a receiver reads is cut into records.
enum RecordFraming: Sendable {
  case lines(LineFraming)
  /// Syslog messages, of at most so many bytes where they are not counted, with white space around them or without.
  case syslog(SyslogFramer.Mode, limit: Int, LineFraming)
  /// All that comes over a connection is one record, cut after so many bytes.
  case whole(limit: Int, LineFraming)

  /// The encoding and what is trimmed.
  var lines: LineFraming {
    switch self {
    case .lines(let lines), .syslog(_, _, let lines), .whole(_, let lines): lines
    }
  }
}

extension LineFraming {
  /// The part of a record that is left when what is to be trimmed is.
  func trimmed(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    if trimsTrailing { while high > low, Self.isSpace(text[high - 1]) { high -= 1 } }
    if trimsLeading { while low < high, Self.isSpace(text[low]) { low += 1 } }
    return low..<high
  }

  /// A text without the white space around it that is to be trimmed.
  func trimmed(_ text: Span<UInt8>) -> Range<Int> {
    encoding.units.width == 1 ? trimmed(text, 0..<text.count) : 0..<text.count
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0D || byte == 0x0A || byte == 0x09
  }
}
