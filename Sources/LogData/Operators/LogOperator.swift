/// What becomes of an entry behind an operator.
package enum LogVerdict: Sendable, Equatable {
  /// It goes on to the operator's outputs.
  case pass
  /// It ends here: filtered by a rule.
  case drop
  /// The operator keeps what it needs of it; nothing goes on now. Only a ``HoldingLogOperator`` may say so.
  case hold
  /// It goes on to one of several routes (`router`), by number.
  case route(Int)
}

/// One step on the way of an entry. Used by one thread at a time.
package protocol LogOperator: AnyObject {
  /// Changes the entry.
  ///
  /// - Throws: what is wrong with this entry; `on_error` says what becomes of it then. The entry is left as it was.
  func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict
}

/// A step that holds entries back, such as `recombine`. Used by one thread at a time.
package protocol HoldingLogOperator: AnyObject {
  /// Changes the entry, or holds it.
  ///
  /// - Parameters:
  ///   - now: monotonic nanoseconds.
  ///   - emit: takes entries that were held and go on before this one; what it is given is used up.
  /// - Throws: as ``LogOperator/process(_:)``.
  func process(
    _ entry: inout LogEntry, now: UInt64, emit: (inout LogEntry) -> Void
  ) throws(LogOperatorError) -> LogVerdict

  /// Emits what has been held for as long as it may be.
  func expire(now: UInt64, emit: (inout LogEntry) -> Void)

  /// Emits all that is held.
  func flush(emit: (inout LogEntry) -> Void)

  /// The offset in its stream of the first byte that is held; nil when nothing of the stream is.
  func oldestHeld(stream: Int) -> UInt64?

  /// When something has been held for as long as it may be, in monotonic nanoseconds; nil when nothing is held.
  var nextDue: UInt64? { get }

  /// How many bytes are held, about.
  var heldBytes: Int { get }
}

/// An operator that was made from its settings.
package enum MadeOperator {
  case plain(any LogOperator)
  case holding(any HoldingLogOperator)
}
