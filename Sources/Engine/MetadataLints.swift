import ConfigSchema
import PipelineKit

/// Metadata of requests that a component works with, and that does not come as far as to it.
struct MetadataLints {
  let plan: Plan
  /// Where each pipeline is declared.
  let pipelines: [String: Origin]

  func report(into diagnostics: inout Diagnostics) {
    for pipeline in plan.pipelines {
      for (index, id) in pipeline.processors.enumerated() {
        report(id, behind: pipeline.processors[..<index], of: pipeline, into: &diagnostics)
      }
      for exporter in pipeline.exporters {
        for id in extensions(of: exporter) {
          if plan.nodes[exporter]?.component.traits.delivery?.queue?.batch != nil, !wanted(id).isEmpty {
            warn(
              "\(id) works with metadata of requests, but the sending_queue.batch of \(exporter) keeps none",
              pipeline,
              help: "leave sending_queue.batch out, and use the batch processor with metadata_keys",
              into: &diagnostics)
          }
          report(id, behind: pipeline.processors[...], of: pipeline, into: &diagnostics)
        }
      }
    }
  }

  /// Reports the first on the way to `user` that keeps something back which it wants.
  private func report(
    _ user: ComponentID, behind processors: ArraySlice<ComponentID>, of pipeline: Plan.Pipeline,
    into diagnostics: inout Diagnostics
  ) {
    for key in wanted(user) {
      if !pipeline.receivers.contains(where: { passes($0, key) }) {
        let names = pipeline.receivers.map(\.description).joined(separator: ", ")
        return warn(
          "\(user) works with the metadata \(key) of requests, but receiver \(names) does not keep it",
          pipeline,
          help: "set include_metadata: true where the receiver listens", into: &diagnostics)
      }
      if let processor = processors.first(where: { !passes($0, key) }) {
        return warn(
          "\(user) works with the metadata \(key) of requests, but processor \(processor) does not keep it",
          pipeline,
          help: "add it to the processor's metadata_keys", into: &diagnostics)
      }
    }
  }

  private func warn(
    _ message: String, _ pipeline: Plan.Pipeline, help: String, into diagnostics: inout Diagnostics
  ) {
    diagnostics.warning(
      "missing-metadata", message, at: pipelines[pipeline.id], path: "service.pipelines.\(pipeline.id)",
      help: help)
  }

  private func wanted(_ id: ComponentID) -> [String] { plan.nodes[id]?.component.traits.wantedMetadata ?? [] }

  private func passes(_ id: ComponentID, _ key: String) -> Bool {
    plan.nodes[id]?.component.traits.passedMetadata.includes(key) ?? true
  }

  /// The extensions that a component works with, and those that they work with. There are no circles.
  private func extensions(of id: ComponentID) -> [ComponentID] {
    (plan.nodes[id]?.extensions ?? [:]).sorted { $0.key < $1.key }.flatMap {
      [$0.value] + extensions(of: $0.value)
    }
  }
}
