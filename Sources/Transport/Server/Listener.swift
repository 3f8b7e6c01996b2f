internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A listening socket and the connections accepted on it.
final class Listener: Sendable {
  private enum Phase {
    case fresh
    case listening(any Channel, renewal: RepeatedTask?)
    case stopped
  }

  /// The event that tells a connection to finish what it has and close.
  struct Drain: Sendable {}

  private let endpoint: String
  private let transport: ListenTransport
  /// Where a successor finds the socket; nil for servers that have none, and for socket files, which NIO removes with the
  /// channel that made them.
  private let place: ListeningSockets.Place?
  private let logger: Logger
  /// What connections go through first; nil for plaintext.
  private let door: TLSDoor?
  private let phase = Mutex<Phase>(.fresh)
  let connections: ConnectionSet
  private let refused: @Sendable (RefusalReason) -> Void

  init(
    endpoint: String, transport: ListenTransport, logger: Logger, limits: ServerLimits = ServerLimits(),
    hooks: ServerHooks = ServerHooks(), door: TLSDoor? = nil
  ) {
    connections = ConnectionSet(limits: ConnectionSet.Limits(limits), changed: hooks.connectionsChanged)
    refused = { reason in hooks.refused?(reason) }
    self.endpoint = endpoint
    self.transport = transport
    place = transport == .tcp ? hooks.owner.map { .init(owner: $0, endpoint: endpoint) } : nil
    self.logger = logger
    self.door = door
  }

  /// Listens.
  /// - Parameters:
  ///   - keepsHalfClosed: whether a client that ended its sending side still gets its answer.
  ///   - largestRead: the most bytes to read at a time.
  ///   - prepare: adds the handlers of a new connection; runs on its event loop.
  /// - Returns: the address, with the port that was chosen when the configured one is 0.
  /// - Throws: ``BindError``, or a ``TLSFileError`` when certificate or key cannot be used.
  func start(
    keepsHalfClosed: Bool, largestRead: Int, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) async throws -> String {
    let logger = logger
    let connections = connections
    let refused = refused
    let isTCP = transport == .tcp
    let door = door
    _ = try await door?.contexts.renewed()
    let largestRead = door == nil ? largestRead : min(largestRead, TLSDoor.largestRead)
    let bootstrap = ServerBootstrap(group: EventLoops.group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
          try channel.pipeline.syncOperations.addHandler(
            ConnectionGate(connections: connections, logger: logger) { refused(.connections) })
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: keepsHalfClosed)
      .childChannelOption(.maxMessagesPerRead, value: UInt(ReadBuffers.readsPerTurn))
      .childChannelOption(.recvAllocator, value: ReadBuffers(largest: largestRead))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if isTCP { try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1) }
          if let door { try door.install(on: channel, open: prepare) } else { try prepare(channel) }
        }
      }
    do {
      let channel = try await openSocket(bootstrap)
      if let place { ListeningSockets.ofProcess.add(channel, at: place) }
      phase.withLock {
        $0 = .listening(channel, renewal: door?.contexts.startTimer(on: channel.eventLoop))
      }
      return ListenAddress.text(channel.localAddress)
    } catch let error as BindError {
      throw error
    } catch {
      let isInUse = (error as? IOError)?.errnoCode == SystemErrors.addressInUse
      throw BindError(address: endpoint, reason: Self.reason(error), isInUse: isInUse)
    }
  }

  /// Listens on the socket of the server whose place this one takes, or on a new one.
  private func openSocket(_ bootstrap: ServerBootstrap) async throws -> any Channel {
    if let place, let descriptor = await ListeningSockets.ofProcess.takeOver(at: place) {
      do { return try await bootstrap.withBoundSocket(descriptor).get() } catch {
        await ListeningSockets.ofProcess.giveBack(at: place)
        throw error
      }
    }
    switch transport {
    case .tcp: return try await bind(bootstrap)
    case .unix: return try await bindSocketFile(bootstrap)
    }
  }

  private func bind(_ bootstrap: ServerBootstrap) async throws -> any Channel {
    guard let (host, port) = ListenAddress.split(endpoint) else {
      throw BindError(address: endpoint, reason: "it is not host:port")
    }
    var failure: any Error = BindError(address: endpoint, reason: "the name has no address")
    for address in try await ListenAddress.candidates(host: host, port: port) {
      do {
        return try await bootstrap.bind(to: address).get()
      } catch {
        failure = error
        // Only a family that the system lacks is worth another try; a port in use is an answer.
        guard let error = error as? IOError, SystemErrors.isMissingFamily(error.errnoCode) else { break }
      }
    }
    throw failure
  }

  /// Binds a socket file; one that nobody listens on any more is removed first.
  private func bindSocketFile(_ bootstrap: ServerBootstrap) async throws -> any Channel {
    do {
      return try await bootstrap.bind(unixDomainSocketPath: endpoint).get()
    } catch let error as IOError where error.errnoCode == SystemErrors.addressInUse {
      do {
        let probe = try await ClientBootstrap(group: EventLoops.group).connect(unixDomainSocketPath: endpoint)
          .get()
        try? await probe.close()
        throw error
      } catch let probe as IOError where probe.errnoCode == SystemErrors.connectionRefused {
        return try await bootstrap.bind(unixDomainSocketPath: endpoint, cleanupExistingSocketFile: true).get()
      }
    }
  }

  /// Accepts no more, lets connections finish what is under way, and closes what is left after `deadline`.
  func stop(within deadline: Duration) async {
    let channel = phase.withLock { phase -> (any Channel)? in
      defer { phase = .stopped }
      guard case .listening(let channel, let renewal) = phase else { return nil }
      renewal?.cancel()
      return channel
    }
    if let channel {
      try? await channel.close()
      if let place { await ListeningSockets.ofProcess.remove(channel, at: place) }
      if transport == .unix { SystemErrors.removeFile(endpoint) }
    }
    for connection in connections.beginDraining() {
      connection.pipeline.fireUserInboundEventTriggered(Drain())
    }
    let loop = EventLoops.group.next()
    let connections = connections
    let force = loop.scheduleTask(in: TimeAmount(clamping: deadline)) {
      for connection in connections.all { connection.close(promise: nil) }
    }
    await connections.waitUntilEmpty()
    force.cancel()
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? IOError else { return "\(error)" }
    return SystemErrors.text(error.errnoCode)
  }
}
