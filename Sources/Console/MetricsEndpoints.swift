package import Engine
package import Logging
package import PipelineKit
import Synchronization

/// The endpoints of the collector's own metrics, which follow the configuration.
package final class MetricsEndpoints: Sendable {
  private struct Place: Hashable {
    let address: String
    let hasTypeSuffix: Bool
    let level: MetricsLevel
  }
  private let metrics: SelfMetrics
  private let logger: Logger
  private let running = Mutex<[Place: MetricsEndpoint]>([:])

  package init(metrics: SelfMetrics, logger: Logger) {
    self.metrics = metrics
    self.logger = logger
  }

  /// Serves what `config` asks for, and nothing else any more; endpoints that stay the same are not touched.
  ///
  /// - Throws: a `StartError`; the endpoints from before then go on.
  package func change(to config: MetricsTelemetryConfig) async throws {
    let wanted = config.endpoints.map {
      Place(address: $0.address, hasTypeSuffix: $0.hasTypeSuffix, level: config.level)
    }
    let before = running.withLock { $0 }
    let gone = before.filter { !wanted.contains($0.key) }
    // The same address may come back with another setting, so the old ones make room first.
    for endpoint in gone.values { await endpoint.stop() }
    var started: [Place: MetricsEndpoint] = [:]
    do {
      for place in wanted where before[place] == nil && started[place] == nil {
        started[place] = try await start(place)
      }
    } catch {
      for endpoint in started.values { await endpoint.stop() }
      for place in gone.keys {
        do {
          let again = try await start(place)
          running.withLock { $0[place] = again }
        } catch {
          running.withLock { $0[place] = nil }
          logger.error("own metrics are not served any more", metadata: ["error": "\(error)"])
        }
      }
      throw error
    }
    running.withLock { running in
      for place in gone.keys { running[place] = nil }
      running.merge(started) { _, new in new }
    }
  }

  package func stop() async {
    let endpoints = running.withLock { running in
      defer { running = [:] }
      return running.values.map(\.self)
    }
    for endpoint in endpoints { await endpoint.stop() }
  }

  private func start(_ place: Place) async throws -> MetricsEndpoint {
    let endpoint = MetricsEndpoint(
      address: place.address, metrics: metrics, level: place.level, hasTypeSuffix: place.hasTypeSuffix,
      logger: logger)
    let address = try await endpoint.start()
    logger.info("own metrics are served", metadata: ["address": "http://\(address)/metrics"])
    return endpoint
  }
}
