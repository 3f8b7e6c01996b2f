import ConfigSchema
import Console
import Dispatch
import Engine
import Logging
import PipelineKit
import Synchronization

/// Reads the configuration again when asked to, and lets the collector go over to it.
///
/// One reload at a time. What is asked for meanwhile leads to one more afterwards, so that the last change always counts.
final class ConfigReloads: CollectorControl {
  /// Who asked.
  enum Trigger: String, Sendable {
    case signal = "SIGHUP"
    case watch = "--watch"
    case request = "/-/reload"
  }

  /// What a reload changes.
  struct Targets: Sendable {
    let collector: Collector
    let endpoints: MetricsEndpoints
    let logSettings: LogSettings
  }

  private typealias Answer = @Sendable (ReloadAnswer) -> Void
  private struct State {
    var waiting: [Answer] = []
    var triggers: Set<Trigger> = []
    var files: [String: FileStamp]
    var telemetry: TelemetryConfig
    var isOver = false
  }

  private let read: @Sendable () async -> LoadedConfig
  private let logger: Logger
  private let clock: any PipelineClock
  private let metrics: SelfMetrics
  private let state: Mutex<State>
  private let wakeUps: AsyncStream<Void>
  private let wakeUp: AsyncStream<Void>.Continuation
  private let lastSucceeded: SelfMetricCell
  private let lastSuccessAt: SelfMetricCell
  private static let fileThread = DispatchQueue(label: "millrace.config")

