internal import WireFormat

/// Reads the fields of a row of comma-separated values that lies in an entry's arena.
struct CSVRowReader {
  private let text: WireRange
  private let delimiter: [UInt8]
  private let isLazy: Bool
  /// Where the next byte stands.
  private var position: Int
  /// Where the line at hand ends, without its newline.
  private var lineEnd = 0
  /// Where its newline stands; equal to the next line's start when there is none.
  private var newline = 0
  /// Where the next line begins.
  private var nextLine: Int
  /// The field at hand.
  private var field = ArenaText()

  init(_ text: WireRange, delimiter: [UInt8], isLazy: Bool) {
    self.text = text
    self.delimiter = delimiter
    self.isLazy = isLazy
    position = text.lowerBound
    nextLine = text.lowerBound
  }

  private static var quote: UInt8 { 0x22 }

  /// Reads all lines of the text as one row.
  mutating func read(of entry: inout LogEntry, into fields: inout [WireRange]) throws(LogOperatorError) {
    var lines = 0
    while takeLine(entry) {
      if position == lineEnd { continue }
      if lines > 0 {
        // The last field goes on in this line; what was put away is taken up again.
        fields.removeLast()
        field.append(from: joint, to: joint + 1, of: &entry)
      }
      lines += 1
      try readRecord(of: &entry, into: &fields)
      joint = newline
    }
    if lines == 0 { throw LogOperatorError("expected fields, found an empty text") }
  }

  /// The newline behind the line that was read last.
  private var joint = 0

  /// Goes on to the next line; false when there is none.
  @inline(__always)
  private mutating func takeLine(_ entry: borrowing LogEntry) -> Bool {
    if nextLine >= text.upperBound { return false }
    position = nextLine
    let end = entry.arena.span.firstOffset(of: 0x0A, from: position, to: text.upperBound) ?? text.upperBound
    newline = end
    nextLine = min(end &+ 1, text.upperBound)
    lineEnd = end > position && entry.arena[end &- 1] == 0x0D ? end &- 1 : end
    return true
  }

  private var hasNewline: Bool { newline < nextLine }

  /// Reads the fields up to the end of a line that is not within quotes.
  private mutating func readRecord(
    of entry: inout LogEntry, into fields: inout [WireRange]
  ) throws(LogOperatorError) {
    while true {
      let goesOn: Bool
      if position < lineEnd, entry.arena[position] == Self.quote {
        goesOn = try readQuoted(of: &entry)
      } else {
        goesOn = try readPlain(of: &entry)
      }
      fields.append(field.range)
      if !goesOn { return }
      field = ArenaText()
    }
  }

  /// Reads a field without quotes around it; false when it ends its line.
  private mutating func readPlain(of entry: inout LogEntry) throws(LogOperatorError) -> Bool {
    var place = -1
    if isLazy {
      place = entry.firstPlace(of: delimiter, from: position, to: lineEnd)
    } else {
      var start = position
      while true {
        place = entry.arena.span.firstPlace(of: delimiter[0], Self.quote, from: start, to: lineEnd)
        if place < 0
          || (entry.arena[place] != Self.quote && entry.holds(delimiter, at: place, before: lineEnd))
        {
          break
        }
        if entry.arena[place] == Self.quote {
          throw fault("a quote within a field that does not begin with one", at: place)
        }
        start = place + 1
      }
    }
    let end = place < 0 ? lineEnd : place
    field.append(from: position, to: end, of: &entry)
    position = end + (place < 0 ? 0 : delimiter.count)
    return place >= 0
  }

  /// Reads a field between quotes; false when it ends its line.
  private mutating func readQuoted(of entry: inout LogEntry) throws(LogOperatorError) -> Bool {
    let opening = position
    position += 1
    while true {
      let place = entry.arena.span.firstPlace(of: Self.quote, Self.quote, from: position, to: lineEnd)
      if place >= 0 {
        let behind = place + 1
        if behind < lineEnd, entry.arena[behind] == Self.quote {
          // The first of two quotes belongs to the field.
          field.append(from: position, to: behind, of: &entry)
          position = behind + 1
        } else if entry.holds(delimiter, at: behind, before: lineEnd) {
          field.append(from: position, to: place, of: &entry)
          position = behind + delimiter.count
          return true
        } else if behind == lineEnd {
          field.append(from: position, to: place, of: &entry)
          position = behind
          return false
        } else if isLazy {
          field.append(from: position, to: behind, of: &entry)
          position = behind
        } else {
          throw fault("a quote within a quoted field that is not doubled", at: place)
        }
      } else {
        field.append(from: position, to: lineEnd, of: &entry)
        if hasNewline { field.append(from: newline, to: newline + 1, of: &entry) }
        position = lineEnd
        if !takeLine(entry) {
          if isLazy { return false }
          throw fault("the quoted field is never closed", at: opening)
        }
      }
    }
  }

  private func fault(_ reason: String, at place: Int) -> LogOperatorError {
    LogOperatorError("not a row of CSV: \(reason) at byte \(place - text.lowerBound)")
  }
}
