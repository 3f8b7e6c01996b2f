import ArgumentParser
import PipelineKit

/// The `millrace` command.
@main
struct Millrace: AsyncParsableCommand {
  static let version = Product.version

  static let configuration = CommandConfiguration(
    commandName: "millrace",
    abstract: "A telemetry pipeline: receives, batches and delivers traces, metrics and logs.",
    discussion: """
      EXAMPLES:
        millrace run pipelines/quickstart.yaml
        millrace --config base.yaml --config site.yaml --set exporters.debug.verbosity=detailed
        millrace check pipelines/*.yaml
        millrace components --json
        millrace storage inspect /var/lib/otelcol/file_storage

      Configuration is OpenTelemetry Collector YAML. Exit codes: 0 done, 1 wrong configuration or a component
      failed, 64 wrong command line, 128+n ended by a second signal n.
      """,
    version: "millrace \(version)",
    subcommands: [RunCommand.self, CheckCommand.self, ComponentsCommand.self, StorageCommand.self],
    defaultSubcommand: RunCommand.self)
}
