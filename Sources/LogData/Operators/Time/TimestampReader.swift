package import TimeFormats

/// Reads the time of an entry from one of its fields: the block `timestamp` of parsers.
package struct TimestampReader: Sendable {
  package enum Form: Sendable {
    case layout(TimeLayout)
    case epoch(EpochLayout)
    /// Nothing can be read; the reason.
    case broken(String)
  }

  package let field: FieldPath
  private let form: Form

  package init(_ field: FieldPath, form: Form) {
    self.field = field
    self.form = form
  }

  /// Sets the timestamp; the entry is left as it was when the field is not there or is no such time.
  ///
  /// Where the layout has no year or no date, they are those next to the time at which the entry was read.
  package func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { throw .missing(field) }
    if case .broken(let reason) = form { throw LogOperatorError(reason) }
    let nanoseconds: Int64?
    do throws(TimeTextError) {
      nanoseconds = try read(value, of: entry)
    } catch {
      throw LogOperatorError("\(field): not a time of the layout: \(error)")
    }
    guard let nanoseconds else {
      throw LogOperatorError("\(field): a time cannot be read from \(value.kind.noun)")
    }
    guard nanoseconds >= 0 else { throw LogOperatorError("\(field): the time lies before 1970") }
    entry.timestamp = UInt64(nanoseconds)
  }

  /// The time in a value; nil when it is of a kind that has none.
  private func read(_ value: LogValue, of entry: borrowing LogEntry) throws(TimeTextError) -> Int64? {
    switch (value.kind, form) {
    case (.string, .layout(let layout)), (.bytes, .layout(let layout)):
      try layout.nanoseconds(of: entry.text(value.range), now: entry.wallClock(layout))
    case (.string, .epoch(let epoch)), (.bytes, .epoch(let epoch)):
      try epoch.nanoseconds(of: entry.text(value.range))
    case (.int, .epoch(let epoch)): try epoch.nanoseconds(ofInteger: value.int)
    case (.double, .epoch(let epoch)): try epoch.nanoseconds(of: value.double)
    default: nil
    }
  }
}

extension LogEntry {
  /// When the entry was read, for layouts that need the present.
  fileprivate func wallClock(_ layout: TimeLayout) -> Int64 {
    guard layout.needsYear else { return 0 }
    return observedTimestamp == 0 ? UnixTime.now() : Int64(clamping: observedTimestamp)
  }
}

extension LogOperatorError {
  /// A field that an operator reads is not there.
  static func missing(_ field: FieldPath) -> LogOperatorError { LogOperatorError("there is no \(field)") }
}
