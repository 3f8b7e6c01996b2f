import ConfigSchema
import Foundation
import NativeCodecs
import PipelineKit
import PipelineTestKit
import PrometheusData
import Synchronization
import Testing
import Transport

@testable import Receivers

/// Discovery against real files and servers.
@Suite(.timeLimit(.minutes(2))) struct TargetDiscoveryTests {
  /// A discovery that runs, and what it has told.
  private final class Watch: Sendable {
    let clock = TestClock()
    let context: ComponentContext
    let discovery: TargetDiscovery
    private let told = Mutex<[DiscoveredTargets]>([])

    init(_ job: String) throws {
      context = .testing(.receiver, "prometheus", clock: clock)
      let config = try decoded("config: {scrape_configs: [\(job)]}", as: PrometheusReceiverConfig.self)
      discovery = TargetDiscovery(try #require(config.jobs.first), context: context)
    }

    var updates: [DiscoveredTargets] { told.withLock { $0 } }
    /// The URLs of the last update.
    var urls: [String] { updates.last?.targets.map(\.url) ?? [] }

    func run(_ body: (Watch) async throws -> Void) async throws {
      try await discovery.start()
      let task = Task { await discovery.run { update in self.told.withLock { $0.append(update) } } }
      do {
        try await body(self)
      } catch {
        task.cancel()
        await task.value
        await discovery.stop()
        throw error
      }
      task.cancel()
      await task.value
      await discovery.stop()
    }

    /// Moves the clock on until something is true.
    func expect(_ location: SourceLocation = #_sourceLocation, _ condition: @Sendable () -> Bool) async throws
    {
      let isSeen = try await becomesTrue(clock, condition)
      if !isSeen { Issue.record("never seen; the last targets were \(urls)", sourceLocation: location) }
    }
  }

  @Test func `targets written out are told of at once, and once`() async throws {
    let watch = try Watch("{job_name: a, static_configs: [{targets: ['x:1', 'y:1']}]}")
    try await watch.run { watch in
      try await watch.expect { watch.updates.count == 1 }
      watch.clock.advance(by: .seconds(3600))
    }
    #expect(watch.updates.count == 1)
    #expect(watch.urls == ["http://x:1/metrics", "http://y:1/metrics"])
  }

  @Test func `files are followed as they come, change, break, heal and go`() async throws {
    let folder = try ScratchFolder()
    try folder.write("a.json", #"[{"targets": ["a:1"], "labels": {"env": "\ud83d\ude00", "n": 1}}]"#)
    try folder.write("b.yml", "- targets: ['b:1', \"b:2\"]\n  labels:\n    env: dev\n")
    let watch = try Watch(
      """
      {job_name: a, file_sd_configs: [{files: ['\(folder.path)/*.json', '\(folder.path)/*.yml']}],
       relabel_configs: [{source_labels: [__meta_filepath], regex: '.*/(.+)', target_label: file}]}
      """)
    try await watch.run { watch in
      try await watch.expect {
        watch.urls == ["http://a:1/metrics", "http://b:1/metrics", "http://b:2/metrics"]
      }
      let labels = try #require(watch.updates.last?.targets.first?.labels)
      #expect(labels["file"] == "a.json" && labels["env"] == "😀" && labels["n"] == "1")

      try folder.write("a.json", #"[{"targets": ["a:2"]}]"#)
      try await watch.expect { watch.urls.first == "http://a:2/metrics" }

      let count = watch.updates.count
      try folder.write("a.json", "[{\"targets\": [\"a:3\"]\n")
      try folder.write("c.json", #"[{"targets": ["c:1"]}]"#)
      try await watch.expect { watch.urls.contains("http://c:1/metrics") }
      #expect(watch.urls.contains("http://a:2/metrics"), "a broken file keeps what it held")
      #expect(watch.updates.count == count + 1)

      try folder.write("a.json", #"[{"targets": ["a:4"]}]"#)
      try await watch.expect { watch.urls.contains("http://a:4/metrics") }

      try FileManager.default.removeItem(atPath: "\(folder.path)/b.yml")
      try await watch.expect { !watch.urls.contains("http://b:1/metrics") }
      #expect(watch.urls == ["http://a:4/metrics", "http://c:1/metrics"])
    }
  }

  @Test(arguments: [
    ("x.yml", "- targets: [a]\n  label: {}\n", ":2:3: unknown key \"label\""),
    ("x.yml", "targets: [a]\n", ":1:1: expected a list of groups"),
    ("x.yml", "- a\n", ":1:3: expected a group"),
    ("x.yml", "- targets: a\n", ":1:12: targets must be a list"),
    ("x.yml", "- {targets: [{}]}\n", ":1:14: a target must be an address"),
    ("x.yml", "- {targets: [a], labels: [b]}\n", "labels must be names"), ("x.yml", "- [\n", "x.yml:2:1: "),
    ("x.json", "[{\"targets\": [\"a\",]}]", ":1:19: not JSON: a value is expected"),
    ("x.json", "[{\"targets\": [1.]}]", ":1:15: not JSON: a value is expected"),
    ("x.json", "{}", ":1:1: expected a list"), ("x.json", "[] x", ":1:4: not JSON: nothing more"),
    ("x.json", "[{\"labels\": {\"a\": {}}}]", ":1:19: the label \"a\" must have a text"),
  ])
  func `a broken file is told of with its place`(name: String, text: String, expected: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(name, text)
    let (node, diagnostics) =
      name.hasSuffix("json")
      ? ConfigDocument.readJSON(text, name: path) : ConfigDocument.read(text, name: path)
    let problem = diagnostics.all.first.map { "\($0.location.map { "\($0): " } ?? "")\($0.message)" }
    let found: String
    do {
      _ = try TargetList.groups(node, extra: [], allowsOtherKeys: name.hasSuffix("json"))
      found = try #require(problem)
    } catch { found = "\(error)" }
    #expect(found.contains(expected), "\(found)")
  }

  /// Answers as a script says.
  private final class Server: HTTPRequestHandler {
    let requests = Mutex<[ServerRequest]>([])
    var count: Int { requests.withLock { $0.count } }
    private let answers: Mutex<@Sendable (ServerRequest) -> HTTPAnswer>

    init(_ answer: @escaping @Sendable (ServerRequest) -> HTTPAnswer) { answers = Mutex(answer) }

    func answer(_ answer: @escaping @Sendable (ServerRequest) -> HTTPAnswer) {
      answers.withLock { $0 = answer }
    }

    func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
      let request = request
      requests.withLock { $0.append(request) }
      responder.respond(answers.withLock { $0 }(request))
    }

    func serve(unix path: String? = nil, _ body: (String) async throws -> Void) async throws {
      var config = HTTPServerConfig(endpoint: path ?? "127.0.0.1:0")
      if path != nil { config.transport = .unix }
      config.includeMetadata = true
      let server = HTTPServer(
        config: config, handler: self, logger: ComponentContext.testing(.receiver, "x").logger)
      let address = try await server.start()
      do {
        try await body(address)
      } catch {
        await server.stop()
        throw error
      }
      await server.stop()
    }
  }

  private static func json(_ text: String) -> HTTPAnswer {
    HTTPAnswer(status: 200, contentType: "application/json; charset=utf-8", body: Array(text.utf8))
  }

  @Test func `a server's list is asked for again, and stays while it fails`() async throws {
    let server = Server { _ in Self.json(#"[{"targets": ["a:1"], "labels": {"x": "y"}, "more": 1}]"#) }
    try await server.serve { address in
      let url = "http://\(address)/sd"
      let watch = try Watch(
        """
        {job_name: a, http_sd_configs: [{url: '\(url)', refresh_interval: 30s,
          basic_auth: {username: me, password: secret}, http_headers: {X-Team: {values: [a, b]}}}],
         relabel_configs: [{source_labels: [__meta_url], target_label: from}]}
        """)
      try await watch.run { watch in
        try await watch.expect { watch.urls == ["http://a:1/metrics"] }
        #expect(watch.updates.last?.targets.first?.labels["from"] == url)
        let request = try #require(server.requests.withLock { $0.first })
        #expect(request.method == "GET" && request.path == "/sd")
        #expect(request.metadata["x-prometheus-refresh-interval-seconds"] == ["30"])
        #expect(request.metadata["authorization"] == ["Basic \(Base64.encoded(Array("me:secret".utf8)))"])
        #expect(request.metadata["x-team"] == ["a, b"])
        let updates = watch.updates.count
        for answer in [
          HTTPAnswer.text(500, "no"), .text(200, "[]"), Self.json("{"), Self.json("{}"),
          HTTPAnswer(status: 200, contentType: "application/json", body: [0xff]),
        ] {
          let asked = server.count
          server.answer { _ in answer }
          try await watch.expect { server.count >= asked + 2 }
        }
        #expect(watch.updates.count == updates)
        server.answer { _ in Self.json("[]") }
        try await watch.expect { watch.urls.isEmpty }
        let families = watch.context.metrics.snapshot()
        let failures = families.first { $0.name == "millrace_prometheus_discovery_failures" }
        guard case .number(let count) = failures?.series.first?.value else {
          Issue.record("failures are not counted")
          return
        }
        #expect(count >= 5)
      }
    }
  }

  @Test func `redirects are followed unless that is off`() async throws {
    let server = Server { request in
      request.path == "/sd"
        ? HTTPAnswer(status: 302, headers: [("Location", "/moved")]) : Self.json(#"[{"targets": ["a"]}]"#)
    }
    try await server.serve { address in
      let on = try Watch("{job_name: a, http_sd_configs: [{url: 'http://\(address)/sd'}]}")
      try await on.run { watch in try await watch.expect { watch.urls == ["http://a/metrics"] } }
      let off = try Watch(
        "{job_name: a, http_sd_configs: [{url: 'http://\(address)/sd', follow_redirects: false}]}")
      try await off.run { watch in
        let asked = server.count
        try await watch.expect { server.count > asked + 1 }
        #expect(watch.urls.isEmpty)
      }
    }
  }

  @Test func `a password in a file is sent, and a renewed one too`() async throws {
    let folder = try ScratchFolder()
    let file = try folder.write("token", "first\n")
    let server = Server { _ in Self.json("[]") }
    try await server.serve { address in
      let watch = try Watch(
        """
        {job_name: a, http_sd_configs: [{url: 'http://\(address)/', refresh_interval: 1s,
          authorization: {type: Token, credentials_file: '\(file)'}}]}
        """)
      let last: @Sendable () -> String? = {
        server.requests.withLock { $0.last?.metadata["authorization"]?.first }
      }
      try await watch.run { watch in
        try await watch.expect { last() == "Token first" }
        try folder.write("token", "second")
        try await watch.expect { last() == "Token second" }
      }
    }
  }

  @Test(arguments: [
    ("basic_auth: {username: a, password_file: /no/file}", "basic_auth.password_file"),
    ("tls_config: {ca_file: /no/file}", "tls_config.ca_file"),
  ])
  func `a file that is not there names its key`(setting: String, key: String) async throws {
    let watch = try Watch("{job_name: a, http_sd_configs: [{url: 'http://x/', \(setting)}]}")
    let error = await #expect(throws: StartError.self) { try await watch.discovery.start() }
    #expect(
      error?.message.contains("job \"a\": http_sd_configs[0].\(key)") == true, "\(error?.message ?? "")")
  }

  @Test func `containers of an engine behind a socket file are targets`() async throws {
    let path = "/tmp/millrace-docker-\(UInt32.random(in: 0 ... .max)).sock"
    let server = Server { request in
      request.path == "/networks" ? Self.json(Self.networks) : Self.json(Self.containers)
    }
    try await server.serve(unix: path) { _ in
      let watch = try Watch(
        """
        {job_name: a, docker_sd_configs: [{host: 'unix://\(path)', filters: [{name: label, values: ["a=1"]}]}],
         relabel_configs: [{action: labelmap, regex: __meta_docker_(.+)}]}
        """)
      try await watch.run { watch in
        try await watch.expect { !watch.urls.isEmpty }
        #expect(
          watch.urls == [
            "http://172.18.0.2:8000/metrics", "http://172.18.0.2:9000/metrics",
            "http://172.19.0.3:80/metrics",
            "http://localhost/metrics", "http://172.19.0.3:80/metrics",
          ])
        let listed = server.requests.withLock { $0.first { $0.path == "/containers/json" } }
        #expect(listed?.query == "filters=%7B%22label%22%3A%5B%22a%3D1%22%5D%7D")
        let labels = try #require(watch.updates.last?.targets.first?.labels)
        let expected = [
          "container_id": "c1", "container_name": "/web", "container_network_mode": "app_default",
          "container_label_com_example_a_b": "x", "network_id": "n1", "network_name": "app_default",
          "network_ingress": "false", "network_internal": "true", "network_scope": "local",
          "network_label_team": "t", "network_ip": "172.18.0.2", "port_private": "8000",
          "port_public": "18000",
          "port_public_ip": "0.0.0.0", "job": "a", "instance": "172.18.0.2:8000",
        ]
        #expect(labels == LabelSet(expected.map { Label($0.key, $0.value) }))
      }
    }
  }

  @Test func `all networks of a container are taken when asked`() throws {
    var config = DockerDiscoveryConfig()
    config.matchFirstNetwork = false
    config.port = 99
    let (node, _) = ConfigDocument.readJSON(Self.containers, name: "x")
    let containers = try #require(node).elements.map { DockerContainer($0) }
    let targets = DockerTargetMaking(config, containers: containers, networks: []).targets
    #expect(targets.map { $0["__address__"] ?? "" }.filter { $0.hasSuffix(":99") }.count == 2)
    #expect(targets.contains { $0["__address__"] == "10.9.0.2:8000" })
  }

  private static let networks = """
    [{"Id": "n1", "Name": "app_default", "Scope": "local", "Internal": true, "Ingress": false,
      "Labels": {"team": "t"}}, {"Id": "n2", "Name": "other", "Labels": null}]
    """

  private static let containers = """
    [{"Id": "c1", "Names": ["/web", "/x/web"], "Labels": {"com.example.a-b": "x"},
      "HostConfig": {"NetworkMode": "app_default"},
      "Ports": [{"IP": "0.0.0.0", "PrivatePort": 8000, "PublicPort": 18000, "Type": "tcp"},
                {"PrivatePort": 53, "Type": "udp"}, {"PrivatePort": 9000, "Type": "tcp"}],
      "NetworkSettings": {"Networks": {"zz": {"NetworkID": "n3", "IPAddress": "10.9.0.2"},
        "app_default": {"NetworkID": "n1", "IPAddress": "172.18.0.2"}, "aa": null}}},
     {"Id": "c2", "Names": ["/db"], "Labels": null, "HostConfig": {"NetworkMode": "other"}, "Ports": [],
      "NetworkSettings": {"Networks": {"other": {"NetworkID": "n2", "IPAddress": "172.19.0.3"}}}},
     {"Id": "c3", "Names": ["/agent"], "Labels": {}, "HostConfig": {"NetworkMode": "host"}, "Ports": [],
      "NetworkSettings": {"Networks": {"host": {"NetworkID": "n9", "IPAddress": ""}}}},
     {"Id": "c4", "Names": ["/sidecar"], "Labels": {}, "HostConfig": {"NetworkMode": "container:c2"}, "Ports": [],
      "NetworkSettings": {"Networks": {}}},
     {"Id": "c5", "Names": [], "HostConfig": {"NetworkMode": "container:c5"}},
     {"Id": "c6", "Names": ["/loop"], "HostConfig": {"NetworkMode": "container:c6"}}]
    """
}
