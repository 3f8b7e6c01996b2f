import ConfigSchema
import Engine
import Exporters
import Extensions
import Logging
import PipelineKit
import PipelineTestKit
import Processors
import Receivers
import TelemetryData
import Testing
import Transport

@Suite struct HeadersSetterTests {
  private func made(
    _ yaml: String, extensions: [String: any ServiceExtension] = [:], clock: TestClock = TestClock()
  ) throws -> HeadersSetterExtension {
    try HeadersSetterExtension(
      config: try decoded(yaml),
      context: .testing(
        .extension, "headers_setter", clock: clock, extensions: ExtensionDirectory(extensions)))
  }

  @Test func `values are fixed, or from the request's metadata, or defaults`() async throws {
    let setter = try made(
      """
      headers:
        - {key: X-Fixed, value: a}
        - {action: insert, key: X-Tenant, from_context: X-Scope-OrgID}
        - {action: update, key: X-Other, from_context: missing, default_value: d}
        - {key: X-Left, from_context: missing}
        - {action: delete, key: User-Agent}
      """)
    #expect(
      try await setter.changes(for: ["x-scope-orgid": ["t1"]]) == [
        HeaderChange("x-fixed", "a"), HeaderChange("x-tenant", "t1", .whenAbsent),
        HeaderChange("x-other", "d", .whenPresent), HeaderChange("user-agent", nil),
      ])
    let several = try await setter.changes(for: ["x-scope-orgid": ["t1", "t2"]])
    #expect(several.contains(HeaderChange("x-tenant", "t1, t2", .whenAbsent)))
    let none = try await setter.changes(for: [:])
    #expect(!none.contains { $0.name == "x-tenant" })
  }

  @Test func `another authenticator's headers come first`() async throws {
    let token = BearerTokenAuthExtension(
      config: try decoded("token: abc"), context: .testing(.extension, "bearertokenauth"))
    let setter = try made(
      "{headers: [{key: x-a, value: b}], additional_auth: bearertokenauth}",
      extensions: ["bearertokenauth": token])
    #expect(
      try await setter.changes(for: [:]) == [
        HeaderChange("authorization", "Bearer abc"), HeaderChange("x-a", "b"),
      ])
  }

  @Test func `values from files are read again when they change`() async throws {
    let folder = try ScratchFolder()
    let clock = TestClock()
    let file = try folder.write("value", "one\n")
    let setter = try made("headers: [{key: x-a, value_file: \(file)}]", clock: clock)
    try await setter.start()
    #expect(try await setter.changes(for: [:]) == [HeaderChange("x-a", "one")])
    try folder.write("value", "two\n")
    #expect(
      try await becomesTrue(clock) { try await setter.changes(for: [:]) == [HeaderChange("x-a", "two")] })
    await setter.stop()
  }

  @Test func `the exporters change headers as they are told, the configured ones included`() async throws {
    let setter = try made(
      """
      headers:
        - {action: insert, key: X-Here, value: new}
        - {action: update, key: X-There, value: new}
        - {action: update, key: X-Absent, value: new}
        - {action: delete, key: X-Gone}
        - {key: X-Tenant, from_context: x-scope-orgid}
      """)
    let context = ComponentContext.testing(
      .exporter, "otlp", extensions: ExtensionDirectory(["headers_setter": setter]))
    let metadata = RequestMetadata(["x-scope-orgid": ["t1"]])
    let batch = try Batch(bytes: OTLPPayload.request(.logs), signal: .logs)
    let headers = "headers: {X-Here: old, X-There: old, X-Gone: old}, auth: {authenticator: headers_setter}"
    let wanted = ["x-here": "old", "x-there": "new", "x-tenant": "t1"]

    let http = HTTPBackend(HTTPAnswer(status: 200))
    try await http.serve { address in
      let exporter = try OTLPHTTPExporter(
        config: try decoded("{endpoint: \"http://\(address)\", \(headers)}"), context: context)
      try await exporter.start()
      #expect(await exporter.export(batch, metadata: metadata) == .accepted)
      await exporter.stop()
    }
    let sent = try #require(http.requests.first?.metadata)
    #expect(sent.filter { wanted[$0.key] != nil } == wanted.mapValues { [$0] })
    #expect(sent["x-absent"] == nil && sent["x-gone"] == nil)

    let grpc = GRPCBackend(.message([]))
    try await grpc.serve { address in
      let exporter = try OTLPGRPCExporter(
        config: try decoded("{endpoint: \"\(address)\", tls: {insecure: true}, \(headers)}"), context: context
      )
      #expect(await exporter.export(batch, metadata: metadata) == .accepted)
      await exporter.stop()
    }
    let called = try #require(grpc.requests.first?.metadata)
    #expect(called.filter { wanted[$0.key] != nil } == wanted.mapValues { [$0] })
    #expect(called["x-absent"] == nil && called["x-gone"] == nil)
  }

  @Test(arguments: [
    ("{}", "must not be empty"), ("{headers: [{key: a}]}", "exactly one of"),
    ("{headers: [{key: a, value: b, from_context: c}]}", "exactly one of"),
    ("{headers: [{key: \"a b\", value: c}]}", "not a valid header name"),
    ("{headers: [{key: Content-Type, value: c}]}", "belongs to the protocol"),
    ("{headers: [{key: a, action: delete, value: c}]}", "takes no value"),
    ("{headers: [{key: a, value: b, default_value: c}]}", "goes with from_context only"),
    ("{headers: [{key: a, from_attribute: c}]}", "not supported"),
  ])
  func `mistakes are told`(yaml: String, expected: String) {
    let (config, diagnostics) = decoding(yaml, as: HeadersSetterConfig.self)
    #expect(config == nil)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }

  @Test func `credentials that a stored queue would lose are warned of`() {
    let (config, diagnostics) = decoding(
      "{headers: [{key: Authorization, from_context: authorization}]}", as: HeadersSetterConfig.self)
    #expect(config != nil)
    #expect(diagnostics.render().contains("lost in a sending_queue with storage"))
  }

  /// A pipeline whose exporter takes `X-Tenant` from requests.
  private static func plan(
    http: String = "include_metadata: true", batch: String = "metadata_keys: [x-tenant]",
    queue: String = "enabled: true",
    processors: String = "batch"
  ) -> (Plan?, Diagnostics) {
    TestCollector.plan(
      """
      receivers: {otlp: {protocols: {http: {\(http)}}}}
      processors: {batch: {\(batch)}}
      exporters:
        otlp_http: {endpoint: "http://localhost:1", sending_queue: {\(queue)}, auth: {authenticator: headers_setter}}
      extensions:
        headers_setter: {headers: [{key: X-Tenant, from_context: X-Tenant}]}
      service:
        extensions: [headers_setter]
        pipelines: {logs: {receivers: [otlp], processors: [\(processors)], exporters: [otlp_http]}}
      """,
      catalog: Catalog(
        receivers: [OTLPReceiver.self], processors: [BatchProcessor.self], exporters: [OTLPHTTPExporter.self],
        extensions: [HeadersSetterExtension.self]))
  }

  @Test func `metadata that comes as far as to it is not warned of`() {
    for (plan, diagnostics) in [Self.plan(), Self.plan(processors: "")] {
      #expect(plan != nil)
      #expect(!diagnostics.render().contains("missing-metadata"), "\(diagnostics.render())")
    }
  }

  @Test func `metadata that is lost on the way is warned of`() {
    let cases = [
      (
        Self.plan(http: ""),
        "headers_setter works with the metadata X-Tenant of requests, but receiver otlp does not"
      ),
      (
        Self.plan(http: ""),
        "batch works with the metadata x-tenant of requests, but receiver otlp does not keep it"
      ),
      (
        Self.plan(batch: "metadata_keys: [other]"),
        "headers_setter works with the metadata X-Tenant of requests, but processor batch does"
      ),
      (Self.plan(queue: "batch: {}"), "but the sending_queue.batch of otlp_http keeps none"),
    ]
    for ((plan, diagnostics), expected) in cases {
      #expect(plan != nil)
      #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
    }
  }
}
