/// What an expression may know besides the entry: environment variables and the time.
package struct ExpressionEnvironment: Sendable {
  /// For `env("NAME")`; a variable that is not here is the empty text, as in the Collector.
  package var variables: [String: String]
  /// For `now()`: nanoseconds since the Unix epoch.
  package var now: @Sendable () -> UInt64

  package init(variables: [String: String] = [:], now: @escaping @Sendable () -> UInt64) {
    self.variables = variables
    self.now = now
  }
}
