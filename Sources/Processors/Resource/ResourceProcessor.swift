package import ConfigSchema
package import PipelineKit
package import TelemetryData

/// Changes attributes of resources by an ordered list of actions.
package struct ResourceProcessor: InlineProcessor, AttributeEditing {
  package static let descriptor = ComponentDescriptor(
    type: "resource", summary: "Changes attributes of resources.")

  /// The settings of the `resource` processor.
  package struct Config: ConfigGroup {
    package var attributes: [AttributeActionConfig] = []
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "attributes", \.attributes, "What is done to the attributes of every resource, one after the other.",
        check: .nonEmpty, required: true)
    ]
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.wantedMetadata = AttributeProgram(config.attributes).wantedMetadata
    return traits
  }

  let edits: AttributeEdits

  package init(config: Config, context: ComponentContext) {
    edits = AttributeEdits(resources: AttributeProgram(config.attributes))
  }

  package func process(_ batch: Batch) -> Batch? { edits.apply(to: batch, metadata: nil) }

  package func process(_ batch: Batch, metadata: RequestMetadata?) -> Batch? {
    edits.apply(to: batch, metadata: metadata)
  }

  package func fused(with next: any InlineProcessor) -> (any InlineProcessor)? {
    AttributesProcessor.fuse(edits, next)
  }
}
