import ConfigSchema
import Console
import Engine
import PipelineKit

/// What a plan runs, as YAML: every key with the value in force, secrets masked.
enum PrintedConfig {
  /// The text for `millrace check --print-config`. Components that nothing uses are left out.
  static func text(_ plan: Plan) -> String { maskingAddresses(literal(plan)).renderYAML() }

  private static func literal(_ plan: Plan) -> ConfigLiteral {
    let admin = ComponentID(kind: .extension, type: AdminServer.descriptor.type)
    var sections: [ConfigLiteral.Entry] = []
    for kind in ComponentKind.allCases {
      let nodes = plan.nodes.values.filter { $0.id.kind == kind && $0.id != admin }
        .sorted { $0.id.description < $1.id.description }
      guard !nodes.isEmpty else { continue }
      sections.append(
        .init(kind.section, .map(nodes.map { .init($0.id.description, withoutAbsent($0.component.literal)) }))
      )
    }
    let pipelines = plan.pipelines.map { pipeline in
      ConfigLiteral.Entry(
        pipeline.id,
        .map([
          .init("receivers", ids(pipeline.receivers)), .init("processors", ids(pipeline.processors)),
          .init("exporters", ids(pipeline.exporters)),
        ]))
    }
    var service: [ConfigLiteral.Entry] = []
    let extensions = plan.extensions.filter { $0 != admin }
    if !extensions.isEmpty { service.append(.init("extensions", ids(extensions))) }
    if plan.isAtLeastOnce { service.append(.init("delivery", .string("at_least_once"))) }
    if case .map(let entries) = withoutAbsent(plan.memory.literal), !entries.isEmpty {
      service.append(.init("memory", .map(entries)))
    }
    if let node = plan.nodes[admin] {
      service.append(.init("admin", withoutAbsent(node.component.literal)))
    }
    service.append(.init("telemetry", telemetry(plan.telemetry)))
    service.append(.init("pipelines", .map(pipelines)))
    sections.append(.init("service", .map(service)))
    return .map(sections)
  }

  private static func ids(_ ids: [ComponentID]) -> ConfigLiteral {
    .list(ids.map { .string($0.description) })
  }

  /// A null removes a resource attribute; elsewhere it stands for a key that is absent.
  private static func telemetry(_ config: TelemetryConfig) -> ConfigLiteral {
    guard case .map(let entries) = config.literal else { return .map([]) }
    return .map(
      entries.map { $0.key == "resource" ? $0 : .init($0.key, withoutAbsent($0.value)) })
  }

  /// Leaves out keys that have no value: written as null, a section would be there with its defaults.
  private static func withoutAbsent(_ literal: ConfigLiteral) -> ConfigLiteral {
    switch literal {
    case .map(let entries):
      .map(
        entries.compactMap {
          if case .null = $0.value { return nil }
          return .init($0.key, withoutAbsent($0.value))
        })
    case .list(let elements): .list(elements.map(withoutAbsent))
    default: literal
    }
  }

  /// Masks what URLs hold that lets somebody in: `http://user:password@proxy:3128`.
  private static func maskingAddresses(_ literal: ConfigLiteral) -> ConfigLiteral {
    switch literal {
    case .map(let entries): .map(entries.map { .init($0.key, maskingAddresses($0.value)) })
    case .list(let elements): .list(elements.map(maskingAddresses))
    case .string(let text): .string(URLSecrets.masked(text))
    default: literal
    }
  }
}
