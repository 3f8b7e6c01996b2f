package import ConfigSchema

/// `noop`: passes entries on; a name to send them to.
package struct NoopConfig: OperatorSettings {
  package static let type = "noop"
  package static let summary = "Passes entries on unchanged."
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.common)]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator { .plain(EntryStep(NoStep())) }
}
