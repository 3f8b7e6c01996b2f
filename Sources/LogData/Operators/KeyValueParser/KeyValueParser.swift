internal import WireFormat

/// Parses text as pairs of keys and values: the core of `key_value_parser`.
///
/// Quotes of both kinds keep delimiters together and go away, wherever they stand; a backslash takes the meaning from a quote of
/// the same kind and from another backslash. Keys and values lose the space around them.
package struct KeyValueParser: LogValueParser {
  private let delimiter: [UInt8]
  private let pairDelimiter: [UInt8]
  /// Whether a byte may have a meaning: 256 of them.
  private let hasMeaning: [Bool]

  /// - Parameters:
  ///   - delimiter: what stands between a key and its value; not empty.
  ///   - pairDelimiter: what stands between pairs; not empty, and not the same.
  package init(delimiter: String = "=", pairDelimiter: String = " ") {
    self.delimiter = Array(delimiter.utf8)
    self.pairDelimiter = Array(pairDelimiter.utf8)
    let meaningful: [UInt8?] = [0x22, 0x27, 0x5C, self.pairDelimiter.first, self.delimiter.last]
    hasMeaning = (UInt8.min...UInt8.max).map { meaningful.contains($0) }
  }

  package func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError) -> LogValue {
    let text = try entry.wellFormedText(of: value)
    if text.isEmpty { throw LogOperatorError("expected pairs, found an empty text") }
    let (map, result) = entry.makeMap()
    var scan = Scan(text)
    var keys = SeenKeys()
    while scan.position < text.upperBound {
      let start = scan.position
      try takePair(&scan, of: &entry)
      if scan.key.isEmpty && scan.value.isEmpty && !scan.hasValue { continue }
      guard scan.hasValue else {
        throw LogOperatorError(
          "expected \"\(String(decoding: delimiter, as: UTF8.self))\" between a key and its value, found none in the part at "
            + "byte \(start - text.lowerBound)")
      }
      let key = entry.trimmed(scan.key.range)
      let value = LogValue.string(entry.trimmed(scan.value.range))
      if keys.mayHold(SeenKeys.hash(entry.arena.span, from: key.lowerBound, to: key.upperBound)),
        keys.count < SeenKeys.maxCompared
      {
        entry.set(key, to: value, in: map)
      } else {
        entry.append(key: key, value, to: map)
      }
      keys.count &+= 1
    }
    if scan.backslash >= 0 { throw LogOperatorError("the text ends behind a backslash") }
    if scan.quote != 0 {
      throw LogOperatorError("the quote at byte \(scan.quotePlace - text.lowerBound) is never closed")
    }
    if keys.count > SeenKeys.maxCompared { entry.removeDuplicates(of: map) }
    return result
  }

  /// How far the text has been read.
  private struct Scan {
    var position: Int
    let end: Int
    /// The quote within which the position is, or 0.
    var quote: UInt8 = 0
    var quotePlace = -1
    /// Where a backslash stands that has a meaning for the next byte, or -1.
    var backslash = -1
    /// The pair at hand, before and behind its first delimiter.
    var key = ArenaText()
    var value = ArenaText()
    var hasValue = false

    init(_ text: WireRange) {
      position = text.lowerBound
      end = text.upperBound
    }
  }

  /// Reads up to the next delimiter of pairs outside of quotes, or the end.
  private func takePair(_ scan: inout Scan, of entry: inout LogEntry) throws(LogOperatorError) {
    scan.key = ArenaText()
    scan.value = ArenaText()
    scan.hasValue = false
    while scan.position < scan.end {
      let start = scan.position
      var place = endOfPlain(entry.arena.span, from: start, to: scan.end)
      if place > start, scan.backslash >= 0 { place = start }
      scan.position = place
      if place > start {
        if scan.hasValue {
          scan.value.append(from: start, to: place, of: &entry)
        } else {
          scan.key.append(from: start, to: place, of: &entry)
        }
        if place == scan.end { return }
      }
      if try takeByte(&scan, of: &entry) { return }
    }
  }

  /// The first place of a byte that may have a meaning, or the end.
  @inline(__always)
  private func endOfPlain(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    let table = hasMeaning.span
    var place = start
    while place < end, !table[Int(bytes[place])] { place &+= 1 }
    return place
  }

  /// Reads one byte, or a delimiter of pairs; then it is true.
  @inline(__always)
  private func takeByte(_ scan: inout Scan, of entry: inout LogEntry) throws(LogOperatorError) -> Bool {
    let place = scan.position
    let byte = entry.arena[place]
    if scan.quote == 0, byte == pairDelimiter[0], entry.holds(pairDelimiter, at: place, before: scan.end) {
      scan.position = place &+ pairDelimiter.count
      return true
    }
    scan.position = place &+ 1
    if scan.backslash >= 0 {
      // A backslash that takes no meaning away stays.
      let backslash = scan.backslash
      scan.backslash = -1
      if byte != scan.quote && byte != 0x5C { add(backslash, &scan, of: &entry) }
    } else if byte == 0x5C {
      scan.backslash = place
      return false
    } else if byte == 0x22 || byte == 0x27, scan.quote == 0 || scan.quote == byte {
      scan.quotePlace = place
      scan.quote = scan.quote == 0 ? byte : 0
      return false
    }
    add(place, &scan, of: &entry)
    return false
  }

  /// Adds a byte to the pair and looks whether it completes its delimiter.
  @inline(__always)
  private func add(_ place: Int, _ scan: inout Scan, of entry: inout LogEntry) {
    if scan.hasValue {
      scan.value.append(from: place, to: place &+ 1, of: &entry)
      return
    }
    scan.key.append(from: place, to: place &+ 1, of: &entry)
    let key = scan.key.range
    let keyEnd = key.upperBound &- delimiter.count
    if keyEnd >= key.lowerBound, entry.holds(delimiter, at: keyEnd, before: key.upperBound) {
      scan.key.cut(to: keyEnd)
      scan.hasValue = true
    }
  }
}
