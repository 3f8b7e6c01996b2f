/// What becomes of an entry behind an operator.
package enum LogVerdict: Sendable, Equatable {
  /// It goes on to the operator's outputs.
  case pass
  /// It ends here: filtered by a rule.
  case drop
  /// The operator keeps it, by ``LogEntry`` having been swapped for another; nothing goes on now.
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
