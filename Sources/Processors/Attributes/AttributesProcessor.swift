package import ConfigSchema
package import PipelineKit
package import TelemetryData

/// Changes attributes of spans, log records and data points by an ordered list of actions.
///
/// However many actions there are, and however many such processors stand in a row: an item is written anew once.
package struct AttributesProcessor: InlineProcessor, AttributeEditing {
  package static let descriptor = ComponentDescriptor(
    type: "attributes", summary: "Changes attributes of spans, log records and data points.")

  /// The settings of the `attributes` processor.
  package struct Config: ConfigGroup {
    package var actions: [AttributeActionConfig] = []
    package var include: MatchProperties?
    package var exclude: MatchProperties?
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "actions", \.actions, "What is done to the attributes, one after the other.", check: .nonEmpty,
        required: true),
      Field("include", \.include, "What an item must be like to be changed; left out, all are."),
      Field("exclude", \.exclude, "Which of the included items stay as they are."),
    ]
  }

  package static func problem(of config: Config, carrying signals: [Signal]) -> String? {
    for properties in [config.include, config.exclude].compactMap(\.self) {
      if let problem = properties.problem(carrying: signals) { return problem }
    }
    return nil
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.wantedMetadata = AttributeProgram(config.actions).wantedMetadata
    return traits
  }

  let edits: AttributeEdits

  package init(config: Config, context: ComponentContext) throws {
    edits = AttributeEdits(
      items: AttributeProgram(config.actions),
      matcher: try ItemMatcher(include: config.include, exclude: config.exclude))
  }

  private init(edits: AttributeEdits) { self.edits = edits }

  package func process(_ batch: Batch) -> Batch? { edits.apply(to: batch, metadata: nil) }

  package func process(_ batch: Batch, metadata: RequestMetadata?) -> Batch? {
    edits.apply(to: batch, metadata: metadata)
  }

  package func fused(with next: any InlineProcessor) -> (any InlineProcessor)? {
    Self.fuse(edits, next)
  }

  static func fuse(_ edits: AttributeEdits, _ next: any InlineProcessor) -> (any InlineProcessor)? {
    guard let next = next as? any AttributeEditing else { return nil }
    return edits.followed(by: next.edits).map { AttributesProcessor(edits: $0) }
  }
}
