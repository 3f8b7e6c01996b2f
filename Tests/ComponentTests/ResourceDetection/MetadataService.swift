import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Transport

@testable import Processors

/// A metadata service on loopback, or an engine behind a socket: answers of a script, and what it was asked.
final class MetadataService: HTTPRequestHandler {
  typealias Script = @Sendable (ServerRequest) -> HTTPAnswer?
  private let script: Mutex<Script>
  private let log = Mutex<[String]>([])

  /// What was asked, as `GET /path`.
  var requests: [String] { log.withLock { $0 } }

  /// - Parameter script: the answer to a request; nil stands for 404.
  init(_ script: @escaping Script) { self.script = Mutex(script) }

  /// Answers with texts by path.
  convenience init(
    _ texts: [String: String], headers: [(String, String)] = [],
    unless refusal: @escaping Script = { _ in nil }
  ) {
    self.init { request in
      if let answer = refusal(request) { return answer }
      var answer = texts[request.path].map { HTTPAnswer.text(200, $0) }
      answer?.headers = headers
      return answer
    }
  }

  func follow(_ script: @escaping Script) { self.script.withLock { $0 = script } }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let request = request
    log.withLock { $0.append("\(request.method) \(request.path)") }
    responder.respond(script.withLock { $0 }(request) ?? .text(404, ""))
  }

  func serve<Result>(unix path: String? = nil, _ body: (String) async throws -> Result) async throws -> Result
  {
    var config = HTTPServerConfig(endpoint: path ?? "127.0.0.1:0")
    if path != nil { config.transport = .unix }
    config.includeMetadata = true
    let server = HTTPServer(
      config: config, handler: self, logger: ComponentContext.testing(.receiver, "x").logger)
    let address = try await server.start()
    do {
      let result = try await body(address)
      await server.stop()
      return result
    } catch {
      await server.stop()
      throw error
    }
  }
}

extension ResourceDetectionProcessor {
  /// What the processor makes of the attributes of a resource.
  func applied(to attributes: Attributes) -> Attributes {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: attributes))
    builder.add(LogRecordValue(time: 1))
    let batch = builder.finish()
    guard let result = process(batch) else { return [] }
    return result.resource(at: 0).attributes.values
  }

  /// What is detected with settings in a world of its own.
  static func detected(
    _ yaml: String, environment: [String: String] = [:], root: String = "", on attributes: Attributes = []
  ) async throws -> Attributes {
    let processor = ResourceDetectionProcessor(
      config: try settings(yaml), context: .testing(.processor, "resource_detection"),
      environment: environment,
      root: root)
    try await processor.start()
    let result = processor.applied(to: attributes)
    await processor.stop()
    return result
  }
}
