import ConfigSchema
import Engine
import Exporters
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing
import Transport

@Suite struct PrometheusRemoteWriteExporterTests {
  @Test func `a request of version 1 has the headers of its specification`() async throws {
    let backend = RemoteWriteBackend { _, _ in HTTPAnswer(status: 204) }
    #expect(try await export(.metrics(3), to: backend) == .accepted)
    let arrival = try #require(backend.arrivals.first)
    #expect(arrival.request.method == "POST")
    #expect(arrival.request.path == "/api/v1/write")
    #expect(arrival.request.header("content-type") == "application/x-protobuf")
    #expect(arrival.request.header("content-encoding") == "snappy")
    #expect(arrival.request.header("x-prometheus-remote-write-version") == "0.1.0")
    #expect(arrival.request.header("user-agent")?.lowercased().contains("millrace") == true)
    #expect(arrival.series.count == 3)
  }

  @Test func `a request of version 2 has those of its own, and its answer is counted`() async throws {
    let backend = RemoteWriteBackend { _, _ in Self.written(3) }
    let outcome = try await export(.metrics(3), to: backend) { $0.message = .v2 }
    #expect(outcome == .accepted)
    let arrival = try #require(backend.arrivals.first)
    #expect(
      arrival.request.header("content-type") == "application/x-protobuf;proto=io.prometheus.write.v2.Request")
    #expect(arrival.request.header("x-prometheus-remote-write-version") == "2.0.0")
    #expect(arrival.series.count == 3)
  }

  @Test func `what a backend has not written is rejected`() async throws {
    let backend = RemoteWriteBackend { _, _ in Self.written(1) }
    let exporter = try exporter { $0.message = .v2 }
    let batch = Batch.metrics(3)
    let outcome = try await export(batch, to: backend, with: exporter)
    guard case .partial(2, _) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(exporter.endedItems(of: batch) == [EndedItems(.rejected, reason: "not_written", items: 2)])
    #expect(exporter.endedItems(of: batch) == [])
  }

  @Test(arguments: [415, 204])
  func `a backend that does not know version 2 gets version 1 from then on`(_ status: Int) async throws {
    let backend = RemoteWriteBackend { _, arrival in HTTPAnswer(status: arrival.isSecond ? status : 204) }
    let exporter = try exporter { $0.message = .v2 }
    try await backend.serve { url in
      exporter.url.set(url)
      let running = try exporter.value
      try await running.start()
      #expect(await running.export(.metrics(2), metadata: nil) == .accepted)
      #expect(await running.export(.metrics(2), metadata: nil) == .accepted)
      exporter.clock.advance(by: .seconds(601))
      #expect(await running.export(.metrics(2), metadata: nil) == .accepted)
      await running.stop()
    }
    #expect(backend.arrivals.map(\.isSecond) == [true, false, false, true, false])
  }

  @Test(arguments: [429, 500, 503])
  func `a status that asks for another try is refused with its wait`(_ status: Int) async throws {
    let backend = RemoteWriteBackend { _, _ in
      HTTPAnswer(
        status: status, contentType: "text/plain", body: Array("slow down\nmore".utf8),
        headers: [("Retry-After", "7")])
    }
    #expect(
      try await export(.metrics(1), to: backend)
        == .refused(reason: "HTTP \(status): slow down", after: .seconds(7)))
  }

  @Test func `any other status is final, counted by its reason and logged once`() async throws {
    let backend = RemoteWriteBackend { _, _ in
      HTTPAnswer(status: 400, contentType: "text/plain", body: Array("out of order sample".utf8))
    }
    let log = CapturedLog()
    let exporter = try exporter(log: log)
    try await backend.serve { url in
      exporter.url.set(url)
      let running = try exporter.value
      try await running.start()
      for _ in 0..<5 {
        let batch = Batch.metrics(2)
        #expect(
          await running.export(batch, metadata: nil) == .rejected(reason: "HTTP 400: out of order sample"))
        #expect(exporter.endedItems(of: batch) == [EndedItems(.rejected, reason: "http_400", items: 2)])
      }
      await running.stop()
    }
    #expect(log.lines.filter { $0.contains("out of order sample") }.count == 1)
  }

  @Test func `points that Prometheus cannot take are dropped and counted`() async throws {
    let backend = RemoteWriteBackend { _, _ in HTTPAnswer(status: 204) }
    var builder = BatchBuilder(.metrics)
    let point = NumberDataPointValue(time: 1_700_000_000_000_000_000, value: .int(1))
    builder.add(MetricValue(name: "d", data: .sum([point, point], .delta, isMonotonic: true)))
    builder.add(MetricValue(name: "g", data: .gauge([point])))
    let batch = builder.finish()
    let exporter = try exporter()
    let outcome = try await export(batch, to: backend, with: exporter)
    #expect(outcome == .partial(rejected: 2, message: "2 data points: delta_temporality"))
    #expect(exporter.endedItems(of: batch) == [EndedItems(.dropped, reason: "delta_temporality", items: 2)])
    #expect(backend.arrivals.map(\.series.count) == [1])
  }

  @Test func `after a partial failure only the requests that failed are repeated`() async throws {
    let failed = Mutex<Set<Int>>([])
    let backend = RemoteWriteBackend { number, _ in
      let isFailing = failed.withLock { failed in
        guard number % 3 == 0, failed.count < 5 else { return false }
        failed.insert(number)
        return true
      }
      return HTTPAnswer(status: isFailing ? 503 : 204)
    }
    let exporter = try exporter {
      $0.maxBatchSizeBytes = 2000
      $0.queue.numConsumers = 4
    }
    let batch = Batch.metrics(500)
    try await backend.serve { url in
      exporter.url.set(url)
      let running = try exporter.value
      try await running.start()
      var tries = 1
      while await running.export(batch, metadata: nil) != .accepted {
        tries += 1
        #expect(tries < 20)
        if tries > 20 { break }
      }
      #expect(tries > 1)
      await running.stop()
    }
    let failures = failed.withLock { $0 }
    #expect(!failures.isEmpty)
    let taken = backend.arrivals.enumerated().filter { !failures.contains($0.offset + 1) }.flatMap(
      \.element.series)
    #expect(taken.count == 500)
    #expect(Set(taken).count == 500)
    #expect(exporter.endedItems(of: batch) == [])
  }

  @Test func `when the rest is given up, what arrived has arrived`() async throws {
    let backend = RemoteWriteBackend { number, _ in HTTPAnswer(status: number == 1 ? 204 : 503) }
    let exporter = try exporter {
      $0.maxBatchSizeBytes = 2000
      $0.queue.numConsumers = 1
    }
    let batch = Batch.metrics(500)
    let outcome = try await export(batch, to: backend, with: exporter)
    guard case .refused = outcome else {
      Issue.record("\(outcome)")
      return
    }
    let arrived = try #require(backend.arrivals.first).series.count
    #expect(exporter.endedItems(of: batch) == [EndedItems(.delivered, reason: "", items: arrived)])
  }

  @Test func `the ledger balances over rejections, drops and retries`() async throws {
    let backend = RemoteWriteBackend { number, _ in
      HTTPAnswer(status: [503, 204, 400, 204][(number - 1) % 4])
    }
    let balance: Balance? = try await backend.serve { url in
      let probe = Probe("remote-write-ledger")
      let collector = try TestCollector(
        """
        receivers: {probe: {probe: remote-write-ledger}}
        exporters:
          prometheus_remote_write:
            endpoint: \(url)
            retry_on_failure: {initial_interval: 1ms, max_interval: 1ms}
            max_batch_size_bytes: 2000
        service: {pipelines: {metrics: {receivers: [probe], exporters: [prometheus_remote_write]}}}
        """, catalog: .testing(exporters: [PrometheusRemoteWriteExporter.self]))
      return try await collector.run(drainTimeout: .seconds(120)) { _ in
        await probe.started.wait()
        for count in 1...20 { probe.offer(.metrics(count * 10), handler: OutcomeProbe()) }
      }.first { $0.signal == .metrics }
    }
    let found = try #require(balance)
    #expect(found.unaccounted == 0)
    #expect(found.items(.received) == 2100)
    #expect(found.items(.delivered) + found.items(.rejected) == 2100)
    #expect(found.lines.contains { $0.state == .rejected && $0.reason == "http_400" })
  }

  @Test func `metadata of requests becomes headers where that is asked for`() async throws {
    let backend = RemoteWriteBackend { _, _ in HTTPAnswer(status: 204) }
    let exporter = try exporter { $0.includeMetadataKeys = ["X-Scope-OrgID"] }
    let metadata = RequestMetadata(["x-scope-orgid": ["tenant"], "other": ["no"]])
    _ = try await export(.metrics(1), to: backend, with: exporter, metadata: metadata)
    let request = try #require(backend.arrivals.first).request
    #expect(request.header("x-scope-orgid") == "tenant")
    #expect(request.header("other") == nil)
  }

  @Test func `metadata of metrics is sent once a minute`() async throws {
    let backend = RemoteWriteBackend { _, _ in HTTPAnswer(status: 204) }
    let exporter = try exporter { $0.sendMetadata = true }
    try await backend.serve { url in
      exporter.url.set(url)
      let running = try exporter.value
      try await running.start()
      for _ in 0..<2 { _ = await running.export(.metrics(1), metadata: nil) }
      exporter.clock.advance(by: .seconds(61))
      _ = await running.export(.metrics(1), metadata: nil)
      await running.stop()
    }
    #expect(backend.arrivals.map(\.series.count) == [1, 0, 1, 1, 0])
  }

  // MARK: Settings

  @Test func `defaults are the Collector's`() {
    let config = PrometheusRemoteWriteConfig()
    #expect(config.client.timeout == .seconds(5))
    #expect(config.retry.initialInterval == .milliseconds(50))
    #expect(config.queue.queueSize == 10_000)
    #expect(config.queue.numConsumers == 5)
    #expect(config.maxBatchSizeBytes == 3_000_000)
    #expect(config.targetInfo.enabled)
    #expect(config.message == .v1)
    let delivery = PrometheusRemoteWriteExporter.delivery(of: config)
    #expect(delivery.queue?.numConsumers == 1)
    #expect(delivery.queue?.queueSize == 10_000)
  }

  @Test(arguments: [
    ("{}", "endpoint"), ("{endpoint: \"http://h/w\", compression: gzip}", "snappy"),
    ("{endpoint: \"http://h/w\", translation_strategy: NoTranslation}", "protobuf_message"),
    ("{endpoint: \"http://h/w\", wal: {directory: /tmp}}", "remote_write_queue"),
    ("{endpoint: \"http://h/w\", sending_queue: {enabled: true}}", "remote_write_queue"),
    ("{endpoint: \"http://h/w\", export_created_metric: {enabled: true}}", "protobuf_message"),
    ("{endpoint: \"http://h/w\", scope_info: {enabled: true}}", "disable_scope_info"),
    ("{endpoint: \"http://h/w\", external_labels: {__name__: x}}", "external_labels"),
    ("{endpoint: \"http://h/w\", external_labels: {a.b: x, a_b: y}}", "becomes the label a_b, as a.b does"),
    ("{endpoint: \"http://h/w\", external_labels: {a: \"\"}}", "external_labels.a: is empty"),
    ("{endpoint: \"http://h/w\", remote_write_queue: {enabled: false, storage: file_storage}}", "enabled"),
  ])
  func `settings that cannot work are refused with what to do`(settings: String, word: String) {
    let (plan, diagnostics) = Self.plan(settings)
    #expect(plan == nil)
    #expect(diagnostics.render().contains(word))
  }

  @Test(arguments: [
    "{http: {endpoint: \"http://h/w\", timeout: 9s}}",
    "{endpoint: \"http://h/w\", translation_strategy: NoTranslation, protobuf_message: io.prometheus.write.v2.Request}",
    "{endpoint: \"http://h/w\", external_labels: {a: b}, resource_to_telemetry_conversion: {enabled: true}, target_info: {enabled: false}}",
    "{endpoint: \"http://h/w\", add_metric_suffixes: false, send_metadata: true, max_batch_request_parallelism: 2}",
  ])
  func `settings of the Collector are taken`(settings: String) {
    let (plan, diagnostics) = Self.plan(settings)
    #expect(plan != nil, "\(diagnostics.render())")
  }

  private static func plan(_ settings: String) -> (Plan?, Diagnostics) {
    TestCollector.plan(
      """
      receivers: {probe: {probe: x}}
      exporters: {prometheus_remote_write: \(settings)}
      service: {pipelines: {metrics: {receivers: [probe], exporters: [prometheus_remote_write]}}}
      """, catalog: .testing(exporters: [PrometheusRemoteWriteExporter.self]))
  }

  // MARK: Running

  private static func written(_ samples: Int) -> HTTPAnswer {
    HTTPAnswer(status: 204, headers: [("X-Prometheus-Remote-Write-Samples-Written", "\(samples)")])
  }

  /// An exporter whose address is known once its backend runs.
  private final class Lazy: Sendable {
    final class URL: Sendable {
      private let text = Mutex("")
      func set(_ url: String) { text.withLock { $0 = url } }
      var value: String { text.withLock { $0 } }
    }
    let url = URL()
    let clock = TestClock()
    private let made = Mutex<PrometheusRemoteWriteExporter?>(nil)
    private let config: PrometheusRemoteWriteConfig
    private let log: CapturedLog

    init(_ config: PrometheusRemoteWriteConfig, log: CapturedLog) {
      self.config = config
      self.log = log
    }

    var value: PrometheusRemoteWriteExporter {
      get throws {
        try made.withLock { made in
          if let made { return made }
          var config = config
          config.topLevelClient.endpoint = url.value
          let exporter = try PrometheusRemoteWriteExporter(
            config: config, context: otlpContext(.exporter, "prometheus_remote_write", clock: clock, log: log)
          )
          made = exporter
          return exporter
        }
      }
    }

    func endedItems(of batch: Batch) -> [EndedItems] { (try? value)?.endedItems(of: batch) ?? [] }
  }

  private func exporter(
    log: CapturedLog = CapturedLog(), _ change: (inout PrometheusRemoteWriteConfig) -> Void = { _ in }
  ) throws -> Lazy {
    var config = PrometheusRemoteWriteConfig()
    change(&config)
    return Lazy(config, log: log)
  }

  private func export(
    _ batch: Batch, to backend: RemoteWriteBackend,
    _ change: (inout PrometheusRemoteWriteConfig) -> Void = { _ in }
  ) async throws -> Outcome {
    try await export(batch, to: backend, with: try exporter(change))
  }

  private func export(
    _ batch: Batch, to backend: RemoteWriteBackend, with exporter: Lazy, metadata: RequestMetadata? = nil
  ) async throws -> Outcome {
    try await backend.serve { url in
      exporter.url.set(url)
      let running = try exporter.value
      try await running.start()
      let outcome = await running.export(batch, metadata: metadata)
      await running.stop()
      return outcome
    }
  }
}
