package import ConfigSchema
package import LogData

/// The keys that every receiver of log records has, besides those of where it reads.
package struct LogInputConfig: ConfigGroup {
  package var attributes = ConfigMap<TextWithExpressions>()
  package var resource = ConfigMap<TextWithExpressions>()
  package var operators = OperatorList()
  package var retry = LogRetryConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "attributes", \.attributes,
      "Attributes of every record; a value may hold expressions, as in `EXPR(env(\"HOST\"))`."),
    Field("resource", \.resource, "Attributes of the resource of every record; the same holds for them."),
    Field(
      "operators", \.operators, "What is done with every record before it goes on; the order of the list."),
    Field("retry_on_failure", \.retry, "How refused records are offered again."),
  ]
}

/// `retry_on_failure` of receivers of log records: refusals slow reading down.
package struct LogRetryConfig: ConfigGroup {
  package var initialInterval: Duration = .seconds(1)
  package var maxInterval: Duration = .seconds(30)
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "initial_interval", \.initialInterval, "Wait before refused records are offered again.",
      check: .atLeast(.milliseconds(1))),
    Field("max_interval", \.maxInterval, "The longest of these waits.", check: .atLeast(.milliseconds(1))),
    .accepted("enabled", "refused records are always offered again, and reading waits meanwhile"),
    .accepted("max_elapsed_time", "refused records are offered until they are taken"),
  ]
}
