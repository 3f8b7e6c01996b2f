import ConfigSchema
import Engine
import PipelineKit

/// What a plan runs, as YAML: every key with the value in force, secrets masked.
enum PrintedConfig {
  /// The text for `millrace check --print-config`. Components that nothing uses are left out.
  static func text(_ plan: Plan) -> String { maskingAddresses(literal(plan)).renderYAML() }

  private static func literal(_ plan: Plan) -> ConfigLiteral {
    var sections: [ConfigLiteral.Entry] = []
    for kind in ComponentKind.allCases {
      let nodes = plan.nodes.values.filter { $0.id.kind == kind }
        .sorted { $0.id.description < $1.id.description }
      guard !nodes.isEmpty else { continue }
      sections.append(
        .init(kind.section, .map(nodes.map { .init($0.id.description, $0.component.literal) })))
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
    if !plan.extensions.isEmpty { service.append(.init("extensions", ids(plan.extensions))) }
    if plan.isAtLeastOnce { service.append(.init("delivery", .string("at_least_once"))) }
    service.append(.init("telemetry", plan.telemetry.literal))
    service.append(.init("pipelines", .map(pipelines)))
    sections.append(.init("service", .map(service)))
    return .map(sections)
  }

  private static func ids(_ ids: [ComponentID]) -> ConfigLiteral {
    .list(ids.map { .string($0.description) })
  }

  /// Masks the user and password that a URL may hold: `http://user:password@proxy:3128`.
  private static func maskingAddresses(_ literal: ConfigLiteral) -> ConfigLiteral {
    switch literal {
    case .map(let entries): .map(entries.map { .init($0.key, maskingAddresses($0.value)) })
    case .list(let elements): .list(elements.map(maskingAddresses))
    case .string(let text): .string(maskingAddress(text))
    default: literal
    }
  }

  private static func maskingAddress(_ text: String) -> String {
    guard let start = text.firstRange(of: "://")?.upperBound else { return text }
    let authority = text[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return text }
    return text[..<start] + Secret.mask + text[at...]
  }
}
