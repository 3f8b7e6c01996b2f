internal import Logging
internal import NativeCodecs
package import PipelineKit

extension DatagramServer {
  /// Makes and starts the server of a component, and logs where it listens.
  ///
  /// - Parameters:
  ///   - section: where its settings stand within those of the component, for messages: `udp.` or empty.
  ///   - key: how the address is called there.
  ///   - transport: for logs, and to tell the servers of one component apart.
  /// - Returns: the server, and its address with the port that was chosen when the configured one is 0.
  /// - Throws: a `StartError` that says what to change.
  package static func started(
    _ settings: Settings, _ handler: any DatagramHandler, section: String = "",
    key: String = "listen_address",
    transport: String = "udp", for context: ComponentContext
  ) async throws -> (server: DatagramServer, address: HostPort) {
    let owner = ServerOwner(
      collector: ObjectIdentifier(context.metrics), component: context.id, transport: transport)
    let server = DatagramServer(settings, handler: handler, logger: context.logger, owner: owner)
    do {
      let address = try await server.start()
      context.logger.info("listening", metadata: ["protocol": "\(transport)", "address": "\(address)"])
      return (server, address)
    } catch let error as BindError {
      throw StartError(
        "\(error)",
        help: "change \(section)\(key) (\(settings.endpoint)), or stop what listens there",
        isInUse: error.isInUse)
    } catch let error as SystemCallError {
      throw StartError("\(error)", help: "raise the limits of the process")
    }
  }
}
