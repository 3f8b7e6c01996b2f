internal import Logging
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// Takes spans from Jaeger's clients and agents in every protocol they have spoken.
///
/// A request becomes a batch where it was read and is answered from the batch's outcome; datagrams are gathered for some
/// milliseconds, and nobody is answered.
package final class JaegerReceiver: Receiver {
  package typealias Config = JaegerReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "jaeger", signals: [.traces],
    summary: "Receives spans of Jaeger's clients: gRPC, and Thrift over HTTP and UDP.")

  package static func traits(of config: JaegerReceiverConfig) -> ComponentTraits {
    var traits = ComponentTraits()
    let included = [config.protocols.grpc?.includeMetadata, config.protocols.thriftHTTP?.includeMetadata]
    if !included.contains(true) { traits.passedMetadata = .none }
    // What comes in datagrams says nothing of its sender.
    if included.contains(where: { $0 != nil }) { traits.toldMetadata = [RequestMetadata.clientAddressKey] }
    return traits
  }

  private struct Servers {
    var grpc: GRPCServer?
    var http: HTTPServer?
    var datagrams: [(server: DatagramServer, handler: JaegerDatagramHandler)] = []
  }

  private let config: JaegerReceiverConfig
  private let context: ComponentContext
  private let servers = Mutex(Servers())
  private let bound = Mutex<[String: String]>([:])

  package init(config: JaegerReceiverConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, by protocol, once started.
  package var addresses: [String: String] { bound.withLock { $0 } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    do {
      try await startGRPC(outputs)
      try await startHTTP(outputs)
      try await startDatagrams("thrift_compact", config.protocols.thriftCompact, .emitBatchCompact, outputs)
      try await startDatagrams("thrift_binary", config.protocols.thriftBinary, .emitBatchBinary, outputs)
    } catch {
      await stop()
      throw error
    }
  }

  private func startGRPC(_ outputs: ReceiverOutputs) async throws {
    guard let grpc = config.protocols.grpc, let consumer = outputs.consumer(.traces, transport: "grpc")
    else { return }
    let handler = JaegerGRPCHandler(
      consumer: consumer, intake: TraceIntake(context: context, transport: "grpc"))
    let server = GRPCServer(
      config: grpc, handler: handler, logger: context.logger,
      hooks: try ServerHooks(grpc.auth, transport: "grpc", context: context))
    try await listen("grpc", grpc.endpoint) { try await server.start() }
    servers.withLock { $0.grpc = server }
  }

  private func startHTTP(_ outputs: ReceiverOutputs) async throws {
    guard let http = config.protocols.thriftHTTP,
      let consumer = outputs.consumer(.traces, transport: "thrift_http")
    else { return }
    let handler = JaegerHTTPHandler(
      consumer: consumer, intake: TraceIntake(context: context, transport: "thrift_http"))
    let server = HTTPServer(
      config: http, handler: handler, logger: context.logger,
      hooks: try ServerHooks(http.auth, transport: "thrift_http", context: context))
    try await listen("thrift_http", http.endpoint) { try await server.start() }
    servers.withLock { $0.http = server }
  }

  private func startDatagrams(
    _ name: String, _ settings: JaegerReceiverConfig.DatagramProtocol?, _ message: JaegerMessage,
    _ outputs: ReceiverOutputs
  ) async throws {
    guard let settings, let consumer = outputs.consumer(.traces, transport: name) else { return }
    let handler = JaegerDatagramHandler(
      message, settings, consumer: consumer, context: context, transport: name)
    let (server, address) = try await DatagramServer.started(
      settings.settings, handler, section: "protocols.\(name).", key: "endpoint", transport: name,
      for: context)
    bound.withLock { $0[name] = address.description }
    servers.withLock { $0.datagrams.append((server, handler)) }
  }

  private func listen(_ name: String, _ endpoint: String, _ start: () async throws -> String) async throws {
    let address = try await context.listen(to: name, at: endpoint, start)
    bound.withLock { $0[name] = address }
  }

  package func stop() async {
    let servers = servers.withLock { held in
      defer { held = Servers() }
      return held
    }
    async let grpc: Void? = servers.grpc?.stop()
    async let http: Void? = servers.http?.stop()
    _ = await (grpc, http)
    for (server, handler) in servers.datagrams {
      await server.stop()
      await handler.finish()
    }
  }
}
