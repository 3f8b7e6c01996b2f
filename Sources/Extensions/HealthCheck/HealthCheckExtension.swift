package import ConfigSchema
import Logging
package import PipelineKit
package import Transport

/// `health_check`: answers load balancers and orchestrators whether the collector is ready.
///
/// 200 with a small JSON object once every component runs, 503 while starting and while draining.
package final class HealthCheckExtension: ServiceExtension {
  package struct Config: ConfigGroup {
    package var server = HTTPServerConfig(endpoint: "localhost:13133")
    package var path = "/"
    package var responseBody: ResponseBody?
    package init() {}

    package static let fields: [Field<Self>] = [
      .group(\.server),
      Field("path", \.path, "Path that is answered; others get 404.", check: .nonEmpty),
      Field("response_body", \.responseBody, "Fixed bodies instead of the JSON status."),
      .accepted("check_collector_pipeline", "the Collector ignores it as well"),
    ]
  }

  /// Fixed answers of the health check.
  package struct ResponseBody: ConfigGroup {
    package var healthy = ""
    package var unhealthy = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("healthy", \.healthy, "Body of the answer while ready."),
      Field("unhealthy", \.unhealthy, "Body of the answer while not ready."),
    ]
  }

  package static let descriptor = ComponentDescriptor(
    type: "health_check", signals: [], summary: "Answers HTTP 200 once the collector is ready, 503 otherwise."
  )

  private let server: HTTPServer
  private let context: ComponentContext

  package init(config: Config, context: ComponentContext) throws {
    self.context = context
    server = HTTPServer(
      config: config.server, handler: Handler(config: config, context: context), logger: context.logger,
      hooks: try ServerHooks(config.server.auth, transport: "http", context: context))
  }

  package func start() async throws {
    let address = try await server.start()
    context.logger.info("health check is served", metadata: ["address": "\(address)"])
  }

  package func stop() async { await server.stop() }

  private struct Handler: HTTPRequestHandler {
    let config: Config
    let context: ComponentContext

    func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
      path == config.path ? nil : .text(404, "not found\n")
    }

    func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
      let isReady = context.health.health == .ready
      let status = isReady ? 200 : 503
      if let bodies = config.responseBody {
        responder.respond(.text(status, isReady ? bodies.healthy : bodies.unhealthy))
        return
      }
      let seconds = (context.clock.unixNanoseconds &- context.health.startedAt) / 1_000_000_000
      let text = isReady ? "Server available" : "Server not available"
      let body =
        "{\"status\":\"\(text)\",\"state\":\"\(context.health.health.rawValue)\",\"uptime_seconds\":\(seconds)}"
      responder.respond(HTTPAnswer(status: status, contentType: "application/json", body: Array(body.utf8)))
    }
  }
}
