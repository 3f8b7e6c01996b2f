import ArgumentParser
import ConfigSchema
import Engine
import Glibc

/// `millrace check`: finds every mistake of a configuration without opening a file or socket it names.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Checks configuration files and reports every mistake at once.",
    discussion: """
      Each FILE is checked on its own; files given with --config are merged first, as 'run' would.

      EXAMPLES:
        millrace check pipelines/*.yaml
        millrace check --config base.yaml --config site.yaml
        millrace validate --config /etc/otelcol/config.yaml
        millrace check --json pipeline.yaml
        millrace check --print-config base.yaml
        millrace check --explain-delivery pipeline.yaml
      """,
    aliases: ["validate"])

  @OptionGroup var arguments: ConfigArguments

  @Flag(help: "Report as JSON, for editors and CI.")
  var json = false

  @Flag(help: "Say for every path from a receiver to an exporter what it guarantees.")
  var explainDelivery = false

  @Flag(help: "Print the configuration in force as YAML: files merged, defaults filled in, secrets masked.")
  var printConfig = false

  func run() async throws {
    var groups = arguments.files.map { [ConfigSource($0)] }
    if !arguments.config.isEmpty { groups.insert(arguments.config.map { ConfigSource($0) }, at: 0) }
    var failed = false
    for sources in groups {
      let (plan, diagnostics) = ConfigArguments.plan(sources, overrides: arguments.set)
      failed = failed || plan == nil
      report(plan, diagnostics, name: sources.map(\.name).joined(separator: " + "))
    }
    if failed { throw ExitCode(1) }
  }

  private func report(_ plan: Plan?, _ diagnostics: Diagnostics, name: String) {
    if json {
      if explainDelivery, let plan {
        return Terminal.out(DeliveryExplanation.literal(plan).prettyJSON() + "\n")
      }
      Terminal.out(diagnostics.json() + "\n")
      return
    }
    if !diagnostics.isEmpty {
      Terminal.err(diagnostics.render(colour: Terminal.wantsColour(STDERR_FILENO)))
    }
    if let plan, printConfig {
      Terminal.err("\(name): ok\n")
      Terminal.out("# \(name)\n\(PrintedConfig.text(plan))")
    } else if let plan {
      Terminal.out("\(name): ok, \(plan.pipelines.map(\.id).joined(separator: ", "))\n")
      if explainDelivery { Terminal.out(DeliveryExplanation.text(plan)) }
    } else {
      Terminal.err("\(name): \(diagnostics.summary)\n")
    }
  }
}
