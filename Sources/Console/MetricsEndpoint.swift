package import Engine
package import Logging
package import PipelineKit
import Transport

/// Serves the collector's own metrics at `/metrics`, for Prometheus to scrape.
package final class MetricsEndpoint: Sendable {
  private let address: String
  private let server: HTTPServer

  /// An endpoint on `address` (host:port) that shows what `level` includes.
  package init(
    address: String, metrics: SelfMetrics, level: MetricsLevel, hasTypeSuffix: Bool, logger: Logger
  ) {
    self.address = address
    let handler = Handler(metrics: metrics, level: level, text: PrometheusText(hasTypeSuffix: hasTypeSuffix))
    server = HTTPServer(config: HTTPServerConfig(endpoint: address), handler: handler, logger: logger)
  }

  /// Starts listening; returns the address it got. Throws a ``StartError`` that names the address.
  package func start() async throws -> String {
    do { return try await server.start() } catch {
      throw StartError(
        "own metrics: \(error)",
        help: "set another address in service.telemetry.metrics.readers, or level: none to serve no metrics")
    }
  }

  package func stop() async { await server.stop() }

  private struct Handler: HTTPRequestHandler {
    let metrics: SelfMetrics
    let level: MetricsLevel
    let text: PrometheusText

    func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
      if path != "/metrics" { return .text(404, "not found; metrics are at /metrics\n") }
      if method != "GET" && method != "HEAD" {
        var answer = HTTPAnswer.text(405, "use GET\n")
        answer.headers = [("Allow", "GET, HEAD")]
        return answer
      }
      return nil
    }

    func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
      let families = metrics.snapshot().filter { level.includes($0) }
      responder.respond(
        HTTPAnswer(
          status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text.render(families)))
    }
  }
}

extension MetricsLevel {
  /// Which metrics the level shows: `basic` leaves out per-processor counts and histograms, `normal` leaves out
  /// only histograms in bytes, `detailed` shows everything.
  func includes(_ family: SelfMetricFamily) -> Bool {
    switch self {
    case .none: false
    case .basic: family.kind != .histogram && !family.name.hasPrefix("otelcol_processor_")
    case .normal: !(family.kind == .histogram && family.name.hasSuffix("_bytes"))
    case .detailed: true
    }
  }
}
