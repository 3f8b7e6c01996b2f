internal import WireFormat

/// Reads the trace context of an entry from its fields: the block `trace` of parsers.
package struct TraceReader: Sendable {
  private let traceID: FieldPath
  private let spanID: FieldPath
  private let traceFlags: FieldPath

  package init(traceID: FieldPath, spanID: FieldPath, traceFlags: FieldPath) {
    self.traceID = traceID
    self.spanID = spanID
    self.traceFlags = traceFlags
  }

  /// Sets trace id, span id and trace flags; a field that is not there or empty, or an id of zeros, sets nothing.
  ///
  /// A trace id of 16 digits, as Zipkin had them, gets zeros in front.
  ///
  /// - Throws: when one of them is not of hex digits or not of the right length; the others are set all the same, as
  ///   in the Collector.
  package func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    var problem: LogOperatorError?
    do throws(LogOperatorError) {
      if let id = try identifier(traceID, bytes: 16, orBytes: 8, of: &entry) { entry.traceID = id }
    } catch { problem = error }
    do throws(LogOperatorError) {
      if let id = try identifier(spanID, bytes: 8, orBytes: 8, of: &entry) { entry.spanID = id }
    } catch { problem = problem ?? error }
    do throws(LogOperatorError) {
      if let flags = try flags(of: entry) { entry.traceFlags = flags }
    } catch { problem = problem ?? error }
    if let problem { throw problem }
  }

  /// The bytes of an id in the arena; nil when there is none.
  private func identifier(
    _ field: FieldPath, bytes: Int, orBytes fewer: Int, of entry: inout LogEntry
  ) throws(LogOperatorError) -> WireRange? {
    guard let value = entry.value(at: field), value.kind != .null else { return nil }
    guard value.kind == .string || value.kind == .bytes else {
      throw LogOperatorError("\(field): expected \(bytes * 2) hex digits, found \(value.kind.noun)")
    }
    let digits = value.range
    if digits.isEmpty { return nil }
    guard digits.count == bytes * 2 || digits.count == fewer * 2 else {
      throw LogOperatorError("\(field): expected \(bytes * 2) hex digits, found \(digits.count) bytes")
    }
    guard let range = entry.addHex(digits, bytes: bytes) else {
      throw LogOperatorError("\(field): expected \(bytes * 2) hex digits, found something else")
    }
    return entry.text(range).isZero ? nil : range
  }

  private func flags(of entry: borrowing LogEntry) throws(LogOperatorError) -> UInt32? {
    guard let value = entry.value(at: traceFlags), value.kind != .null else { return nil }
    if value.kind == .int, let flags = UInt8(exactly: value.int) { return UInt32(flags) }
    let text = entry.text(value.range)
    if text.isEmpty, value.kind == .string || value.kind == .bytes { return nil }
    guard text.count == 2, let high = text[0].hexDigit, let low = text[1].hexDigit else {
      throw LogOperatorError("\(traceFlags): expected two hex digits")
    }
    return UInt32(high << 4 | low)
  }
}

extension LogEntry {
  /// Appends the bytes that hex digits in the arena stand for, with zeros in front up to `bytes`; nil when one is none.
  fileprivate mutating func addHex(_ digits: WireRange, bytes: Int) -> WireRange? {
    let start = arena.count
    for _ in 0..<(bytes - digits.count / 2) { arena.append(0) }
    var position = digits.range.lowerBound
    while position + 1 < digits.range.upperBound {
      guard let high = arena[position].hexDigit, let low = arena[position + 1].hexDigit else { return nil }
      arena.append(high << 4 | low)
      position += 2
    }
    return WireRange(start, arena.count)
  }
}

extension Span<UInt8> {
  fileprivate var isZero: Bool {
    for index in indices where self[index] != 0 { return false }
    return true
  }
}

extension UInt8 {
  fileprivate var hexDigit: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }
}
