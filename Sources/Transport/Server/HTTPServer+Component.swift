internal import ConfigSchema
internal import Logging
package import PipelineKit

extension HTTPServer {
  /// Makes and starts the server of a component whose settings are those of the server, and logs where it listens.
  ///
  /// - Returns: the server, and its address with the port that was chosen when the configured one is 0.
  /// - Throws: a `StartError` that says what to change.
  package static func started(
    _ config: HTTPServerConfig, _ handler: any HTTPRequestHandler, for context: ComponentContext
  ) async throws -> (server: HTTPServer, address: String) {
    let server = HTTPServer(
      config: config, handler: handler, logger: context.logger,
      hooks: try ServerHooks(config.auth, transport: "http", context: context))
    do {
      let address = try await server.start()
      context.logger.info("listening", metadata: ["protocol": "http", "address": "\(address)"])
      return (server, address)
    } catch let error as BindError {
      throw StartError(
        "\(error)", help: "change endpoint (\(config.endpoint)), or stop what listens there",
        isInUse: error.isInUse)
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
  }
}
