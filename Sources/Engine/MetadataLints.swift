import ConfigSchema
import PipelineKit

extension Plan {
  /// The keys of request metadata that processors work with to which a receiver leads.
  func wantedMetadata(behind receiver: ComponentID) -> [String] {
    pipelines.filter { $0.receivers.contains(receiver) }.flatMap(\.processors).flatMap {
      nodes[$0]?.component.traits.wantedMetadata ?? []
    }
  }
}

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
      let names = pipeline.receivers.map(\.description).joined(separator: ", ")
      if RequestMetadata.isAboutClient(key) {
        if !pipeline.receivers.contains(where: { tells($0, key) }) {
          let isAddress = key == RequestMetadata.clientAddressKey
          return warn(
            "\(user) works with \(Self.name(key)), which receiver \(names) does not know", pipeline,
            help: isAddress
              ? "only receivers of requests, such as otlp, know the address of the client"
              : "set auth of the receiver to an authenticator that tells it: basicauth tells the username",
            into: &diagnostics)
        }
      } else if !pipeline.receivers.contains(where: { passes($0, key) }) {
        return warn(
          "\(user) works with the metadata \(key) of requests, but receiver \(names) does not keep it",
          pipeline,
          help: "set include_metadata: true where the receiver listens", into: &diagnostics)
      }
      if let processor = processors.first(where: { !passes($0, key) }) {
        return warn(
          "\(user) works with \(Self.name(key)), but processor \(processor) does not keep it", pipeline,
          help: RequestMetadata.isAboutClient(key)
            ? "put \(user) in front of \(processor)" : "add it to the processor's metadata_keys",
          into: &diagnostics)
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

  /// How a message calls what a key stands for.
  private static func name(_ key: String) -> String {
    if key == RequestMetadata.clientAddressKey { return "the address of the client" }
    if RequestMetadata.isAboutClient(key) {
      return "auth.\(key.dropFirst(RequestMetadata.authenticationPrefix.count)) of the client"
    }
    return "the metadata \(key) of requests"
  }

  /// Whether a receiver, or an extension that it works with, tells something about clients.
  private func tells(_ id: ComponentID, _ key: String) -> Bool {
    ([id] + extensions(of: id)).contains {
      plan.nodes[$0]?.component.traits.toldMetadata.contains(key) ?? false
    }
  }

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
