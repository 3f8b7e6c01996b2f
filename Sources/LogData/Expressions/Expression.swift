/// A compiled expression of the language that the Collector's log operators use (expr-lang).
///
/// Compiled once, then evaluated for each entry. It sees `body`, `attributes`, `resource`, `timestamp` (a time, the zero
/// time when it is unknown), `severity` (a number, 0 when unspecified), `severity_text`, and `env("NAME")`. Nothing in the entry
/// is changed but the arena, where texts, lists and maps of the result are put.
///
/// Both work and memory of an evaluation are bounded.
package struct Expression: Sendable {
  /// The text it was compiled from.
  package let text: String

  /// - Throws: what is wrong in the text, and where.
  package init(_ text: String) throws(ExpressionError) {
    self.text = text
    throw ExpressionError("expressions are not supported", at: 0, length: text.utf8.count)
  }

  /// The value for an entry; a time is given as text in RFC 3339, a duration as Go writes it (`1h30m0s`).
  ///
  /// - Throws: when types do not fit, such as `<` between nil and a number, or a bound is reached. The Collector then
  ///   treats the operator as failed: its `on_error` applies.
  package func evaluate(
    _ entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> LogValue { .null }

  /// The value of a condition for an entry; leaves nothing behind in the arena.
  ///
  /// - Throws: as ``evaluate(_:_:)``, and when the value is not true or false.
  package func isTrue(
    _ entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> Bool { false }
}