  init(
    _ arguments: ConfigArguments, running: LoadedConfig, telemetry: TelemetryConfig, logger: Logger,
    clock: any PipelineClock, metrics: SelfMetrics
  ) {
    let (sources, overrides) = (arguments.sources, arguments.set)
    read = { await LoadedConfig.read(sources, overrides: overrides, on: Self.fileThread) }
    self.logger = logger
    self.clock = clock
    self.metrics = metrics
    state = Mutex(State(files: running.files, telemetry: telemetry))
    (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    lastSucceeded = metrics.gauge(
      "millrace_config_last_reload_successful", help: "Whether the last reload, or the start, went well.")
    lastSuccessAt = metrics.gauge(
      "millrace_config_last_reload_success_timestamp_seconds",
      help: "When the running configuration was loaded, in seconds since the Unix epoch.", unit: "s")
    succeeded()
  }

  private func succeeded() {
    lastSucceeded.set(1)
    lastSuccessAt.set(Int(clock.unixNanoseconds / 1_000_000_000))
  }

  // MARK: Asking

  func reload(_ answer: @escaping @Sendable (ReloadAnswer) -> Void) { ask(.request, answer) }

  func ask(_ trigger: Trigger, _ answer: (@Sendable (ReloadAnswer) -> Void)? = nil) {
    let isOver = state.withLock { state in
      if state.isOver { return true }
      state.triggers.insert(trigger)
      if let answer { state.waiting.append(answer) }
      return false
    }
    if isOver { answer?(.stopping) } else { wakeUp.yield() }
  }

  /// Nothing is reloaded any more.
  func end() {
    let waiting = state.withLock { state in
      state.isOver = true
      defer { state.waiting = [] }
      return state.waiting
    }
    wakeUp.finish()
    for answer in waiting { answer(.stopping) }
  }

  // MARK: Work

  /// Reloads whenever asked to, until ``end()``.
  func run(_ targets: Targets) async {
    for await _ in wakeUps {
      let (waiting, triggers) = state.withLock { state in
        defer { (state.waiting, state.triggers) = ([], []) }
        return (state.waiting, state.triggers)
      }
      if triggers.isEmpty { continue }
      let answer = await reload(targets, by: triggers.map(\.rawValue).sorted().joined(separator: ", "))
      for waiter in waiting { waiter(answer) }
    }
  }

  /// Asks for a reload when a file that the configuration was read from changes, until the task is cancelled.
  ///
  /// Files are looked at every second. Whatever writes them is given time to finish: they must look the same twice.
  func watch() async {
    var failed: [String: FileStamp]?
    while await pause(.seconds(1)) {
      let known = state.withLock { $0.files }
      var now = await stamps(of: known)
      if now == known || now == failed { continue }
      while await pause(.milliseconds(200)) {
        let later = await stamps(of: known)
        if later == now { break }
        now = later
      }
      failed = now
      ask(.watch)
    }
  }

  private func pause(_ duration: Duration) async -> Bool {
    do { try await clock.sleep(for: duration) } catch { return false }
    return true
  }

  private func stamps(of files: [String: FileStamp]) async -> [String: FileStamp] {
    await withCheckedContinuation { continuation in
      Self.fileThread.async { continuation.resume(returning: FileStamp.all(of: files.keys)) }
    }
  }

  private func reload(_ targets: Targets, by trigger: String) async -> ReloadAnswer {
    let started = clock.now
    logger.info("reloading the configuration", metadata: ["trigger": "\(trigger)"])
    let loaded = await read()
    state.withLock { $0.files = loaded.files }
    guard let plan = loaded.plan else {
      finished("invalid", isSuccess: false)
      log(loaded.diagnostics)
      return .invalid(loaded.diagnostics.render())
    }
    for finding in loaded.diagnostics.sorted where finding.severity == .warning { log(finding) }
    do {
      let summary = try await apply(plan, to: targets)
      finished("success", isSuccess: true)
      log(summary, took: clock.now - started)
      return .done(summary)
    } catch is ReloadRefused {
      return .stopping
    } catch {
      finished("failed", isSuccess: false)
      logger.error(
        "the configuration was not reloaded, the earlier one goes on", metadata: ["error": "\(error)"])
      return .failed("\(error)")
    }
  }

  private func apply(_ plan: Plan, to targets: Targets) async throws -> ReloadSummary {
    let before = state.withLock { $0.telemetry }
    try await targets.endpoints.change(to: plan.telemetry.metrics)
    let summary: ReloadSummary
    do { summary = try await targets.collector.reload(plan) } catch {
      try await targets.endpoints.change(to: before.metrics)
      throw error
    }
    targets.logSettings.change(to: plan.telemetry.logs)
    ProcessMetrics.identify(
      in: metrics, resource: plan.telemetry.resourceAttributes(version: Millrace.version))
    state.withLock { $0.telemetry = plan.telemetry }
    return summary
  }

  // MARK: Telling

  private func finished(_ outcome: String, isSuccess: Bool) {
    metrics.counter(
      "millrace_config_reloads", help: "Reloads by what came of them.", labels: [("outcome", outcome)]
    ).add(1)
    if isSuccess { succeeded() } else { lastSucceeded.set(0) }
  }

  private func log(_ summary: ReloadSummary, took: Duration) {
    let changes = [
      ("replaced", summary.replaced), ("added", summary.added), ("removed", summary.removed),
    ].filter { !$0.1.isEmpty }
    var fields: Logger.Metadata = [
      "kept": "\(summary.kept.count)", "milliseconds": "\(took.wholeNanoseconds / 1_000_000)",
    ]
    for (name, list) in changes {
      fields[name] = "\(list.count)"
      fields["\(name)_names"] = "\(list.joined(separator: ", "))"
    }
    logger.info(
      changes.isEmpty ? "configuration reloaded, no component changed" : "configuration reloaded",
      metadata: fields)
  }

  private func log(_ diagnostics: Diagnostics) {
    logger.error(
      "the configuration is wrong, the earlier one goes on", metadata: ["findings": "\(diagnostics.summary)"])
    let errors = diagnostics.sorted.filter { $0.severity == .error }
    for finding in errors.prefix(20) { log(finding) }
  }

  private func log(_ finding: Diagnostic) {
    var fields: Logger.Metadata = ["code": "\(finding.code)"]
    if let location = finding.location { fields["at"] = "\(location)" }
    if !finding.path.isEmpty { fields["path"] = "\(finding.path)" }
    if let help = finding.help { fields["help"] = "\(help)" }
    logger.log(
      level: finding.severity == .error ? .error : .warning, "\(finding.message)", metadata: fields)
  }
}
