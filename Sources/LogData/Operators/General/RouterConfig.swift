package import ConfigSchema

/// `router`: sends entries different ways.
package struct RouterConfig: OperatorSettings {
  package static let type = "router"
  package static let summary =
    "Sends each entry the way of the first route whose expression is true; entries for which none is are dropped."
  package var ways: [RouteConfig] = []
  package var otherwise = OperatorOutputs()
  package var common = OperatorKeys()

  package init() { common.onError = .drop }

  package static let fields: [Field<Self>] = [
    Field("id", \.common.id, OperatorKeys.idHelp),
    Field(
      "routes", \.ways, "The routes, in the order in which they are tried.", check: .nonEmpty, required: true),
    Field("default", \.otherwise, "The id, or a list of ids, of where entries without a route go."),
  ]

  package var routes: [OperatorOutputs] {
    ways.map(\.output) + (otherwise.names.isEmpty ? [] : [otherwise])
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(Router(self, context.environment))
  }
}

/// One route of a router.
package struct RouteConfig: ConfigGroup {
  package var expression: ExpressionText?
  package var output = OperatorOutputs()
  package var attributes: ConfigMap<TextWithExpressions> = [:]

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("expr", \.expression, "An expression: entries for which it is true go this way.", required: true),
    Field("output", \.output, "The id, or a list of ids, of where entries go.", required: true),
    Field(
      "attributes", \.attributes,
      "Attributes that entries of this way get; expressions stand in the text as `EXPR(…)`."),
  ]
}

private final class Router: LogOperator {
  private struct Way {
    let expression: Expression
    let attributes: [(path: FieldPath, text: TextWithExpressions)]
  }

  private let ways: [Way]
  private let hasDefault: Bool
  private let environment: ExpressionEnvironment

  init(_ config: RouterConfig, _ environment: ExpressionEnvironment) {
    ways = config.ways.compactMap { way in
      way.expression.map { expression in
        Way(
          expression: expression.expression,
          attributes: way.attributes.map { (FieldPath(.attributes, [$0.key]), $0.value) })
      }
    }
    hasDefault = !config.otherwise.names.isEmpty
    self.environment = environment
  }

  /// - Throws: when an expression failed, and no other route was found for the entry.
  func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
    var problem: LogOperatorError?
    for (number, way) in ways.enumerated() {
      do throws(LogOperatorError) {
        guard try way.expression.isTrue(&entry, environment) else { continue }
      } catch {
        problem = error
        continue
      }
      for attribute in way.attributes {
        let value = try attribute.text.value(for: &entry, environment)
        try entry.set(value, at: attribute.path)
      }
      return .route(number)
    }
    if hasDefault { return .route(ways.count) }
    if let problem { throw problem }
    return .drop
  }
}
