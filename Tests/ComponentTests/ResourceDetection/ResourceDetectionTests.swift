import ConfigSchema
import Foundation
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing
import Transport

@testable import Processors

@Suite(.timeLimit(.minutes(2))) struct ResourceDetectionTests {
  /// A folder with files, which stands for the root of a file system.
  private static func inWorld<Result>(
    _ files: [String: String], _ body: (String) async throws -> Result
  ) async throws -> Result {
    let root = FileManager.default.temporaryDirectory.appending(path: "millrace-root-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, content) in files {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try content.write(to: file, atomically: true, encoding: .utf8)
    }
    return try await body(root.path)
  }

  private static func switches(_ names: String...) -> String {
    "resource_attributes: {\(names.map { "\($0): {enabled: true}" }.joined(separator: ", "))}"
  }

  @Test(
    arguments: [
      ("", [:]), ("  ", [:]), ("a=b", ["a": "b"]), (" a = b , c=d ,", ["a": "b", "c": "d"]),
      ("a=x%2Cy+z%C3%BC", ["a": "x,y zü"]), ("a=", ["a": ""]), ("a=b=c", ["a": "b=c"]),
      ("a", nil), ("=b", nil), ("a=b,,c=d", nil), ("a=%2", nil), ("a=%zz", nil), ("a=ü", nil),
      (String(repeating: "k", count: 257) + "=v", nil),
    ] as [(String, Attributes?)])
  func `the environment holds attributes`(text: String, expected: Attributes?) async throws {
    let environment = ["OTEL_RESOURCE_ATTRIBUTES": text]
    guard let expected else {
      await #expect(throws: StartError.self) {
        _ = try await ResourceDetectionProcessor.detected("{timeout: 0s}", environment: environment)
      }
      return
    }
    #expect(try await ResourceDetectionProcessor.detected("{}", environment: environment) == expected)
  }

  @Test func `the system tells what its files say`() async throws {
    let files = [
      "etc/machine-id": "0123abcd\n",
      "proc/cpuinfo": """
      processor\t: 0
      vendor_id\t: GenuineIntel
      cpu family\t: 6
      model\t\t: 85
      model name\t: Intel(R) Xeon(R)
      stepping\t: 7
      cache size\t: 39424 KB

      processor\t: 1
      vendor_id\t: other

      """,
      "etc/os-release":
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME='Debian GNU/Linux'\n# no\nVERSION_ID=\"12\"\n",
    ]
    let found = try await Self.inWorld(files) { root in
      try await ResourceDetectionProcessor.detected(
        """
        {detectors: [system], system: {hostname_sources: [os], \(Self.switches(
          "host.id", "host.arch", "host.cpu.vendor.id", "host.cpu.family", "host.cpu.model.id", "host.cpu.model.name",
          "host.cpu.stepping", "host.cpu.cache.l2.size", "os.name", "os.version", "os.description"))}}
        """, root: root)
    }
    var values = Dictionary(uniqueKeysWithValues: found.entries.map { ($0.key, $0.value) })
    let name = values.removeValue(forKey: "host.name")
    #expect(name == .string(ProcessInfo.processInfo.hostName))
    let description = values.removeValue(forKey: "os.description").map { "\($0)" } ?? ""
    #expect(description.contains("Debian GNU/Linux 12 (bookworm) (Linux "))
    let architecture = values.removeValue(forKey: "host.arch")
    #expect(architecture == "amd64" || architecture == "arm64")
    #expect(
      values == [
        "os.type": "linux", "host.id": "0123abcd", "host.cpu.vendor.id": "GenuineIntel",
        "host.cpu.family": "6",
        "host.cpu.model.id": "85", "host.cpu.model.name": "Intel(R) Xeon(R)", "host.cpu.stepping": "7",
        "host.cpu.cache.l2.size": 39424, "os.name": "Debian GNU/Linux", "os.version": "12",
      ])
  }

  @Test func `the process is this one`() async throws {
    let found = try await ResourceDetectionProcessor.detected(
      "{detectors: [process], process: {\(Self.switches("process.command_args"))}}")
    let values = Dictionary(uniqueKeysWithValues: found.entries.map { ($0.key, $0.value) })
    #expect(values["process.pid"] == .int(Int64(ProcessInfo.processInfo.processIdentifier)))
    // Foundation makes the first one, the program, absolute.
    guard case .array(let arguments)? = values["process.command_args"] else {
      Issue.record("there are no arguments")
      return
    }
    #expect(
      arguments.dropFirst() == ProcessInfo.processInfo.arguments.dropFirst().map { .string($0) }[...])
    #expect(values["process.owner"] == .string(NSUserName()))
  }

  @Test func `a pod is told about itself in variables and files`() async throws {
    let files = [
      "etc/podinfo/labels": "app=\"shop\"\npod-template-hash=\"5d\"\nnote=\"a \\\"b\\\"\\n\\u00fc\"\n",
      "etc/podinfo/annotations": "team/owner=\"cart\"\n", "etc/podinfo/uid": "b6ce1ef6",
      "var/run/secrets/kubernetes.io/serviceaccount/namespace": "web",
      "proc/self/cgroup": "0::/kubepods/besteffort/podb6ce1ef6/\(String(repeating: "ab", count: 32))\n",
    ]
    let environment = [
      "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "shop-5d-x", "K8S_NODE_NAME": "node-1",
      "POD_IP": "10.1.1.1",
    ]
    try await Self.inWorld(files) { root in
      let found = try await ResourceDetectionProcessor.detected(
        """
        {detectors: [k8s_pod], k8s_pod: {labels: [^app$, ^note$], annotations: [.*],
          \(Self.switches("k8s.pod.ip", "container.id"))}}
        """, environment: environment, root: root)
      #expect(
        found == [
          "k8s.pod.name": "shop-5d-x", "k8s.pod.uid": "b6ce1ef6", "k8s.namespace.name": "web",
          "k8s.node.name": "node-1", "k8s.pod.ip": "10.1.1.1",
          "container.id": .string(String(repeating: "ab", count: 32)), "k8s.pod.label.app": "shop",
          "k8s.pod.label.note": "a \"b\"\nü", "k8s.pod.annotation.team/owner": "cart",
        ])
    }
    let outside = try await ResourceDetectionProcessor.detected(
      "{detectors: [k8s_pod]}", environment: ["HOSTNAME": "laptop"], root: "/nowhere")
    #expect(outside == [])
    await #expect(throws: StartError.self) {
      _ = try await ResourceDetectionProcessor.detected(
        "{detectors: [k8s_pod], timeout: 0s, fail_on_missing_metadata: true}", root: "/nowhere")
    }
  }

  @Test func `the first detector decides, and override decides about what is there`() async throws {
    let environment = ["OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=e,service.name=x", "POD_NAME": "p"]
    let before: Attributes = ["service.name": "shop"]
    #expect(
      try await ResourceDetectionProcessor.detected(
        "{detectors: [k8s_pod, env]}", environment: environment, root: "/nowhere", on: before)
        == ["service.name": "x", "k8s.pod.name": "p"])
    #expect(
      try await ResourceDetectionProcessor.detected(
        "{detectors: [env, k8s_pod], override: false}", environment: environment, root: "/nowhere", on: before
      )
        == ["service.name": "shop", "k8s.pod.name": "e"])
  }

  @Test(arguments: [
    ("{detectors: [ecs]}", "the detector \"ecs\" is not supported"),
    ("{detectors: [systm]}", "did you mean \"system\"?"),
    (
      "{detectors: [system], system: {resource_attributes: {host.nam: {enabled: true}}}}",
      "did you mean \"host.name\"?"
    ),
    ("{detectors: [ec2], ec2: {tags: [a]}}", "tags_from_imds"),
    ("{detectors: [gcp], gcp: {labels: [a]}}", "not supported"),
    ("{eks: {}}", "not supported"),
    ("{endpoint: 'http://127.0.0.1:1'}", "endpoint"),
  ])
  func `what is not there is refused at the check`(yaml: String, expected: String) throws {
    let (loaded, _) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
    var diagnostics = Diagnostics()
    _ = ConfigDecoder.decode(
      ResourceDetectionProcessor.Config.self, from: try #require(loaded), path: "", diagnostics: &diagnostics)
    #expect(diagnostics.hasErrors)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }

  @Test func `detection is repeated, and a failure leaves what is known`() async throws {
    let service = MetadataService(["/info": #"{"Name": "one"}"#])
    try await service.serve { address in
      let clock = TestClock()
      let processor = ResourceDetectionProcessor(
        config: try ResourceDetectionProcessor.settings(
          "{detectors: [docker], refresh_interval: 1h, timeout: 0s}"),
        context: .testing(.processor, "resource_detection", clock: clock),
        environment: ["DOCKER_HOST": "tcp://\(address)"])
      try await processor.start()
      #expect(processor.applied(to: []) == ["host.name": "one"])
      async let work: Void = processor.run()
      func repeated(_ count: Int) async throws {
        while clock.pendingTimers == 0 { try await Task.sleep(for: .milliseconds(2)) }
        clock.advance(by: .seconds(3600))
        while service.requests.count < count || clock.pendingTimers == 0 {
          try await Task.sleep(for: .milliseconds(2))
        }
      }
      service.follow { _ in .text(500, "") }
      try await repeated(2)
      #expect(processor.applied(to: []) == ["host.name": "one"])
      service.follow { _ in .text(200, #"{"Name": "two"}"#) }
      try await repeated(3)
      #expect(processor.applied(to: []) == ["host.name": "two"])
      await processor.stop()
      await work
    }
  }

  @Test func `a detector is asked again until it answers`() async throws {
    let service = MetadataService { _ in .text(500, "") }
    try await service.serve { address in
      let clock = TestClock()
      let processor = ResourceDetectionProcessor(
        config: try ResourceDetectionProcessor.settings("{detectors: [docker], timeout: 1h}"),
        context: .testing(.processor, "resource_detection", clock: clock),
        environment: ["DOCKER_HOST": "tcp://\(address)"])
      async let start: Void = processor.start()
      while service.requests.count < 1 { try await Task.sleep(for: .milliseconds(2)) }
      service.follow { _ in .text(200, #"{"Name": "late"}"#) }
      while service.requests.count < 2 {
        clock.advance(by: .milliseconds(100))
        try await Task.sleep(for: .milliseconds(2))
      }
      try await start
      #expect(processor.applied(to: []) == ["host.name": "late"])
      await processor.stop()
    }
  }

  @Test func `a collector starts only once the resource is known`() async throws {
    let probe = Probe("resource-detection")
    let yaml = """
      receivers: {probe: {probe: resource-detection}}
      processors: {resourcedetection: {detectors: [system], system: {hostname_sources: [os]}}}
      exporters: {probe: {probe: resource-detection}}
      service: {pipelines: {logs: {receivers: [probe], processors: [resourcedetection], exporters: [probe]}}}
      """
    let catalog = Catalog.testing(processors: [ResourceDetectionProcessor.self])
    let collector = try TestCollector(yaml, catalog: catalog)
    let balances = try await collector.run { _ in
      await probe.started.wait()
      var builder = BatchBuilder(.logs)
      builder.add(LogRecordValue(time: 1))
      let outcome = await probe.send(builder.finish())
      #expect(outcome.isAccepted)
    }
    #expect(balances.allSatisfy { $0.unaccounted == 0 })
    let exported = try #require(probe.exported.first)
    let attributes = exported.resource(at: 0).attributes.values
    #expect(attributes == ["host.name": .string(ProcessInfo.processInfo.hostName), "os.type": "linux"])

    let bad = try TestCollector(
      yaml.replacing(
        "{detectors: [system], system: {hostname_sources: [os]}}",
        with:
          "{detectors: [gcp], timeout: 1s, fail_on_missing_metadata: true, proxy_url: 'http://127.0.0.1:1'}"),
      catalog: catalog)
    let error = await #expect(throws: (any Error).self) { _ = try await bad.run { _ in } }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains(
        "processor resource_detection (test.yaml:2): the resource was not detected: gcp:"))
  }

  @Test func `a reload starts and stops what is prepared, and a failure leaves the old one`() async throws {
    let probe = Probe("resource-reload")
    func yaml(_ settings: String) -> String {
      """
      receivers: {probe: {probe: resource-reload}}
      processors: {resource_detection: \(settings)}
      exporters: {probe: {probe: resource-reload, sending_queue: {enabled: false}}}
      service: {pipelines: {logs: {receivers: [probe], processors: [resource_detection], exporters: [probe]}}}
      """
    }
    @Sendable func keys() async throws -> [String] {
      var builder = BatchBuilder(.logs)
      builder.add(LogRecordValue(time: 1))
      let outcome = await probe.send(builder.finish())
      #expect(outcome.isAccepted)
      let exported = try #require(probe.exported.last)
      return exported.resource(at: 0).attributes.values.entries.map(\.key)
    }
    let (first, second) = (
      yaml("{detectors: [system], system: {hostname_sources: [os]}}"), yaml("{detectors: [process]}")
    )
    let bad = yaml(
      "{detectors: [gcp], timeout: 1s, fail_on_missing_metadata: true, proxy_url: 'http://127.0.0.1:1'}")
    let collector = try TestCollector(
      first, catalog: Catalog.testing(processors: [ResourceDetectionProcessor.self]))
    let balances = try await collector.run { collector in
      await probe.started.wait()
      var found = try await keys()
      #expect(found == ["host.name", "os.type"])
      await #expect(throws: (any Error).self) { try await collector.reload(bad) }
      found = try await keys()
      #expect(found == ["host.name", "os.type"])
      try await collector.reload(second)
      found = try await keys()
      #expect(found.contains("process.pid") && !found.contains("host.name"))
    }
    #expect(balances.allSatisfy { $0.unaccounted == 0 })
  }
}
