internal import Logging
package import PipelineKit

extension StreamServer {
  /// Makes and starts the server of a component, and logs where it listens.
  ///
  /// - Parameter section: where its settings stand within those of the component, for messages: `tcp.` or empty.
  /// - Returns: the server, and its address with the port that was chosen when the configured one is 0.
  /// - Throws: a `StartError` that says what to change.
  package static func started(
    _ config: StreamServerConfig, _ handler: any StreamHandler, section: String = "",
    for context: ComponentContext
  ) async throws -> (server: StreamServer, address: String) {
    let server = StreamServer(
      config: config, handler: handler, logger: context.logger,
      hooks: try ServerHooks(nil, transport: "tcp", context: context))
    do {
      let address = try await server.start()
      context.logger.info(
        "listening", metadata: ["protocol": config.tls == nil ? "tcp" : "tls", "address": "\(address)"])
      return (server, address)
    } catch let error as BindError {
      throw StartError(
        "\(error)",
        help: "change \(section)listen_address (\(config.listenAddress)), or stop what listens there",
        isInUse: error.isInUse)
    } catch let error as TLSFileError {
      throw StartError("\(section)\(error)")
    }
  }
}
