import ArgumentParser
import ConfigSchema
import Console
import Engine
import Glibc
import PipelineKit

/// The configuration files of a command, in the project's spelling and in the Collector's.
struct ConfigArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Configuration files; later ones win.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var files: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A configuration file or URI (file:, env:, yaml:), may be repeated; the Collector's spelling.",
      valueName: "uri"))
  var config: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Sets one value, such as processors.batch.timeout=2s; may be repeated.", valueName: "key=value"))
  var set: [String] = []

  var sources: [ConfigSource] { (config + files).map { ConfigSource($0) } }

  func validate() throws {
    if files.isEmpty && config.isEmpty {
      throw ValidationError(
        "no configuration was given: name a file, for example 'millrace run pipelines/quickstart.yaml'")
    }
  }

  /// The plan of the given sources, with every finding about them; nil when there are errors.
  static func plan(
    _ sources: [ConfigSource], overrides: [String], environment: ConfigEnvironment = .process
  ) -> (Plan?, Diagnostics) {
    var (root, diagnostics) = ConfigLoader.load(
      sources: sources, overrides: overrides, environment: environment)
    guard let root else { return (nil, diagnostics) }
    let plan = Plan.make(from: root, catalog: .standard, diagnostics: &diagnostics)
    return (diagnostics.hasErrors ? nil : plan, diagnostics)
  }
}

/// Text for people on standard output and standard error.
enum Terminal {
  static func out(_ text: String) { DescriptorOutput.write(text, to: STDOUT_FILENO) }
  static func err(_ text: String) { DescriptorOutput.write(text, to: STDERR_FILENO) }

  /// Whether colour helps: a terminal, and nobody asked for none.
  static func wantsColour(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && ConfigEnvironment.process.variable("NO_COLOR") == nil
  }
}
