import ConfigSchema
import Exporters
import Extensions
import Logging
import NativeCodecs
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing
import Transport

/// A token endpoint, and a backend that takes the newest token only.
private final class TokenWorld: HTTPRequestHandler {
  struct State {
    var requests: [ServerRequest] = []
    var issued = 0
    var lifetime = "3600"
    /// Answers instead of tokens.
    var failures: [HTTPAnswer] = []
    var accepted: Int?
    var held: [HTTPResponder] = []
    var isHolding = false
    var wantsBody = false
  }
  let state = Mutex(State())

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let request = request
    state.withLock { state in
      guard request.path == "/token" else {
        let isRight = state.accepted.map { request.header("authorization") == "Bearer token-\($0)" } ?? true
        return responder.respond(HTTPAnswer(status: isRight ? 200 : 401))
      }
      state.requests.append(request)
      if state.isHolding { return state.held.append(responder) }
      responder.respond(Self.answer(&state, request))
    }
  }

  private static func answer(_ state: inout State, _ request: ServerRequest) -> HTTPAnswer {
    if !state.failures.isEmpty { return state.failures.removeFirst() }
    if state.wantsBody, request.header("authorization") != nil {
      return HTTPAnswer(
        status: 401, contentType: "application/json", body: Array("{\"error\":\"invalid_client\"}".utf8))
    }
    state.issued += 1
    let json =
      "{\"scope\": [\"x\", {\"y\": \"}\"}], \"access_token\": \"token-\(state.issued)\", \"token_type\": \"bearer\", \"expires_in\": \(state.lifetime)}"
    return HTTPAnswer(status: 200, contentType: "application/json", body: Array(json.utf8))
  }

  func release() {
    state.withLock { state in
      state.isHolding = false
      for (responder, request) in zip(state.held, state.requests.suffix(state.held.count)) {
        responder.respond(Self.answer(&state, request))
      }
      state.held = []
    }
  }

  var count: Int { state.withLock { $0.requests.count } }

  func serve(_ body: (String) async throws -> Void) async throws {
    let server = HTTPServer(
      config: HTTPServerConfig(endpoint: "127.0.0.1:0"), handler: self, logger: Logger(label: "tokens"))
    let address = try await server.start()
    do { try await body(address) } catch {
      await server.stop()
      throw error
    }
    await server.stop(within: .zero)
  }
}

@Suite struct OAuth2ClientTests {
  private func withClient(
    _ world: TokenWorld, _ settings: String = "", clock: TestClock = TestClock(),
    _ body: (OAuth2ClientExtension, String) async throws -> Void
  ) async throws {
    try await world.serve { address in
      let client = OAuth2ClientExtension(
        config: try decoded(
          "{client_id: \"me&you\", client_secret: \"s3cret+\", token_url: \"http://\(address)/token\"\(settings)}"
        ),
        context: .testing(.extension, "oauth2client", clock: clock))
      try await client.start()
      try await body(client, address)
      await client.stop()
    }
  }

  private func value(_ client: OAuth2ClientExtension) async throws -> String? {
    try await client.changes(for: [:]).first?.value
  }

