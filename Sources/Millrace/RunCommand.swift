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
      SIGTERM or SIGINT drains and stops; a second one ends at once.

      EXAMPLES:
        millrace run pipelines/quickstart.yaml
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

  func run() async throws {
    let (plan, diagnostics) = ConfigArguments.plan(arguments.sources, overrides: arguments.set)
    if !diagnostics.isEmpty {
      Terminal.err(diagnostics.render(colour: Terminal.wantsColour(STDERR_FILENO)))
    }
    guard let plan else {
      Terminal.err("\(diagnostics.summary)\n")
      throw ExitCode(1)
    }
    Allocator.configure()
    // Writing to a closed pipe or socket is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let logger = Self.logger(plan.telemetry.logs)
    do {
      try await run(plan, logger)
    } catch {
      logger.error("millrace stops", metadata: ["error": "\(error)"])
      throw ExitCode(1)
    }
  }

  private func run(_ plan: Plan, _ logger: Logger) async throws {
    let clock = SystemClock()
    let metrics = SelfMetrics()
    let parts = EngineParts(
      clock: clock, randomness: SystemRandomness(), metrics: metrics, ledger: Ledger(metrics: metrics))
    ProcessMetrics.register(
      in: metrics, clock: clock, resource: plan.telemetry.resourceAttributes(version: Millrace.version))
    let status = CollectorStatus(clock: clock)
    let collector = try Collector(plan: plan, parts: parts, logger: logger, status: status)
    let shutdown = Milestone()
    let signals = StopSignals { name in
      logger.info("stopping", metadata: ["signal": "\(name)"])
      shutdown.reach()
    }
    logger.info("millrace starts", metadata: ["version": "\(Millrace.version)"])
    let endpoints = plan.telemetry.metrics.endpoints.map {
      MetricsEndpoint(
        address: $0.address, metrics: metrics, level: plan.telemetry.metrics.level,
        hasTypeSuffix: $0.hasTypeSuffix,
        logger: logger)
    }
    for endpoint in endpoints {
      let address = try await endpoint.start()
      logger.info("own metrics are served", metadata: ["address": "http://\(address)/metrics"])
    }
    // Own metrics stop last, so that the end of the drain can still be scraped.
    let result: Result<[Balance], any Error>
    do {
      result = .success(try await collector.run(until: shutdown, drainTimeout: .seconds(shutdownTimeout)))
    } catch {
      result = .failure(error)
    }
    for endpoint in endpoints { await endpoint.stop() }
    // Also after a failure: what came in before it is accounted for.
    let balances = (try? result.get()) ?? collector.balances().filter { !$0.lines.isEmpty }
    BalanceSheet.log(balances, to: logger)
    _ = try result.get()
    signals.cancel()
  }

  private static func logger(_ config: LogsTelemetryConfig) -> Logger {
    let lines = LogLines(
      level: config.loggerLevel, encoding: config.encoding == .json ? .json : .console,
      outputs: config.outputPaths.map { $0 == "stdout" ? .stdout : .stderr })
    var logger = Logger(label: "millrace") { _ in lines }
    for field in config.initialFields { logger[metadataKey: field.key] = "\(field.value)" }
    return logger
  }
}
