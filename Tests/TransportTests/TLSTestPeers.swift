import Logging
import Testing

@testable import Transport

/// The two protocols that every case of TLS is tried with.
enum TLSTestKind: String, CaseIterable, Sendable {
  case grpc
  case http

  var applicationProtocol: String { self == .grpc ? "h2" : "http/1.1" }
}

/// A server of ours on a free port.
struct TLSTestServer: Sendable {
  let address: String
  private let grpc: GRPCServer?
  private let http: HTTPServer?

  var port: Int { address.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
  var openConnections: Int { grpc?.openConnections ?? http?.openConnections ?? 0 }

  /// - Parameter tls: nil for plaintext.
  init(
    _ kind: TLSTestKind, _ tls: ServerTLSConfig?, transport: ListenTransport = .tcp,
    endpoint: String = "127.0.0.1:0", logger: Logger = quietLogger
  ) async throws {
    switch kind {
    case .grpc:
      var config = GRPCServerConfig(endpoint: endpoint)
      config.tls = tls
      config.transport = transport
      let server = GRPCServer(config: config, handler: ServerTestGRPCHandler(), logger: logger)
      address = try await server.start()
      grpc = server
      http = nil
    case .http:
      var config = HTTPServerConfig(endpoint: endpoint)
      config.tls = tls
      config.transport = transport
      let server = HTTPServer(config: config, handler: ServerTestHTTPHandler(), logger: logger)
      address = try await server.start()
      grpc = nil
      http = server
    }
  }

  func stop() async {
    await grpc?.stop(within: .zero)
    await http?.stop(within: .zero)
  }
}

/// A client of ours.
struct TLSTestClient: Sendable {
  private let url: String
  private let grpc: GRPCClient?
  private let http: HTTPClient?

  init(
    _ kind: TLSTestKind, port: Int, host: String = "localhost", logger: Logger? = nil,
    _ configure: (inout ClientTLSConfig) -> Void = { _ in }
  ) throws {
    var tls = ClientTLSConfig()
    tls.caFile = TLSTestCertificates.shared?.path("ca.pem") ?? ""
    configure(&tls)
    url = "https://\(host):\(port)/echo"
    switch kind {
    case .grpc:
      var config = GRPCClientConfig()
      config.endpoint = "\(host):\(port)"
      config.tls = tls
      grpc = try GRPCClient(config: config, userAgent: "test", logger: logger)
      http = nil
    case .http:
      var config = HTTPClientConfig()
      config.tls = tls
      grpc = nil
      http = HTTPClient(config: config, userAgent: "test", logger: logger)
    }
  }

  func prepare() async throws {
    try await grpc?.prepare()
    try await http?.prepare()
  }

  /// `ok`, or why not.
  func call(_ message: [UInt8] = [1, 2, 3]) async -> String {
    do {
      if let grpc {
        let reply = try await grpc.unary(path: "/t.S/Echo", message: message, timeout: .seconds(120))
        return reply.code == .ok && reply.body == message ? "ok" : reply.message
      }
      let reply = try await http?.post(url: url, contentType: "x/y", body: message)
      return reply?.status == 200 ? "ok" : "status \(reply?.status ?? 0)"
    } catch {
      return "\(error)"
    }
  }

  func shutdown() async {
    await grpc?.shutdown()
    await http?.shutdown()
  }
}

/// Calls once with a client of its own.
func callOnce(
  _ kind: TLSTestKind, port: Int, host: String = "localhost",
  _ configure: (inout ClientTLSConfig) -> Void = { _ in }
) async throws -> String {
  let client = try TLSTestClient(kind, port: port, host: host, configure)
  let answer = await client.call()
  await client.shutdown()
  return answer
}

/// A server's `tls` block with a certificate of ``TLSTestCertificates``.
func serverTLS(_ name: String, _ configure: (inout ServerTLSConfig) -> Void = { _ in }) throws
  -> ServerTLSConfig
{
  let certificates = try #require(TLSTestCertificates.shared)
  var tls = ServerTLSConfig()
  tls.settings.certFile = certificates.path("\(name).pem")
  tls.settings.keyFile = certificates.path("\(name).key")
  configure(&tls)
  return tls
}
