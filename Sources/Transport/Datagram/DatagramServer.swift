internal import Glibc
package import Logging
internal import NIOCore
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization

/// A UDP server: datagrams are read on threads of its own, many with one system call.
package final class DatagramServer: Sendable {
  package struct Settings: Sendable {
    /// host:port.
    package var endpoint: String
    /// Bytes that the kernel keeps for datagrams not read yet; 0 asks for ``usualReceiveBuffer``.
    package var receiveBuffer = 0
    /// Threads that read.
    package var readers = 1
    /// The most bytes of a datagram; no datagram has more than the default.
    package var maxSize = 65_535
    /// How long datagrams are gathered before ``DatagramHandler/gathered(reader:)`` is called.
    package var gatherTime = Duration.milliseconds(5)

    package init(endpoint: String) { self.endpoint = endpoint }
  }

  /// What most systems give only in part, since `net.core.rmem_max` is 208 KiB unless raised.
  package static let usualReceiveBuffer = 2 << 20
  /// How long a stop reads what the kernel still holds.
  private static let lastReading = TimeAmount.milliseconds(500)

  private struct Running {
    var socket: DatagramSocket
    var threads: [DedicatedThread]
    var wake: WakeEvent
  }

  private let settings: Settings
  private let handler: any DatagramHandler
  private let logger: Logger
  private let owner: ServerOwner?
  private let running = Mutex<Running?>(nil)
  private let isStopping = Atomic<Bool>(false)

  /// - Parameter owner: whose server it is: a later one of the same owner at the same address reads the same socket.
  package init(
    _ settings: Settings, handler: any DatagramHandler, logger: Logger, owner: ServerOwner? = nil
  ) {
    self.settings = settings
    self.handler = handler
    self.logger = logger
    self.owner = owner
  }

  /// Binds the socket and reads.
  /// - Returns: the address, with the port that was chosen when the configured one is 0.
  /// - Throws: ``BindError``, or a ``SystemCallError`` when there is no thread or descriptor left.
  package func start() async throws -> HostPort {
    let place = owner.map { ListeningSockets.Place(owner: $0, endpoint: settings.endpoint) }
    let socket: DatagramSocket
    if let place, let current = DatagramSockets.ofProcess.current(at: place) {
      socket = current
    } else {
      socket = try await bind()
      if let place { DatagramSockets.ofProcess.add(socket, at: place) }
    }
    let wanted = settings.receiveBuffer > 0 ? settings.receiveBuffer : Self.usualReceiveBuffer
    let given = socket.setReceiveBuffer(wanted)
    if settings.receiveBuffer > 0, given < settings.receiveBuffer {
      logger.warning(
        "the system gives less than the socket buffer asked for; raise net.core.rmem_max",
        metadata: ["wanted": "\(settings.receiveBuffer)", "given": "\(given / 2)"])
    }
    let wake = try WakeEvent()
    let address = socket.localAddress
    var threads: [DedicatedThread] = []
    do {
      for reader in 0..<max(1, settings.readers) {
        threads.append(try DedicatedThread("udp \(address.port)") { self.read(socket, wake, reader) })
      }
    } catch {
      isStopping.store(true, ordering: .releasing)
      wake.wake()
      throw error
    }
    running.withLock { $0 = Running(socket: socket, threads: threads, wake: wake) }
    return address
  }

  private func bind() async throws -> DatagramSocket {
    guard let (host, port) = ListenAddress.split(settings.endpoint) else {
      throw BindError(address: settings.endpoint, reason: "it is not host:port")
    }
    var failure = BindError(address: settings.endpoint, reason: "the name has no address")
    for address in try await ListenAddress.candidates(host: host, port: port) {
      do throws(BindError) {
        return try DatagramSocket(address, endpoint: settings.endpoint)
      } catch {
        failure = error
        guard error.errorCode.map(SystemErrors.isMissingFamily) ?? false else { break }
      }
    }
    throw failure
  }

  /// Reads what the kernel still holds, and no more. Returns when the handler is not called any more.
  package func stop() async {
    isStopping.store(true, ordering: .releasing)
    let running = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let running else { return }
    running.wake.wake()
    for thread in running.threads { await thread.end() }
  }

  // On the readers' threads.

  private func read(_ socket: DatagramSocket, _ wake: WakeEvent, _ reader: Int) {
    var batch = DatagramBatch(size: settings.maxSize)
    let gatherTime = TimeAmount(clamping: settings.gatherTime)
    var gatheredAt: NIODeadline?
    var end: NIODeadline?
    while true {
      let error = batch.receive(from: socket.descriptor)
      let now = NIODeadline.now()
      if error == 0 {
        let overflow = socket.newOverflow(batch.dropped)
        if overflow > 0 { handler.overflowed(overflow) }
        handler.received(batch, reader: reader)
        gatheredAt = gatheredAt ?? now + gatherTime
      }
      if let due = gatheredAt, due <= now {
        gatheredAt = nil
        handler.gathered(reader: reader)
      }
      if isStopping.load(ordering: .acquiring) {
        let deadline = end ?? now + Self.lastReading
        if error != 0 && error != EINTR || now >= deadline { break }
        end = deadline
      }
      switch error {
      case 0, EINTR: continue
      case EAGAIN: break
      default:
        logger.warning(
          "cannot read datagrams; trying again", metadata: ["reason": "\(SystemErrors.text(error))"])
        _ = WakeEvent.waitForInput([wake.descriptor], milliseconds: 1000)
        continue
      }
      let patience = gatheredAt.map { Int(($0 - now).nanoseconds / 1_000_000) + 1 }
      _ = WakeEvent.waitForInput([socket.descriptor, wake.descriptor], milliseconds: patience)
    }
    if gatheredAt != nil { handler.gathered(reader: reader) }
  }
}

extension DatagramServer {
  /// What is wrong with a host:port, or nil.
  package static func problem(ofEndpoint endpoint: String) -> String? { ListenAddress.problem(endpoint) }

  /// What to say of an address that other machines reach, or nil.
  package static func exposure(ofEndpoint endpoint: String) -> String? { ListenAddress.exposure(endpoint) }
}
