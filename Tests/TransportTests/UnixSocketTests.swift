import ConfigSchema
import Glibc
import Testing

@testable import Transport

/// Servers and clients over socket files, end to end.
@Suite struct UnixSocketTests {
  private let path = "/tmp/millrace-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"

  private func grpcServer(_ handler: ServerTestGRPCHandler) -> GRPCServer {
    var config = GRPCServerConfig(endpoint: path)
    config.transport = .unix
    return GRPCServer(config: config, handler: handler, logger: quietLogger)
  }

  @Test(arguments: ["unix://", "unix:"])
  func `a gRPC client calls a gRPC server through a socket file`(_ scheme: String) async throws {
    let handler = ServerTestGRPCHandler()
    let server = grpcServer(handler)
    #expect(try await server.start() == path)
    var config = GRPCClientConfig(compression: .gzip)
    config.endpoint = scheme + path
    config.tls.insecure = true
    let client = try GRPCClient(config: config, userAgent: "test")
    let message = [UInt8](repeating: 7, count: 300_000)
    let reply = try await client.unary(path: "/t.S/Echo", message: message, timeout: .seconds(20))
    #expect(reply.code == .ok, "\(reply.message)")
    let isSame = reply.body == message
    #expect(isSame)
    #expect(handler.seen.withLock { $0.first?.peer } == "")
    await server.stop()
    #expect(access(path, F_OK) != 0)
    let gone = try await client.unary(path: "/t.S/Echo", message: [1], timeout: .seconds(20))
    #expect(gone.code == .unavailable)
    #expect(gone.message.contains("unix:\(path)"), "\(gone.message)")
    await client.shutdown()
  }

  @Test func `an HTTP server answers through a socket file`() async throws {
    var config = HTTPServerConfig(endpoint: path)
    config.transport = .unix
    let server = HTTPServer(config: config, handler: ServerTestHTTPHandler(), logger: quietLogger)
    #expect(try await server.start() == path)
    let path = path
    try await offPool { () throws in
      let socket = try ServerTestSocket(path)
      #expect(try socket.post("/echo", [1]).body == [1])
      #expect(try socket.post("/later", [2]).body == [2])
    }
    await server.stop()
    #expect(access(path, F_OK) != 0)
  }

  @Test func `a path too long for a socket file is a bind error`() async throws {
    var config = HTTPServerConfig(endpoint: "/tmp/" + String(repeating: "a", count: 200))
    config.transport = .unix
    let server = HTTPServer(config: config, handler: ServerTestHTTPHandler(), logger: quietLogger)
    let error = await #expect(throws: BindError.self) { try await server.start() }
    #expect(error?.address == config.endpoint)
  }
}
