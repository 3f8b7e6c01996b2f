import Logging
import Synchronization
import Transport

/// An OTLP/HTTP backend that gives one answer to everything and keeps what came.
final class HTTPBackend: HTTPRequestHandler {
  private let answer: HTTPAnswer
  private let storage = Mutex<[ServerRequest]>([])

  init(_ answer: HTTPAnswer) { self.answer = answer }

  var requests: [ServerRequest] { storage.withLock { $0 } }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let kept = request
    storage.withLock { $0.append(kept) }
    responder.respond(answer)
  }

  /// Serves at a free port while `body` runs, which gets the address.
  func serve<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
    config.includeMetadata = true
    let server = HTTPServer(config: config, handler: self, logger: Logger(label: "backend"))
    let address = try await server.start()
    do {
      let value = try await body(address)
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }
}

/// An OTLP/gRPC backend that gives one answer to everything and keeps what came.
final class GRPCBackend: GRPCRequestHandler {
  enum Answer: Sendable {
    case message([UInt8])
    case failure(GRPCCode, String, details: [UInt8]?)
  }
  private let answer: Answer
  private let storage = Mutex<[GRPCRequest]>([])

  init(_ answer: Answer) { self.answer = answer }

  var requests: [GRPCRequest] { storage.withLock { $0 } }

  func admits(path: String) -> Bool { true }

  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder) {
    let kept = request
    storage.withLock { $0.append(kept) }
    switch answer {
    case .message(let bytes): responder.respond(bytes)
    case .failure(let code, let message, let details): responder.fail(code, message, details: details)
    }
  }

  /// Serves at a free port while `body` runs, which gets the address.
  func serve<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
    config.includeMetadata = true
    let server = GRPCServer(config: config, handler: self, logger: Logger(label: "backend"))
    let address = try await server.start()
    do {
      let value = try await body(address)
      await server.stop()
      return value
    } catch {
      await server.stop()
      throw error
    }
  }
}
