package import ConfigSchema
import Logging
package import PipelineKit
package import Transport

/// `service.admin`: the address for operators. `POST /-/reload` reads the configuration again and goes over to it.
///
/// It answers 200 with what was kept, replaced, added and removed, 400 with every mistake of a configuration that is
/// wrong, 500 when a component could not be started, and 503 while the collector stops.
package final class AdminServer: ServiceExtension {
  package struct Config: ConfigGroup {
    package var server = HTTPServerConfig(endpoint: "localhost:13999")
    package init() {}

    package static let fields: [Field<Self>] = [.group(\.server)]
  }

  package static let descriptor = ComponentDescriptor(
    type: "admin", signals: [], summary: "Serves operators: POST /-/reload.")

  private let config: Config
  private let server: HTTPServer
  private let context: ComponentContext

  package init(config: Config, context: ComponentContext) throws {
    self.config = config
    self.context = context
    server = HTTPServer(
      config: config.server, handler: Handler(control: context.control), logger: context.logger,
      hooks: try ServerHooks(config.server.auth, transport: "http", context: context))
  }

  package func start() async throws {
    let address = try await server.start()
    let scheme = config.server.tls == nil ? "http" : "https"
    context.logger.info("the admin address is served", metadata: ["address": "\(scheme)://\(address)/"])
  }

  package func stop() async { await server.stop() }

  private struct Handler: HTTPRequestHandler {
    let control: any CollectorControl

    func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
      if path != "/-/reload" { return .text(404, "not found; POST /-/reload is what there is\n") }
      if method != "POST" {
        var answer = HTTPAnswer.text(405, "use POST\n")
        answer.headers = [("Allow", "POST")]
        return answer
      }
      return nil
    }

    func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
      // Any web page can make a browser send a POST to localhost; it cannot leave this header out.
      guard request.header("Origin") == nil else {
        return responder.respond(.text(403, "not for web pages\n"))
      }
      control.reload { answer in
        switch answer {
        case .done(let summary): responder.respond(Self.done(summary))
        case .invalid(let findings): responder.respond(.text(400, findings))
        case .failed(let error):
          responder.respond(.text(500, "\(error)\nThe earlier configuration goes on.\n"))
        case .stopping: responder.respond(.text(503, "the collector is stopping\n"))
        }
      }
    }

    private static func done(_ summary: ReloadSummary) -> HTTPAnswer {
      func names(_ list: [String]) -> ConfigLiteral { .list(list.map { .string($0) }) }
      let body = ConfigLiteral.map([
        .init("kept", names(summary.kept)), .init("replaced", names(summary.replaced)),
        .init("added", names(summary.added)), .init("removed", names(summary.removed)),
      ])
      return HTTPAnswer(
        status: 200, contentType: "application/json", body: Array("\(body.json)\n".utf8))
    }
  }
}
