package import ConfigSchema

/// `filter`: drops entries.
package struct FilterConfig: OperatorSettings {
  package static let type = "filter"
  package static let summary = "Drops entries for which an expression is true, or a share of them."
  package var expression: ExpressionText?
  package var dropRatio: Double = 1
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("expr", \.expression, "An expression: entries for which it is true are dropped.", required: true),
    Field("drop_ratio", \.dropRatio, "The share of those entries that is dropped.", check: .range(0...1)),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    guard let expression else { return .plain(EntryStep(NoStep())) }
    return .plain(Filter(expression.expression, dropRatio, context))
  }
}

/// Does nothing.
struct NoStep: EntryReader {
  func apply(_ entry: inout LogEntry) {}
}

private final class Filter: LogOperator {
  private let expression: Expression
  /// Of a thousand entries that match, so many are dropped.
  private let cutoff: UInt64
  private let context: OperatorContext

  init(_ expression: Expression, _ ratio: Double, _ context: OperatorContext) {
    self.expression = expression
    cutoff = UInt64(max(0, min(1, ratio)) * 1000)
    self.context = context
  }

  func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
    guard try expression.isTrue(&entry, context.environment) else { return .pass }
    if cutoff == 1000 { return .drop }
    return context.random() % 1000 < cutoff ? .drop : .pass
  }
}
