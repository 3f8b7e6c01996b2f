import ConfigSchema
import NativeCodecs
import PipelineKit
import PipelineTestKit
import PrometheusData
import TelemetryData
import Testing

@testable import Exporters

@Suite struct PrometheusExporterTests {
  /// Runs an exporter on a free port.
  private static func run(
    _ change: (inout PrometheusExporterConfig) -> Void = { _ in }, metrics: SelfMetrics = SelfMetrics(),
    log: CapturedLog = CapturedLog(), _ body: (PrometheusExporter) async throws -> Void
  ) async throws {
    var config = PrometheusExporterConfig()
    config.server.endpoint = "127.0.0.1:0"
    change(&config)
    let exporter = PrometheusExporter(
      config: config,
      context: otlpContext(.exporter, "prometheus", signals: [.metrics], metrics: metrics, log: log))
    try await exporter.start()
    let result: Result<Void, any Error>
    do {
      try await body(exporter)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await exporter.stop()
    try result.get()
  }

  private static func batch(_ metrics: [MetricValue], resource: Attributes = ["service.name": "shop"])
    -> Batch
  {
    var builder = BatchBuilder(.metrics)
    builder.beginResource(ResourceValue(attributes: resource))
    builder.beginScope(ScopeValue(name: "meter", version: "1"))
    for metric in metrics { builder.add(metric) }
    return builder.finish()
  }

  private static func gauge(_ name: String = "load", _ value: Double = 1, label: String = "a") -> MetricValue
  {
    MetricValue(
      name: name, description: "How much.", unit: "s",
      data: .gauge([
        NumberDataPointValue(attributes: ["l": .string(label)], time: 1_500_000_000, value: .double(value))
      ]))
  }

  private static func scrape(
    _ exporter: PrometheusExporter, accept: String? = nil, headers: [String] = []
  ) async throws -> RawHTTP.Reply {
    try await RawHTTP.send(
      "GET", "/metrics", to: exporter.address, headers: (accept.map { ["Accept: \($0)"] } ?? []) + headers)
  }

  @Test func `metrics are exposed in the format that was asked for`() async throws {
    try await Self.run({ $0.enableOpenMetrics = true }) { exporter in
      #expect(exporter.export(Self.batch([Self.gauge()])) == .accepted)
      let text = try await Self.scrape(exporter)
      #expect(text.status == 200)
      #expect(text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(
        String(decoding: text.body, as: UTF8.self) == """
          # HELP load_seconds How much.
          # TYPE load_seconds gauge
          load_seconds{job="shop",l="a",otel_scope_name="meter",otel_scope_version="1"} 1

          """)
      let open = try await Self.scrape(exporter, accept: "application/openmetrics-text;version=1.0.0")
      #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
      #expect(String(decoding: open.body, as: UTF8.self).hasSuffix("# EOF\n"))
      let protobuf = try await Self.scrape(
        exporter,
        accept:
          "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
      #expect(protobuf.headers["content-type"]?.hasPrefix("application/vnd.google.protobuf") == true)
      #expect(protobuf.body.first == UInt8(protobuf.body.count - 1))
    }
  }

  @Test func `settings shape the series`() async throws {
    try await Self.run({
      $0.namespace = "ns"
      $0.constLabels = ["region": "eu"]
      $0.sendTimestamps = true
      $0.addMetricSuffixes = false
      $0.withoutScopeInfo = true
      $0.resourceToTelemetry.enabled = true
      $0.targetInfo.enabled = false
    }) { exporter in
      _ = exporter.export(Self.batch([Self.gauge()], resource: ["service.name": "shop", "host.name": "h"]))
      let reply = try await Self.scrape(exporter)
      #expect(
        String(decoding: reply.body, as: UTF8.self).hasSuffix(
          "ns_load{host_name=\"h\",job=\"shop\",l=\"a\",region=\"eu\",service_name=\"shop\"} 1 1500\n"))
    }
  }

  @Test func `target_info tells of the resource`() async throws {
    try await Self.run { exporter in
      _ = exporter.export(Self.batch([Self.gauge()], resource: ["service.name": "shop", "host.name": "h"]))
      let reply = try await Self.scrape(exporter)
      #expect(
        String(decoding: reply.body, as: UTF8.self).contains("target_info{host_name=\"h\",job=\"shop\"} 1\n"))
    }
  }

  @Test func `a large exposition is compressed where the scraper wants it`() async throws {
    try await Self.run { exporter in
      for number in 0..<100 { _ = exporter.export(Self.batch([Self.gauge(label: "\(number)")])) }
      let plain = try await Self.scrape(exporter)
      let reply = try await Self.scrape(exporter, headers: ["Accept-Encoding: gzip"])
      #expect(reply.headers["content-encoding"] == "gzip")
      #expect(reply.body.count * 5 < plain.body.count)
      var body: [UInt8] = []
      try Decompressor(.gzip, limit: 1 << 20).decompress(reply.body.span, to: &body)
      #expect(body == plain.body)
    }
  }

  @Test func `conflicts and what finds no room are told back`() async throws {
    let (metrics, log) = (SelfMetrics(), CapturedLog())
    try await Self.run({ $0.maxBytes = ByteCount(1 << 16) }, metrics: metrics, log: log) { exporter in
      _ = exporter.export(Self.batch([Self.gauge()]))
      var sum = Self.gauge("load")
      sum.data = .sum([NumberDataPointValue(time: 1, value: .int(1))], .cumulative, isMonotonic: false)
      sum.metadata = ["prometheus.type": "unknown"]
      sum.name = "load_seconds"
      for _ in 0..<2 {
        #expect(
          exporter.export(Self.batch([sum]))
            == .partial(rejected: 1, message: "a metric has the name of another one of a different type"))
      }
      var refused = 0
      for number in 0..<1000 {
        if case .partial(let rejected, _) = exporter.export(Self.batch([Self.gauge(label: "\(number)")])) {
          refused += rejected
        }
      }
      #expect(refused > 500 && refused < 1000)
    }
    #expect(log.lines.filter { $0.contains("metric=load_seconds") }.count == 1)
    let family = metrics.snapshot().first { $0.name == "millrace_exporter_refused_series_points" }
    #expect(family?.series.count == 2)
  }

  @Test func `only metrics can be scraped`() async throws {
    try await Self.run { exporter in
      #expect(try await RawHTTP.send("GET", "/", to: exporter.address).status == 404)
      #expect(try await RawHTTP.send("POST", "/metrics", to: exporter.address).status == 405)
      let head = try await RawHTTP.send("HEAD", "/metrics", to: exporter.address)
      #expect(head.status == 200 && head.body.isEmpty)
    }
  }
}
