import PipelineKit
import Testing

@testable import Transport

/// What servers add to the metadata of requests, when somebody wants it.
@Suite struct RequestInterestTests {
  static let everything = [":client.address", ":auth.user", "x-tenant"]

  private struct Case: Sendable {
    let keys: [String]
    let includesMetadata: Bool
    let expected: [String: [String]]
  }

  private static let cases = [
    Case(keys: [], includesMetadata: false, expected: [:]),
    Case(keys: ["x-tenant"], includesMetadata: false, expected: [:]),
    Case(keys: [":client.address"], includesMetadata: false, expected: [":client.address": ["127.0.0.1"]]),
    Case(keys: [":auth.user"], includesMetadata: false, expected: [":auth.user": ["good"]]),
    Case(
      keys: everything, includesMetadata: true,
      expected: [":client.address": ["127.0.0.1"], ":auth.user": ["good"], "x-tenant": ["blue"]]),
  ]

  @Test func `a request over HTTP comes with what is wanted, whenever it was decided`() async throws {
    for item in Self.cases {
      let told = ToldHooks()
      var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
      config.includeMetadata = item.includesMetadata
      let handler = ServerTestHTTPHandler()
      var hooks = told.hooks
      hooks.interest = RequestInterest(item.keys)
      let server = HTTPServer(config: config, handler: handler, logger: quietLogger, hooks: hooks)
      let address = try await server.start()
      try await offPool {
        let socket = try ServerTestSocket(address)
        let headers = ["X-Tenant: blue"]
        #expect(try socket.post("/echo", [1], headers: headers + ["Authorization: good"]).status == 200)
        try socket.send(
          ServerTestSocket.head(
            "POST", "/echo", headers + ["Content-Length: 1", "Authorization: later"]) + "x")
        #expect(becomesTrue { told.authenticator.count == 1 })
        told.authenticator.decide(.allowed)
        #expect(try socket.reply().status == 200)
      }
      await server.stop(within: .zero)
      let seen = handler.seen.withLock { $0.map(\.metadata) }
      let later = item.expected.merging([":auth.user": ["later"]]) { $0 == ["good"] ? $1 : $0 }
      for (metadata, expected) in zip(seen, [item.expected, later]) {
        #expect(
          metadata.filter { item.expected[$0.key] != nil } == expected.filter { item.expected[$0.key] != nil }
        )
        #expect(item.includesMetadata || metadata.count == item.expected.count)
      }
    }
  }

  @Test func `a request over gRPC comes with what is wanted`() async throws {
    for item in Self.cases {
      let told = ToldHooks()
      var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
      config.includeMetadata = item.includesMetadata
      let handler = ServerTestGRPCHandler()
      var hooks = told.hooks
      hooks.interest = RequestInterest(item.keys)
      let server = GRPCServer(config: config, handler: handler, logger: quietLogger, hooks: hooks)
      let address = try await server.start()
      try await offPool {
        let peer = try ServerTestHTTP2Peer(address)
        let headers = [("authorization", "good"), ("x-tenant", "blue")]
        #expect(try peer.echo([1], headers).message == [1])
        #expect(server.heldBytes == 0)
      }
      await server.stop(within: .zero)
      let metadata = try #require(handler.seen.withLock { $0.first }).metadata
      #expect(metadata.filter { item.expected[$0.key] != nil } == item.expected)
      #expect(item.includesMetadata || metadata.count == item.expected.count)
    }
  }

  @Test(arguments: [
    ("192.0.2.7:51724", "192.0.2.7"), ("[2001:db8::7]:4317", "2001:db8::7"),
    ("[::ffff:192.0.2.7]:4317", "192.0.2.7"), ("/run/millrace.sock", nil), ("", nil),
  ]) func `the address is that of the client without its port`(_ peer: String, _ expected: String?) {
    var metadata: [String: [String]] = [:]
    RequestInterest([":client.address"]).add(to: &metadata, peer: peer, nil) { _ in [] }
    #expect(metadata[":client.address"] == expected.map { [$0] })
  }
}
