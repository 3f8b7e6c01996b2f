/// Why the text of an expression cannot be used, and where in it.
package struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A clause without a full stop, with what to do instead where that is known: `there is no function "lowr";
  /// did you mean "lower"?`.
  package let reason: String
  /// Where the wrong part begins, in bytes from 0. Within a literal it is the byte of the literal's source.
  package let offset: Int
  /// How many bytes are wrong; 0 where something is missing.
  package let length: Int

  package init(_ reason: String, at offset: Int, length: Int = 0) {
    self.reason = reason
    self.offset = offset
    self.length = length
  }

  package var description: String { "\(reason) (at byte \(offset + 1))" }
}
