import ArgumentParser
import ConfigSchema
import Console
import Engine
import Glibc
import Logging
import NativeCodecs
import PipelineKit

/// `millrace run`: runs a configuration until it is told to stop.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a pipeline configuration.",
    discussion: """
      SIGTERM or SIGINT drains and stops; a second one ends at once. SIGHUP reads the configuration again and goes
      over to it without losing data; a wrong one is reported and changes nothing.

      Exit codes: 0 stopped as asked, also when the shutdown deadline passed and items were dropped (the log and the
      balance sheet say so); 1 wrong configuration, or a component failed; 64 wrong command line; 128+n ended by a
      second signal n.

      EXAMPLES:
        millrace run pipelines/quickstart.yaml
        millrace run --watch pipelines/quickstart.yaml
        millrace run base.yaml site.yaml --set service.telemetry.logs.level=debug
        millrace --config /etc/otelcol/config.yaml
        millrace --config env:MILLRACE_CONFIG --config 'yaml:processors::batch::timeout: 2s'
      """)

  @OptionGroup var arguments: ConfigArguments

  @Option(
    help: "How long draining may take at shutdown, in seconds; what is left then is dropped and counted.")
  var shutdownTimeout: Double = 30

  func validate() throws {
    guard shutdownTimeout >= 0, shutdownTimeout <= 86_400 else {
      throw ValidationError("--shutdown-timeout must be between 0 and 86400 seconds")
    }
  }

  @Flag(help: "Reload whenever a file that the configuration was read from has changed.")
  var watch = false

  func run() async throws {
    let loaded = LoadedConfig.read(arguments.sources, overrides: arguments.set)
    let diagnostics = loaded.diagnostics
    if !diagnostics.isEmpty {
      Terminal.err(diagnostics.render(colour: Terminal.wantsColour(STDERR_FILENO)))
    }
    guard let plan = loaded.plan else {
      Terminal.err("\(diagnostics.summary)\n")
      throw ExitCode(1)
    }
    Allocator.configure()
    // Writing to a closed pipe or socket is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let logSettings = LogSettings(plan.telemetry.logs)
    let logger = Logger(label: "millrace") { _ in LogLines(logSettings) }
    do {
      try await run(plan, loaded, logSettings, logger)
    } catch {
      logger.error("millrace stops", metadata: ["error": "\(error)"])
      throw ExitCode(1)
    }
  }

  private func run(
    _ plan: Plan, _ loaded: LoadedConfig, _ logSettings: LogSettings, _ logger: Logger
  ) async throws {
    let clock = SystemClock()
    let metrics = SelfMetrics()
    let reloads = ConfigReloads(
      arguments, running: loaded, telemetry: plan.telemetry, logger: logger, clock: clock, metrics: metrics)
    let parts = EngineParts(
      clock: clock, randomness: SystemRandomness(), metrics: metrics, ledger: Ledger(metrics: metrics),
      control: reloads, memory: ProcessMemory(source: SystemMemory(giveBack: Allocator.giveBack)))
    ProcessMetrics.register(
      in: metrics, clock: clock, resource: plan.telemetry.resourceAttributes(version: Millrace.version))
    let status = CollectorStatus(clock: clock)
    let collector = try Collector(plan: plan, parts: parts, logger: logger, status: status)
    let shutdown = Milestone()
    let signals = ProcessSignals(
      stop: { name in
        logger.info("stopping", metadata: ["signal": "\(name)"])
        shutdown.reach()
      }, reload: { reloads.ask(.signal) })
    logger.info("millrace starts", metadata: ["version": "\(Millrace.version)"])
    let endpoints = MetricsEndpoints(metrics: metrics, logger: logger)
    try await endpoints.change(to: plan.telemetry.metrics)
    let targets = ConfigReloads.Targets(
      collector: collector, endpoints: endpoints, logSettings: logSettings)
    let result = await run(collector, until: shutdown, reloads, targets)
    // Own metrics stop last, so that the end of the drain can still be scraped.
    await endpoints.stop()
    // Also after a failure: what came in before it is accounted for.
    let balances = (try? result.get()) ?? collector.balances().filter { !$0.lines.isEmpty }
    BalanceSheet.log(balances, to: logger)
    _ = try result.get()
    signals.cancel()
  }

  /// Runs the collector to its end, and reloads meanwhile.
  private func run(
    _ collector: Collector, until shutdown: Milestone, _ reloads: ConfigReloads,
    _ targets: ConfigReloads.Targets
  ) async -> Result<[Balance], any Error> {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await reloads.run(targets) }
      if watch { group.addTask { await reloads.watch() } }
      let result: Result<[Balance], any Error>
      do {
        result = .success(try await collector.run(until: shutdown, drainTimeout: .seconds(shutdownTimeout)))
      } catch {
        result = .failure(error)
      }
      reloads.end()
      group.cancelAll()
      return result
    }
  }
}
