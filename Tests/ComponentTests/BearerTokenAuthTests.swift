import ConfigSchema
import Extensions
import PipelineKit
import PipelineTestKit
import Testing
import Transport

@Suite struct BearerTokenAuthTests {
  private func made(
    _ yaml: String, clock: TestClock = TestClock()
  ) throws -> BearerTokenAuthExtension {
    BearerTokenAuthExtension(
      config: try decoded(yaml), context: .testing(.extension, "bearertokenauth", clock: clock))
  }

  @Test func `a server takes each of its tokens and nothing else`() async throws {
    let server = try made("tokens: [one-token, other-token]")
    #expect(await server.decide("Bearer one-token") == .allowed)
    #expect(await server.decide("bearer  other-token") == .allowed)
    for wrong in [
      "Bearer one-toke", "Bearer one-tokenn", "Bearer ", "Bearer", "Basic one-token", "one-token", "",
    ] {
      guard case .denied(let reason) = await server.decide(wrong) else {
        Issue.record("\(wrong) was not denied")
        continue
      }
      #expect(!reason.contains("one-token"))
    }
    #expect(await server.decide(nil) == .denied("the header Authorization is missing"))
    #expect(server.challenge == "Bearer realm=\"millrace\"")
  }

  @Test func `header and scheme are as configured`() async throws {
    let server = try made("{token: abc, header: X-Key, scheme: \"\"}")
    #expect(await server.decide("abc", header: "x-key") == .allowed)
    #expect(await server.decide("Bearer abc", header: "x-key") == .denied("the token is not valid"))
    #expect(try await server.changes(for: [:]) == [HeaderChange("x-key", "abc")])
    #expect(try await made("{token: abc}").changes(for: [:]) == [HeaderChange("authorization", "Bearer abc")])
  }

  @Test func `a file of tokens is read again when it changes, and stays in force when it turns bad`()
    async throws
  {
    let folder = try ScratchFolder()
    let file = try folder.write("tokens", "first\nsecond\n")
    let clock = TestClock()
    let server = try made("filename: \(file)", clock: clock)
    try await server.start()
    #expect(await server.decide("Bearer second") == .allowed)
    #expect(try await server.changes(for: [:]) == [HeaderChange("authorization", "Bearer first")])
    try folder.write("tokens", "third\r\n\n")
    #expect(try await becomesTrue(clock) { await server.decide("Bearer third") == .allowed })
    #expect(await server.decide("Bearer second") == .denied("the token is not valid"))
    try folder.write("tokens", "\n")
    clock.advance(by: .seconds(1))
    try await Task.sleep(for: .milliseconds(100))
    #expect(await server.decide("Bearer third") == .allowed)
    try folder.write("tokens", "fourth")
    #expect(try await becomesTrue(clock) { await server.decide("Bearer fourth") == .allowed })
    await server.stop()
  }

  @Test func `a file that is missing or empty fails the start`() async throws {
    let folder = try ScratchFolder()
    let missing = try made("filename: \(folder.path)/none")
    await #expect { try await missing.start() } throws: { "\($0)".contains("no such file") }
    let empty = try made("filename: \(try folder.write("empty", "\n"))")
    await #expect { try await empty.start() } throws: { "\($0)".contains("it holds no token") }
    let broken = try made("filename: \(try folder.write("broken", "a\u{1}b"))")
    await #expect { try await broken.start() } throws: { !"\($0)".contains("a\u{1}b") }
  }

  @Test(arguments: [
    ("{}", "one of token, tokens and filename must be set"), ("{token: a, tokens: [b]}", "set together"),
    ("{token: \"\"}", "must not be empty"), ("{token: \"a\\nb\"}", "cannot carry"),
    ("{token: a, header: \"x y\"}", "not a valid header name"), ("{token: a, scheme: \"a b\"}", "one word"),
  ])
  func `mistakes are told`(yaml: String, expected: String) {
    let (config, diagnostics) = decoding(yaml, as: BearerTokenAuthConfig.self)
    #expect(config == nil)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
