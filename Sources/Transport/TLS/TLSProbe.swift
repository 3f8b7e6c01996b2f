internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// Finds out why a server's certificate is refused, for a client library whose errors do not say it.
///
/// It connects once more and looks at the certificate, at most once a minute.
final class TLSProbe: Sendable {
  private struct Answer {
    var address: String
    var text: String?
    var until: NIODeadline
  }

  private let configuration: TLSConfiguration
  private let last = Mutex<Answer?>(nil)

  init(_ configuration: TLSConfiguration) { self.configuration = configuration }

  /// The reason in words, or nil when it cannot be told.
  func refusal(host: String, port: Int, serverName: String) async -> String? {
    let address = "\(serverName) \(host):\(port)"
    let now = NIODeadline.now()
    // Whoever is first asks; others meanwhile do without.
    let known = last.withLock { last -> Answer? in
      if let last, last.address == address, now < last.until { return last }
      last = Answer(address: address, text: nil, until: now + .minutes(1))
      return nil
    }
    if let known { return known.text }
    let text = await look(host: host, port: port, serverName: serverName)
    last.withLock { if $0?.address == address { $0?.text = text } }
    return text
  }

  private func look(host: String, port: Int, serverName: String) async -> String? {
    let configuration = configuration
    let name = IPLiteral.isAddress(serverName) ? nil : serverName
    let loop = EventLoops.group.next()
    let result = loop.makePromise(of: String?.self)
    do {
      let context = try await NIOThreadPool.singleton.runIfActive {
        try NIOSSLContext(configuration: configuration)
      }
      let channel = try await ClientBootstrap(group: loop)
        .connectTimeout(.seconds(5))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
            try pipeline.addHandler(Look(result))
          }
        }
        .connect(host: host, port: port).get()
      let timer = loop.scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
      defer { timer.cancel() }
      return try await result.futureResult.get()
    } catch {
      result.succeed(nil)
      return nil
    }
  }

  /// Notes what the handshake fails with.
  private final class Look: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let result: EventLoopPromise<String?>

    init(_ result: EventLoopPromise<String?>) { self.result = result }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
      result.succeed(
        TLSFailureText.isRefusedCertificate(error) ? TLSFailureText.refusal(of: certificate) : nil)
      context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      // It is fine now.
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { result.succeed(nil) }

    func handlerRemoved(context: ChannelHandlerContext) { result.succeed(nil) }
  }
}
