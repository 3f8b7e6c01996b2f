package import ConfigSchema
package import PipelineKit
package import TelemetryData

/// Takes everything and keeps nothing: for tests, benchmarks and pipelines that exist for their processors.
package struct NopExporter: InlineExporter {
  package static let descriptor = ComponentDescriptor(
    type: "nop", summary: "Takes everything and keeps nothing.")

  /// The `nop` exporter has no settings.
  package struct Config: ConfigGroup {
    package init() {}
    package static let fields: [Field<Self>] = []
  }

  package init(config: Config, context: ComponentContext) {}

  package func export(_ batch: Batch) -> Outcome { .accepted }
}
