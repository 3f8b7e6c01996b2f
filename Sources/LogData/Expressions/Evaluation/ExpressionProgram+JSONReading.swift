internal import WireFormat

extension ExpressionProgram {
  /// The value of a JSON text.
  func parsedJSON(
    _ value: ExpressionValue, _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    throw fault("`fromJSON` is not supported", node)
  }
}
