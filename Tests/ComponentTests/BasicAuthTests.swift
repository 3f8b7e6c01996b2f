import ConfigSchema
import Extensions
import NativeCodecs
import PipelineKit
import PipelineTestKit
import Testing
import Transport

@Suite struct BasicAuthTests {
  /// The password of all of them is `s3cret`.
  static let bcrypt = "$2b$04$xD/Y.nlKhwMKzOPTJaF38uBWrQ8uxNLHR5Mt0nNB3MkcA6UcgINuW"
  static let hashes = [
    bcrypt, "$2y$" + bcrypt.dropFirst(4), "$2a$" + bcrypt.dropFirst(4),
    "$6$rounds=1000$8y6wbWRtyWLQPRyT$vXW6f2Pk7p3UEsItFO0H7ZL9Gz7f8JuEdzdWTGcUQEJPMnUOXmEQrQ9ParZBj8lxTYvPZMVXTzRxWcbCX0Ud61",
    "$5$rounds=1000$FpNowJslStE04HrR$6WVQebHVBXFkBaqIjEbROPEnOuyq14a7qA7cV.HRiOA",
  ]

  private func made(_ yaml: String, clock: TestClock = TestClock()) throws -> BasicAuthExtension {
    BasicAuthExtension(config: try decoded(yaml), context: .testing(.extension, "basicauth", clock: clock))
  }

  private func basic(_ credentials: String) -> String { "Basic \(Base64.encoded(Array(credentials.utf8)))" }

  @Test(arguments: hashes)
  func `the right password is let in, others are not`(hash: String) async throws {
    let server = try made("htpasswd: {inline: \"# users\\n\\nann:\(hash)\\n\"}")
    for _ in 0..<2 {
      // The second time it is remembered.
      #expect(await server.decide(basic("ann:s3cret")) == .allowed)
      for wrong in ["ann:s3cre", "ann:", "bob:s3cret", ":s3cret", "ann:s3cret\u{0}"] {
        #expect(await server.decide(basic(wrong)) == .denied("the user or the password is wrong"))
      }
    }
    for malformed in ["Basic ?", "Bearer x", "Basic \(Base64.encoded([1]))", ""] {
      #expect(await server.decide(malformed).isDenied)
    }
    #expect(await server.decide(nil).isDenied)
  }

