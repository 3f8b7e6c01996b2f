internal import Logging
package import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import Transport

/// Takes OTLP over gRPC and HTTP, for all three signals.
///
/// A request becomes a batch where it was read, is offered to the pipeline there, and is answered from the outcome: no
/// task is made for it. A signal without a pipeline is answered as a service that does not exist.
package final class OTLPReceiver: Receiver {
  package typealias Config = OTLPReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "otlp", summary: "Receives OTLP over gRPC and HTTP (protobuf and JSON).")

  package static func traits(of config: OTLPReceiverConfig) -> ComponentTraits {
    var traits = ComponentTraits()
    let protocols = config.protocols
    let included = [protocols.grpc?.includeMetadata, protocols.http?.server.includeMetadata]
    if !included.contains(true) { traits.passedMetadata = .none }
    traits.toldMetadata = [RequestMetadata.clientAddressKey]
    return traits
  }

  private struct Servers {
    var grpc: GRPCServer?
    var http: HTTPServer?
  }

  private let config: OTLPReceiverConfig
  private let context: ComponentContext
  private let servers = Mutex(Servers())
  private let bound = Mutex<[String: String]>([:])

  package init(config: OTLPReceiverConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, by protocol (`grpc`, `http`), once started: `127.0.0.1:4317`.
  package var addresses: [String: String] { bound.withLock { $0 } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    if let grpc = config.protocols.grpc {
      let server = GRPCServer(
        config: grpc, handler: grpcHandler(outputs), logger: context.logger,
        hooks: try ServerHooks(grpc.auth, transport: "grpc", context: context))
      try await listen("grpc", grpc.endpoint) { try await server.start() }
      servers.withLock { $0.grpc = server }
    }
    if let http = config.protocols.http {
      let server = HTTPServer(
        config: http.server, handler: httpHandler(outputs, http), logger: context.logger,
        hooks: try ServerHooks(http.server.auth, transport: "http", context: context))
      do {
        try await listen("http", http.server.endpoint) { try await server.start() }
      } catch {
        await stop()
        throw error
      }
      servers.withLock { $0.http = server }
    }
  }

  package func stop() async {
    let servers = servers.withLock { held in
      defer { held = Servers() }
      return held
    }
    async let grpc: Void? = servers.grpc?.stop()
    async let http: Void? = servers.http?.stop()
    _ = await (grpc, http)
  }

  private func listen(_ name: String, _ endpoint: String, _ start: () async throws -> String) async throws {
    let address = try await context.listen(to: name, at: endpoint, start)
    bound.withLock { $0[name] = address }
  }

  private func grpcHandler(_ outputs: ReceiverOutputs) -> OTLPGRPCHandler {
    OTLPGRPCHandler(
      routes: Signal.allCases.compactMap { signal in
        outputs.consumer(signal, transport: "grpc").map {
          OTLPGRPCHandler.Route(signal: signal, consumer: $0)
        }
      },
      malformed: MalformedRequests(context: context, transport: "grpc"))
  }

  private func httpHandler(
    _ outputs: ReceiverOutputs, _ http: OTLPReceiverConfig.HTTPProtocol
  ) -> OTLPHTTPHandler {
    let routes = Signal.allCases.compactMap { signal in
      outputs.consumer(signal, transport: "http").map {
        OTLPHTTPHandler.Route(path: http.path(of: signal), signal: signal, consumer: $0)
      }
    }
    return OTLPHTTPHandler(routes: routes, malformed: MalformedRequests(context: context, transport: "http"))
  }
}

extension OTLPReceiverConfig.HTTPProtocol {
  /// The path that takes `signal`.
  func path(of signal: Signal) -> String {
    switch signal {
    case .traces: Self.absolute(tracesURLPath)
    case .metrics: Self.absolute(metricsURLPath)
    case .logs: Self.absolute(logsURLPath)
    }
  }
}
