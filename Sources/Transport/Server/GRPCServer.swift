internal import ConfigSchema
package import Logging
internal import NIOCore
internal import NIOHTTP2
internal import NativeCodecs

/// A gRPC server of unary methods that hands whole messages to a handler.
///
/// Source: the gRPC documentation, "gRPC over HTTP2", and grpc-go where that leaves a choice.
package final class GRPCServer: Sendable {
  private let listener: Listener
  let shared: GRPCConnection.Shared

  /// - Parameters:
  ///   - config: must have passed its own check.
  ///   - hooks: who is asked and told besides the handler.
  ///   - patience: how long a message may take before it must make room for others when the budget is used up.
  package init(
    config: GRPCServerConfig, handler: any GRPCRequestHandler, logger: Logger,
    hooks: ServerHooks = ServerHooks(), patience: Duration = .seconds(5)
  ) {
    let limits = config.limits
    listener = Listener(
      endpoint: config.endpoint, transport: config.transport, logger: logger, limits: limits.shared,
      hooks: hooks, door: TLSDoor(config.tls, inner: .grpc, logger: logger, hooks: hooks))
    let connections = listener.connections
    let budget = AdmissionBudget(
      limits.shared.maxInflightBytes.bytes, largestBody: config.messageLimit, whole: hooks.requests
    ) {
      connections.makeRoom()
    }
    shared = GRPCConnection.Shared(
      config: config, handler: handler, hooks: hooks, budget: budget, connections: connections,
      patience: TimeAmount(clamping: patience))
  }

  /// Connections open now.
  package var openConnections: Int { listener.connections.count }

  /// Requests open now.
  package var openStreams: Int { shared.openStreams.held }

  /// Bytes of messages held now.
  package var heldBytes: Int { shared.budget.held }

  /// Listens.
  /// - Returns: the address, with the port that was chosen when the configured one is 0.
  /// - Throws: ``BindError``, or a ``TLSFileError`` when certificate or key cannot be used.
  package func start() async throws -> String {
    let shared = shared
    // The HTTP/2 decoder keeps a buffer as large as the largest read: two full frames are a fair measure.
    return try await listener.start(keepsHalfClosed: false, largestRead: 32 << 10) { channel in
      try Self.addHandlers(shared, to: channel)
    }
  }

  /// Adds the handlers of one connection; runs on its event loop.
  static func addHandlers(_ shared: GRPCConnection.Shared, to channel: any Channel) throws {
    let watch = GoAwayWatch()
    let connection = GRPCConnection(shared: shared, loop: channel.eventLoop, watch: watch)
    let http2 = NIOHTTP2Handler(
      mode: .server, frameDelegate: watch, connectionConfiguration: shared.http2,
      streamConfiguration: shared.http2Streams)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(WriteCombiner())
    try pipeline.addHandler(GRPCArrivalHandler(connection))
    try pipeline.addHandler(http2)
    try pipeline.addHandler(connection)
  }

  /// Accepts no more, tells clients to go away, answers what is under way; closes the rest after the deadline.
  package func stop(within deadline: Duration = .seconds(10)) async { await listener.stop(within: deadline) }
}

/// Notices that the HTTP/2 layer gave up a connection: it then wrote a GOAWAY with an error.
final class GoAwayWatch: NIOHTTP2FrameDelegate {
  /// The error that it named.
  private(set) var failure: HTTP2ErrorCode?

  func wroteFrame(_ frame: HTTP2Frame) {
    if case .goAway(_, let code, _) = frame.payload, code != .noError { failure = code }
  }
}
