import ArgumentParser
import ConfigSchema
import PipelineKit
import TelemetryData

/// `millrace components`: what this build can do.
struct ComponentsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "components",
    abstract: "Lists the components of this build.",
    discussion: """
      EXAMPLES:
        millrace components
        millrace components --json
        millrace components otlp_http
      """)

  @Argument(help: "Only this type, with its configuration keys.")
  var type: String?

  @Flag(help: "Print JSON, with the JSON Schema of every component's configuration.")
  var json = false

  func run() async throws {
    let entries = Catalog.standard.entries.filter {
      type == nil || $0.descriptor.type == type || $0.descriptor.deprecatedTypes.contains(type ?? "")
    }
    guard !entries.isEmpty else {
      let near = Spelling.closest(to: type ?? "", among: Catalog.standard.entries.map(\.descriptor.type))
      throw ValidationError(
        "there is no component of type \"\(type ?? "")\"" + (near.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    if json {
      Terminal.out(ConfigLiteral.list(entries.map(literal)).prettyJSON() + "\n")
    } else if type != nil {
      for entry in entries { Terminal.out(reference(entry)) }
    } else {
      Terminal.out(table(entries))
    }
  }

  private func literal(_ entry: Catalog.Entry) -> ConfigLiteral {
    .map([
      .init("kind", .string(entry.kind.rawValue)),
      .init("type", .string(entry.descriptor.type)),
      .init("deprecated_types", .list(entry.descriptor.deprecatedTypes.map { .string($0) })),
      .init("signals", .list(entry.descriptor.signals.map { .string($0.rawValue) })),
      .init("summary", .string(entry.descriptor.summary)),
      .init("config_schema", ReferenceRenderer.jsonSchema(of: .group(entry.configuration))),
    ])
  }

  private func table(_ entries: [Catalog.Entry]) -> String {
    let rows = entries.map { entry in
      [
        entry.kind.rawValue,
        ([entry.descriptor.type] + entry.descriptor.deprecatedTypes.map { "(\($0))" }).joined(separator: " "),
        entry.descriptor.signals.map(\.rawValue).joined(separator: " "),
        entry.descriptor.summary,
      ]
    }
    let header = ["KIND", "TYPE (OLDER NAME)", "SIGNALS", "SUMMARY"]
    return TextTable.lines([header] + rows)
  }

  private func reference(_ entry: Catalog.Entry) -> String {
    "# \(entry.descriptor.type) (\(entry.kind.rawValue))\n\n\(entry.descriptor.summary)\n\n"
      + ReferenceRenderer.markdown(of: entry.configuration)
  }
}
