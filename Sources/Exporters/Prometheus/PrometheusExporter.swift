internal import ConfigSchema
internal import Logging
package import PipelineKit
internal import PrometheusData
internal import Synchronization
package import TelemetryData
internal import Transport

/// Exposes metrics at `/metrics`, for Prometheus to scrape: the last value of each series.
///
/// Points are taken at once; scrapes are written on a thread of their own from a snapshot, so that neither waits long
/// for the other.
package final class PrometheusExporter: InlineExporter {
  package typealias Config = PrometheusExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "prometheus", signals: [.metrics],
    summary: "Exposes metrics for Prometheus to scrape: text, OpenMetrics and protobuf.")

  private let config: PrometheusExporterConfig
  private let context: ComponentContext
  private let series: ExposedSeriesState
  private let server = Mutex<HTTPServer?>(nil)
  private let bound = Mutex("")

  package init(config: PrometheusExporterConfig, context: ComponentContext) {
    self.config = config
    self.context = context
    series = ExposedSeriesState(config, context)
  }

  /// Where it listens, once started: `127.0.0.1:8889`.
  package var address: String { bound.withLock { $0 } }

  package func start() async throws {
    let handler = PrometheusScrapeHandler(series: series, config: config, label: "millrace.\(context.id)")
    let (server, address) = try await HTTPServer.started(config.server, handler, for: context)
    bound.withLock { $0 = address }
    self.server.withLock { $0 = server }
  }

  package func export(_ batch: Batch) -> Outcome { series.take(batch) }

  package func stop() async {
    let server = server.withLock { held in
      defer { held = nil }
      return held
    }
    await server?.stop()
  }
}

/// The series of one exporter, taken from batches and handed to scrapes.
final class ExposedSeriesState: Sendable {
  private struct State: ~Copyable {
    var store: ExpositionStore
    var walker: SeriesWalker
    var nextSweep: MonotonicInstant
  }
  private let state: Mutex<State>
  private let sweepInterval: Duration
  private let context: ComponentContext
  private let conflicts: SelfMetricCell
  private let overLimit: SelfMetricCell
  private let log: RateLimitedLog

  init(_ config: PrometheusExporterConfig, _ context: ComponentContext) {
    self.context = context
    state = Mutex(
      State(
        store: ExpositionStore(
          limit: config.maxBytes.bytes, expiration: config.metricExpiration.wholeNanoseconds,
          claimsBaseNames: config.enableOpenMetrics),
        walker: SeriesWalker(config.translation), nextSweep: context.clock.now))
    sweepInterval = min(config.metricExpiration, .seconds(60))
    func counter(_ reason: String) -> SelfMetricCell {
      context.metrics.counter(
        "millrace_exporter_refused_series_points",
        help: "Points that an endpoint for scrapers could not expose, by reason.",
        labels: [("exporter", context.id.description), ("reason", reason)])
    }
    conflicts = counter("type_conflict")
    overLimit = counter("max_bytes")
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Keeps the points of a batch.
  func take(_ batch: Batch) -> Outcome {
    let now = context.clock.now
    let (report, drops) = state.withLock { state in
      if now >= state.nextSweep {
        state.store.removeExpired(at: now.nanoseconds)
        state.nextSweep = now + sweepInterval
      }
      state.store.begin(at: now.nanoseconds)
      state.walker.walk(batch, into: &state.store)
      state.store.finish()
      return (state.store.report, state.walker.drops)
    }
    if report.refused == 0, drops.isEmpty { return .accepted }
    return .partial(rejected: report.refused + drops.total, message: tell(report, drops)).bounded(
      to: batch.itemCount)
  }

  /// Counts and logs what was not taken, and says why.
  private func tell(_ report: ExpositionStore.Report, _ drops: SeriesDrops) -> String {
    if let name = report.newConflict {
      context.logger.warning(
        "a metric has the name of another one of a different type, and is not exposed",
        metadata: ["metric": "\(name)"])
    }
    if report.conflicts > 0 { conflicts.add(report.conflicts) }
    if report.overLimit > 0 {
      overLimit.add(report.overLimit)
      log.log(
        .warning, "further series are not exposed: they would take more than max_bytes",
        metadata: ["points": "\(report.overLimit)"])
      return "the series would take more than max_bytes"
    }
    return report.conflicts > 0
      ? "a metric has the name of another one of a different type"
      : "some points have no Prometheus series: "
        + drops.byReason.map { "\($0.points) \($0.reason.rawValue)" }.joined(separator: ", ")
  }

  /// What is exposed now.
  func snapshot() -> [ExposedFamily] {
    let now = context.clock.now.nanoseconds
    return state.withLock { $0.store.snapshot(at: now) }
  }
}