  @Test func `a token is asked for once and kept, and the request is as the RFC has it`() async throws {
    let world = TokenWorld()
    try await withClient(world, ", scopes: [a, b], endpoint_params: {audience: \"x y\"}") {
      client, _ async throws in
      for _ in 0..<3 { #expect(try await value(client) == "Bearer token-1") }
      let request = try #require(world.state.withLock { $0.requests.first })
      #expect(world.count == 1)
      #expect(request.contentType == "application/x-www-form-urlencoded")
      #expect(
        String(decoding: request.body, as: UTF8.self)
          == "grant_type=client_credentials&scope=a+b&audience=x+y")
      #expect(
        request.header("authorization") == "Basic \(Base64.encoded(Array("me%26you:s3cret%2B".utf8)))")
    }
  }

  @Test func `an endpoint that wants the credentials in the body gets them there`() async throws {
    let world = TokenWorld()
    world.state.withLock { $0.wantsBody = true }
    try await withClient(world) { client, _ async throws in
      #expect(try await value(client) == "Bearer token-1")
      let body = world.state.withLock { String(decoding: $0.requests.last?.body ?? [], as: UTF8.self) }
      #expect(body == "grant_type=client_credentials&client_id=me%26you&client_secret=s3cret%2B")
    }
  }

  @Test func `a token is renewed before it expires, and the old one serves while that fails`() async throws {
    let world = TokenWorld()
    let clock = TestClock()
    try await withClient(world, ", expiry_buffer: 10m", clock: clock) { client, _ async throws in
      #expect(try await value(client) == "Bearer token-1")
      clock.advance(by: .seconds(2999))
      #expect(try await value(client) == "Bearer token-1")
      #expect(world.count == 1)
      world.state.withLock { $0.failures = [HTTPAnswer(status: 500)] }
      clock.advance(by: .seconds(1))
      #expect(try await value(client) == "Bearer token-1")
      #expect(try await value(client) == "Bearer token-1")
      #expect(world.count == 2)
      clock.advance(by: .seconds(10))
      #expect(try await value(client) == "Bearer token-2")
    }
  }

  @Test func `a token that lives shorter than the buffer is used for half its life`() async throws {
    let world = TokenWorld()
    let clock = TestClock()
    world.state.withLock { $0.lifetime = "60" }
    try await withClient(world, clock: clock) { client, _ async throws in
      #expect(try await value(client) == "Bearer token-1")
      clock.advance(by: .seconds(29))
      #expect(try await value(client) == "Bearer token-1")
      clock.advance(by: .seconds(1))
      #expect(try await value(client) == "Bearer token-2")
    }
  }

  @Test func `many that ask at once share one request, also its failure`() async throws {
    let world = TokenWorld()
    try await withClient(world) { client, _ async throws in
      world.state.withLock { $0.isHolding = true }
      try await withThrowingTaskGroup(of: String?.self) { group in
        for _ in 0..<20 { group.addTask { try await value(client) } }
        while world.count == 0 { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(50))
        world.release()
        for try await token in group { #expect(token == "Bearer token-1") }
      }
      #expect(world.count == 1)
    }
  }

  @Test func `who is cancelled while waiting leaves, and the others go on`() async throws {
    let world = TokenWorld()
    try await withClient(world) { client, _ async throws in
      world.state.withLock { $0.isHolding = true }
      let first = Task { try await value(client) }
      while world.count == 0 { try await Task.sleep(for: .milliseconds(5)) }
      let second = Task { try await value(client) }
      let third = Task { try await value(client) }
      try await Task.sleep(for: .milliseconds(20))
      third.cancel()
      await #expect(throws: CancellationError.self) { try await third.value }
      // The one that asks is cancelled: another one of those that wait asks.
      first.cancel()
      await #expect(throws: (any Error).self) { try await first.value }
      while world.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
      world.release()
      #expect(try await second.value?.hasPrefix("Bearer token-") == true)
    }
  }

  @Test func `what the endpoint says is told, without the secret`() async throws {
    let world = TokenWorld()
    let answer = HTTPAnswer(
      status: 400, contentType: "application/json",
      body: Array("{\"error\": \"invalid_scope\", \"error_description\": \"no \\u0022s3cret+\\u0022\"}".utf8))
    world.state.withLock { $0.failures = [answer, answer, HTTPAnswer(status: 200)] }
    try await withClient(world) { client, _ async throws in
      await #expect(
        throws: CredentialsError("the token endpoint answered 400: invalid_scope (no \"***\")")
      ) { try await value(client) }
      await #expect(throws: CredentialsError("the token endpoint answered 200, but without an access_token"))
      {
        try await value(client)
      }
    }
  }

  @Test func `a refused token is renewed once, and the batch sent again at once`() async throws {
    let world = TokenWorld()
    let clock = TestClock()
    try await withClient(world, clock: clock) { client, address async throws in
      let exporter = try OTLPHTTPExporter(
        config: try decoded("{endpoint: \"http://\(address)\", auth: {authenticator: oauth2client}}"),
        context: .testing(
          .exporter, "otlp_http", extensions: ExtensionDirectory(["oauth2client": client])))
      try await exporter.start()
      let batch = try Batch(bytes: OTLPPayload.request(.logs), signal: .logs)
      world.state.withLock { $0.accepted = 1 }
      #expect(await exporter.export(batch, metadata: nil) == .accepted)
      world.state.withLock { $0.accepted = 2 }
      #expect(await exporter.export(batch, metadata: nil) == .accepted)
      #expect(world.count == 2)
      // A backend that takes no token at all does not make every batch ask for one.
      world.state.withLock { $0.accepted = 99 }
      for _ in 0..<3 { #expect(await exporter.export(batch, metadata: nil) == .rejected(reason: "HTTP 401")) }
      #expect(world.count == 2)
      clock.advance(by: .seconds(10))
      for _ in 0..<3 { #expect(await exporter.export(batch, metadata: nil) == .rejected(reason: "HTTP 401")) }
      #expect(world.count == 3)
      await exporter.stop()
    }
  }

  @Test func `without a token an export is refused and may be tried again`() async throws {
    let context = ComponentContext.testing(.extension, "oauth2client")
    let client = OAuth2ClientExtension(
      config: try decoded("{client_id: a, client_secret: b, token_url: \"http://127.0.0.1:1/\"}"),
      context: context)
    try await client.start()
    let exporter = try OTLPGRPCExporter(
      config: try decoded(
        "{endpoint: \"127.0.0.1:1\", tls: {insecure: true}, auth: {authenticator: oauth2client}}"),
      context: .testing(.exporter, "otlp_grpc", extensions: ExtensionDirectory(["oauth2client": client])))
    let batch = try Batch(bytes: OTLPPayload.request(.logs), signal: .logs)
    guard case .refused(let reason, _) = await exporter.export(batch, metadata: nil) else {
      Issue.record("the export was not refused")
      return
    }
    #expect(reason.hasPrefix("no credentials: cannot connect to http://127.0.0.1:1/"))
    await exporter.stop()
    await client.stop()
  }

  @Test(arguments: [
    ("{client_id: a, client_secret: b}", "token_url"),
    ("{token_url: \"http://a\", client_secret: b}", "client_id or client_id_file must be set"),
    ("{token_url: \"http://a\", client_id: b}", "client_secret or client_secret_file must be set"),
    ("{token_url: x, client_id: a, client_secret: b}", "is not a URL"),
    ("{token_url: \"http://a\", client_id: a, client_secret: b, grant_type: jwt-bearer}", "not supported"),
    (
      "{token_url: \"http://a\", client_id: a, client_secret: b, endpoint_params: {scope: c}}",
      "a key of its own"
    ),
  ])
  func `mistakes are told`(yaml: String, expected: String) {
    let (config, diagnostics) = decoding(yaml, as: OAuth2ClientConfig.self)
    #expect(config == nil)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
