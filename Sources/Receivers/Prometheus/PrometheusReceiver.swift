internal import Logging
package import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Scrapes what Prometheus would scrape, with the same configuration, and makes OTLP metrics of it.
///
/// Each target has a task of its own that asks, reads and hands on, so that a slow target delays no other. What is told of
/// series and their ends is what Prometheus would have told; see `ScrapeState` in PrometheusData for how expositions
/// become metrics.
package final class PrometheusReceiver: Receiver {
  package typealias Config = PrometheusReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "prometheus", signals: [.metrics],
    summary: "Scrapes Prometheus targets, with the scrape_configs of Prometheus.")

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.inputs = config.inputs
    return traits
  }

  private enum Life {
    case idle
    /// Started, with the pools; not yet running.
    case started([ScrapePool])
    case running([ScrapePool])
    case stopped
  }

  private let config: PrometheusReceiverConfig
  private let context: ComponentContext
  private let life = Mutex(Life.idle)
  private let finished = StopSignal()

  package init(config: PrometheusReceiverConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let consumer = outputs.metrics else { return }
    var pools: [ScrapePool] = []
    for job in config.jobs {
      let pool = ScrapePool(job, config, consumer: consumer, context: context)
      do {
        try await pool.start()
      } catch {
        for pool in pools { await pool.close() }
        throw error
      }
      pools.append(pool)
    }
    life.withLock { $0 = .started(pools) }
  }

  package func run() async throws {
    let pools: [ScrapePool]? = life.withLock { life in
      guard case .started(let pools) = life else { return nil }
      life = .running(pools)
      return pools
    }
    guard let pools else { return }
    await withDiscardingTaskGroup { group in
      for pool in pools { group.addTask { await pool.run() } }
    }
    finished.stop()
  }

  package func stop() async {
    let (pools, isRunning) = life.withLock { life -> ([ScrapePool], Bool) in
      defer { life = .stopped }
      switch life {
      case .started(let pools): return (pools, false)
      case .running(let pools): return (pools, true)
      case .idle, .stopped: return ([], false)
      }
    }
    for pool in pools { pool.stop() }
    if isRunning { await finished.wait() }
    for pool in pools { await pool.close() }
  }
}
