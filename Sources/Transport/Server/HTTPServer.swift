internal import ConfigSchema
package import Logging
internal import NIOCore
internal import NativeCodecs

/// An HTTP/1.1 server that hands whole requests to a handler.
///
/// Keeps connections alive, answers pipelined requests in order, decompresses bodies while they arrive, and bounds
/// everything a client can make it hold.
package final class HTTPServer: Sendable {
  private let listener: Listener
  let shared: HTTPConnection.Shared

  /// - Parameters:
  ///   - config: must have passed its own check.
  ///   - hooks: who is asked and told besides the handler.
  ///   - patience: how long a body may take before it must make room for others when the budget is used up.
  package init(
    config: HTTPServerConfig, handler: any HTTPRequestHandler, logger: Logger,
    hooks: ServerHooks = ServerHooks(), patience: Duration = .seconds(5)
  ) {
    listener = Listener(
      endpoint: config.endpoint, transport: config.transport, logger: logger, limits: config.limits,
      hooks: hooks, door: TLSDoor(config.tls, inner: .http, logger: logger, hooks: hooks))
    let connections = listener.connections
    let budget = AdmissionBudget(
      config.limits.maxInflightBytes.bytes, largestBody: config.bodyLimit, whole: hooks.requests
    ) {
      connections.makeRoom()
    }
    shared = HTTPConnection.Shared(
      config: config, handler: handler, hooks: hooks, budget: budget, connections: connections,
      patience: TimeAmount(clamping: patience))
  }

  /// Connections open now.
  package var openConnections: Int { listener.connections.count }

  /// Bytes of request bodies held now.
  package var heldBytes: Int { shared.budget.held }

  /// Listens.
  /// - Returns: the address, with the port that was chosen when the configured one is 0.
  /// - Throws: ``BindError``, or a ``TLSFileError`` when certificate or key cannot be used.
  package func start() async throws -> String {
    let shared = shared
    return try await listener.start(keepsHalfClosed: true, largestRead: 64 << 10) { channel in
      try Self.addHandlers(shared, to: channel)
    }
  }

  /// Adds the handler of one connection; runs on its event loop.
  static func addHandlers(_ shared: HTTPConnection.Shared, to channel: any Channel) throws {
    try channel.pipeline.syncOperations.addHandler(HTTPConnection(shared: shared, loop: channel.eventLoop))
  }

  /// Accepts no more, answers what is under way, closes idle connections; closes the rest after the deadline.
  package func stop(within deadline: Duration = .seconds(10)) async { await listener.stop(within: deadline) }
}