  @Test func `a client that may send is known by its user, and never by its password`() throws {
    let server = try made("htpasswd: {inline: \"ann:\(Self.bcrypt)\"}")
    func identity(_ value: String?) -> [String: [String]] {
      server.identity { $0 == "authorization" ? [value].compactMap(\.self) : [] }
    }
    #expect(identity(basic("ann:s3cret")) == ["username": ["ann"]])
    #expect(identity(basic("ann:a:b")) == ["username": ["ann"]])
    #expect(identity("Bearer x") == [:] && identity(nil) == [:])
    #expect(
      BasicAuthExtension.traits(of: try decoded("htpasswd: {inline: \"ann:\(Self.bcrypt)\"}")).toldMetadata
        == [":auth.username"])
    let client: BasicAuthConfig = try decoded("client_auth: {username: a, password: b}")
    #expect(BasicAuthExtension.traits(of: client).toldMetadata == [])
  }

  @Test func `the same credentials in many requests are checked once, and in time all are answered`()
    async throws
  {
    let server = try made("htpasswd: {inline: \"ann:\(Self.bcrypt)\"}")
    let decisions = await withTaskGroup(of: AuthenticationDecision.self) { group in
      for _ in 0..<300 { group.addTask { await server.decide(basic("ann:s3cret")) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(decisions.allSatisfy { $0 == .allowed })
  }

  @Test func `a flood of guesses is bounded, and does not keep known senders out`() async throws {
    let server = try made("htpasswd: {inline: \"ann:\(Self.bcrypt)\"}")
    #expect(await server.decide(basic("ann:s3cret")) == .allowed)
    let decisions = await withTaskGroup(of: AuthenticationDecision.self) { group in
      for guess in 0..<500 { group.addTask { await server.decide(basic("ann:\(guess)")) } }
      #expect(await server.decide(basic("ann:s3cret")) == .allowed)
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(!decisions.contains(.allowed))
    #expect(decisions.contains { if case .unavailable = $0 { true } else { false } })
  }

  @Test func `a file is read again when it changes, and what was known is forgotten`() async throws {
    let folder = try ScratchFolder()
    let clock = TestClock()
    let file = try folder.write("htpasswd", "ann:\(Self.hashes[3])\nbob:\(Self.bcrypt)\n")
    let server = try made("htpasswd: {file: \(file)}", clock: clock)
    try await server.start()
    #expect(await server.decide(basic("ann:s3cret")) == .allowed)
    #expect(await server.decide(basic("bob:s3cret")) == .allowed)
    try folder.write("htpasswd", "bob:\(Self.bcrypt)\n")
    #expect(try await becomesTrue(clock) { await server.decide(basic("ann:s3cret")).isDenied })
    #expect(await server.decide(basic("bob:s3cret")) == .allowed)
    await server.stop()
  }

  @Test func `a client sends its user and password, from files too`() async throws {
    let fixed = try made("client_auth: {username: ann, password: s3cret}")
    #expect(try await fixed.changes(for: [:]) == [HeaderChange("authorization", basic("ann:s3cret"))])
    let folder = try ScratchFolder()
    let clock = TestClock()
    let user = try folder.write("user", "bob\n")
    let client = try made(
      "client_auth: {username_file: \(user), password_file: \(try folder.write("password", "one\n"))}",
      clock: clock)
    try await client.start()
    #expect(try await client.changes(for: [:]) == [HeaderChange("authorization", basic("bob:one"))])
    try folder.write("password", "two\n")
    let wanted = [HeaderChange("authorization", basic("bob:two"))]
    #expect(try await becomesTrue(clock) { try await client.changes(for: [:]) == wanted })
    await client.stop()
  }

  @Test func `what it serves for depends on what is configured`() throws {
    #expect(
      BasicAuthExtension.traits(of: try decoded("htpasswd: {file: x}")).roles
        == [ServerAuthenticationRole.name])
    #expect(
      BasicAuthExtension.traits(of: try decoded("client_auth: {username: a, password: b}")).roles
        == [ClientAuthenticationRole.name])
  }

  @Test(arguments: [
    ("{}", "must be set"), ("{htpasswd: {}}", "file or inline must be set"),
    ("{htpasswd: {file: a}, client_auth: {username: a, password: b}}", "both set"),
    ("{htpasswd: {inline: \"ann:{SHA}hash-of-it\"}}", "htpasswd -nB"),
    ("{htpasswd: {inline: \"ann:$$apr1$$salt$$hash-of-it\"}}", "line 1, user ann"),
    ("{htpasswd: {inline: \"\\nann:plain-hash-of-it\"}}", "line 2"),
    ("{htpasswd: {inline: \"ann\"}}", "line 1 is not user:hash"),
    (
      "{htpasswd: {inline: \"ann:$$2y$$30$$xD/Y.nlKhwMKzOPTJaF38uBWrQ8uxNLHR5Mt0nNB3MkcA6UcgINuW\"}}",
      "too high"
    ),
    ("{htpasswd: {inline: \"# nobody\"}}", "names no user"),
    ("{client_auth: {username: \"a:b\", password: c}}", "colon"),
    ("{client_auth: {username: a}}", "password"),
  ])
  func `mistakes are told without the hash`(yaml: String, expected: String) {
    let (config, diagnostics) = decoding(yaml, as: BasicAuthConfig.self)
    #expect(config == nil)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
    #expect(!diagnostics.all.contains { $0.message.contains("hash-of-it") })
    #expect(diagnostics.all.count { $0.severity == .error } == 1, "one mistake, one error")
  }
}

extension AuthenticationDecision {
  var isDenied: Bool { if case .denied = self { true } else { false } }
}
