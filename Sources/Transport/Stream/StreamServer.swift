internal import ConfigSchema
package import Logging
internal import NIOCore
internal import NIOPosix

/// A TCP or TLS server that hands on what comes over its connections as it comes, and answers nothing.
///
/// For protocols that only send, such as lines of text or syslog.
package final class StreamServer: Sendable {
  /// How long what came over the connections of a lane is gathered before ``StreamHandler/gathered(on:)`` is called.
  package static let gatherTime = Duration.milliseconds(5)
  private static let largestRead = 64 << 10

  private let listener: Listener
  private let idleTimeout: TimeAmount?
  private let lanes: [ObjectIdentifier: StreamLane]

  /// - Parameter config: must have passed its own check.
  package init(
    config: StreamServerConfig, handler: any StreamHandler, logger: Logger,
    hooks: ServerHooks = ServerHooks()
  ) {
    listener = Listener(
      endpoint: config.listenAddress, transport: .tcp, logger: logger, limits: config.limits, hooks: hooks,
      door: TLSDoor(config.tls, inner: .stream, logger: logger, hooks: hooks))
    idleTimeout =
      config.connectionIdleTimeout > .zero ? TimeAmount(clamping: config.connectionIdleTimeout) : nil
    var lanes: [ObjectIdentifier: StreamLane] = [:]
    for (index, loop) in EventLoops.group.makeIterator().enumerated() {
      lanes[ObjectIdentifier(loop)] = StreamLane(
        index: index, loop: loop, handler: handler, gatherTime: TimeAmount(clamping: Self.gatherTime))
    }
    self.lanes = lanes
  }

  /// How many lanes every server of the process has.
  package static var laneCount: Int { EventLoops.group.makeIterator().reduce(0) { count, _ in count + 1 } }

  /// Connections open now.
  package var openConnections: Int { listener.connections.count }

  /// Listens.
  /// - Returns: the address, with the port that was chosen when the configured one is 0.
  /// - Throws: ``BindError``, or a ``TLSFileError`` when certificate or key cannot be used.
  package func start() async throws -> String {
    let (lanes, idleTimeout, connections) = (lanes, idleTimeout, listener.connections)
    return try await listener.start(keepsHalfClosed: false, largestRead: Self.largestRead) { channel in
      guard let lane = lanes[ObjectIdentifier(channel.eventLoop)] else { return channel.close(promise: nil) }
      // A client that vanished without a word would otherwise count as connected for ever.
      try channel.syncOptions?.setOption(.socketOption(.so_keepalive), value: 1)
      try channel.pipeline.syncOperations.addHandler(
        StreamConnection(lane: lane, connections: connections, idleTimeout: idleTimeout))
    }
  }

  /// Accepts no more, asks clients to go, reads what they have sent, and closes what is left after the deadline.
  package func stop(within deadline: Duration = .seconds(3)) async { await listener.stop(within: deadline) }
}
