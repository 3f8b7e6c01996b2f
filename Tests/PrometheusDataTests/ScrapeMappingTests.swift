import PrometheusData
import TelemetryData
import Testing

/// Expositions and the OTLP they become, from the compatibility specification.
@Suite struct ScrapeMappingTests {
  @Test func `a gauge, a counter and an untyped metric keep their names`() {
    var target = ScrapeFixture()
    let lines = target.points(
      """
      # HELP temp How warm it is.
      # TYPE temp gauge
      temp{room="a"} 21.5
      temp{room="b"} -3
      # TYPE requests_total counter
      requests_total{code="200"} 7
      # TYPE odd untyped
      odd 1
      bare{x="y"} 2

      """)
    #expect(
      lines == [
        "gauge temp{room=\"a\"} 21.5 @2000 #gauge help=How warm it is.",
        "gauge temp{room=\"b\"} -3 @2000 #gauge help=How warm it is.",
        "counter requests_total{code=\"200\"} 7 @2000 #counter",
        "gauge odd{} 1 @2000",
        "gauge bare{x=\"y\"} 2 @2000",
      ])
  }

  @Test func `the target is the resource`() {
    var target = ScrapeFixture {
      $0.labels["env"] = "prod"
      $0.host = "host"
      $0.port = "80"
      $0.scheme = "http"
    }
    let lines = ScrapeLines.of(target.scrape("a 1\n"))
    #expect(
      lines.first
        == "resource {service.name=\"shop\",service.instance.id=\"host:80\",server.address=\"host\",server.port=\"80\",url.scheme=\"http\"}"
    )
    #expect(lines.contains("gauge a{env=\"prod\"} 1 @2000"))
    #expect(lines.filter { $0.hasPrefix("resource") }.count == 1)
  }

  @Test func `target_info describes the resource and is no metric`() {
    var target = ScrapeFixture()
    let text = "# TYPE target info\ntarget_info{service_version=\"1.2\"} 1\n# TYPE a gauge\na 1\n# EOF\n"
    let lines = ScrapeLines.of(target.scrape(text, .openMetrics))
    #expect(
      lines.first
        == "resource {service.name=\"shop\",service.instance.id=\"host:80\",service_version=\"1.2\"}")
    #expect(!lines.contains { $0.contains("target_info") })
    let again = ScrapeLines.of(target.scrape("# TYPE a gauge\na 1\n# EOF\n", .openMetrics))
    #expect(again.first == "resource {service.name=\"shop\",service.instance.id=\"host:80\"}")
  }

  @Test func `scope labels become a scope and otel_scope_info is left out`() {
    var target = ScrapeFixture()
    let lines = ScrapeLines.of(
      target.scrape(
        """
        otel_scope_info{otel_scope_name="lib"} 1
        a{otel_scope_name="lib",otel_scope_version="1",otel_scope_schema_url="u",otel_scope_color="red",x="1"} 5
        b{x="2"} 6

        """))
    #expect(lines.contains("scope lib 1 u {color=\"red\"}"))
    #expect(lines.contains("gauge a{x=\"1\"} 5 @2000"))
    #expect(lines.contains("gauge b{x=\"2\"} 6 @2000"))
    #expect(!lines.contains { $0.contains("otel_scope_info") })
  }

  @Test func `a classic histogram becomes one point with differences`() {
    var target = ScrapeFixture()
    let text = """
      # HELP lat Latency.
      # TYPE lat histogram
      lat_bucket{p="/",le="0.1"} 2
      lat_bucket{p="/",le="1"} 5
      lat_bucket{p="/",le="+Inf"} 6
      lat_sum{p="/"} 3.5
      lat_count{p="/"} 6

      """
    #expect(
      target.points(text) == [
        "histogram lat{p=\"/\"} count=6 sum=3.5 [2, 3, 1] [0.1, 1.0] @2000 #histogram help=Latency."
      ])
    #expect(target.points(text).count == 1)
  }

  @Test func `buckets in any order make the same histogram`() {
    var target = ScrapeFixture()
    let lines = target.points(
      """
      # TYPE lat histogram
      lat_count 6
      lat_bucket{le="+Inf"} 6
      lat_bucket{le="1"} 5
      lat_sum 3.5
      lat_bucket{le="0.1"} 2

      """)
    #expect(lines == ["histogram lat{} count=6 sum=3.5 [2, 3, 1] [0.1, 1.0] @2000 #histogram"])
  }

  @Test(arguments: [
    // No count.
    "lat_bucket{le=\"1\"} 5\nlat_bucket{le=\"+Inf\"} 6\nlat_sum 1\n",
    // No +Inf.
    "lat_bucket{le=\"1\"} 5\nlat_sum 1\nlat_count 6\n",
    // Buckets that go down.
    "lat_bucket{le=\"1\"} 7\nlat_bucket{le=\"+Inf\"} 6\nlat_sum 1\nlat_count 6\n",
    // A count that is another.
    "lat_bucket{le=\"1\"} 5\nlat_bucket{le=\"+Inf\"} 6\nlat_sum 1\nlat_count 7\n",
    // Not whole.
    "lat_bucket{le=\"1\"} 5.5\nlat_bucket{le=\"+Inf\"} 6\nlat_sum 1\nlat_count 6\n",
  ])
  func `a histogram that does not add up goes on series by series`(text: String) {
    var target = ScrapeFixture()
    let lines = target.points("# TYPE lat histogram\n" + text)
    let expected = text.split(separator: "\n").map { line -> String in
      var words = line.split(separator: " ").map(String.init)
      if !words[0].contains("{") { words[0] += "{}" }
      return "gauge \(words[0]) \(words[1]) @2000"
    }
    // Prometheus 3 writes whole bounds with a digit behind the point.
    func normal(_ line: String) -> String {
      line.replacing("le=\"1\"", with: "le=\"1.0\"")
    }
    #expect(Set(lines.map(normal)) == Set(expected.map(normal)))
  }

  @Test func `a summary becomes one point`() {
    var target = ScrapeFixture()
    let text = """
      # TYPE rpc summary
      rpc{quantile="0.5"} 0.2
      rpc{quantile="0.99"} NaN
      rpc_sum 17
      rpc_count 30

      """
    #expect(target.points(text) == ["summary rpc{} count=30 sum=17 0.5:0.2,0.99:nan @2000 #summary"])
  }

  @Test func `a summary without a sum goes on series by series`() {
    var target = ScrapeFixture()
    let lines = target.points("# TYPE rpc summary\nrpc{quantile=\"0.5\"} 2\nrpc_count 30\n")
    #expect(Set(lines) == ["gauge rpc{quantile=\"0.5\"} 2 @2000", "gauge rpc_count{} 30 @2000"])
  }

  @Test func `info and stateset become sums that are not monotonic`() {
    var target = ScrapeFixture()
    let lines = target.points(
      """
      # TYPE build info
      build_info{v="1"} 1
      # TYPE state stateset
      state{state="on"} 1
      state{state="off"} 0
      # TYPE load gaugehistogram
      load_bucket{le="1.0"} 2
      load_bucket{le="+Inf"} 3
      load_gcount 3
      load_gsum 4
      # EOF

      """, .openMetrics)
    #expect(
      lines == [
        "sum build_info{v=\"1\"} 1 @2000 #info",
        "sum state{state=\"on\"} 1 @2000 #stateset",
        "sum state{state=\"off\"} 0 @2000 #stateset",
        "gauge load_bucket{le=\"1.0\"} 2 @2000 #gaugehistogram",
        "gauge load_bucket{le=\"+Inf\"} 3 @2000 #gaugehistogram",
        "gauge load_gcount{} 3 @2000 #gaugehistogram",
        "gauge load_gsum{} 4 @2000 #gaugehistogram",
      ])
  }

  @Test func `created series of OpenMetrics become start times`() {
    var target = ScrapeFixture()
    let text = """
      # TYPE c counter
      # UNIT c_seconds seconds
      # TYPE c_seconds counter
      c_seconds_total{a="1"} 5
      c_seconds_created{a="1"} 1795648913.034
      # TYPE h histogram
      h_bucket{le="+Inf"} 1
      h_count 1
      h_sum 2
      h_created 1.25
      # EOF

      """.replacing("# TYPE c counter\n", with: "")
    let lines = target.points(text, .openMetrics)
    #expect(
      lines == [
        "counter c_seconds_total{a=\"1\"} 5 @2000 start=1795648913034 #counter unit=s",
        "histogram h{} count=1 sum=2 [1] [] @2000 start=1250 #histogram",
      ])
  }

  @Test func `exemplars carry ids and what else they say`() {
    var target = ScrapeFixture()
    let id = "0123456789abcdef0123456789abcdef"
    let text = """
      # TYPE c counter
      c_total 5 # {trace_id="\(id)",span_id="0123456789abcdef",user="u"} 2 1.5
      # TYPE h histogram
      h_bucket{le="1.0"} 1 # {trace_id="short"} 0.5
      h_bucket{le="+Inf"} 1
      h_count 1
      h_sum 2
      # EOF

      """
    #expect(
      target.points(text, .openMetrics) == [
        "counter c_total{} 5 @2000 exemplar(2@1500 trace=\(id) span=0123456789abcdef {user=\"u\"}) #counter",
        "histogram h{} count=1 sum=2 [1, 0] [1.0] @2000 exemplar(0.5@2000 trace= span= {trace_id=\"short\"}) #histogram",
      ])
  }

  @Test func `points of one metric come together though the exposition mixes them`() {
    var target = ScrapeFixture()
    let batch = target.scrape("a 1\nb 2\na{x=\"1\"} 3\nb{x=\"1\"} 4\n")
    #expect(
      ScrapeLines.points(batch) == [
        "gauge a{} 1 @2000", "gauge a{x=\"1\"} 3 @2000", "gauge b{} 2 @2000", "gauge b{x=\"1\"} 4 @2000",
      ])
    #expect(batch.reduce(0) { $0 + $1.recordCount } == 7)
  }

  @Test func `a type that changes makes another metric and ends nothing`() {
    var target = ScrapeFixture()
    #expect(target.points("# TYPE a gauge\na{x=\"1\"} 1\n") == ["gauge a{x=\"1\"} 1 @2000 #gauge"])
    #expect(target.points("# TYPE a counter\na{x=\"1\"} 2\n") == ["counter a{x=\"1\"} 2 @3000 #counter"])
    #expect(target.points("# TYPE a counter\na{x=\"1\"} 3\n") == ["counter a{x=\"1\"} 3 @4000 #counter"])
  }

  @Test func `large scrapes come in several batches`() throws {
    var target = ScrapeFixture { $0.batchSize = 4096 }
    let text = (0..<300).map { "metric{index=\"\($0)\",other=\"something\"} \($0)\n" }.joined()
    for _ in 0..<3 {
      let batches = target.scrape(text)
      #expect(batches.count >= 4)
      #expect(batches.allSatisfy { $0.byteCount < 4096 + 512 })
      #expect(batches.reduce(0) { $0 + $1.itemCount } == 305)
      for batch in batches { _ = try Batch(bytes: batch.bytes, signal: .metrics, validation: .structure) }
    }
  }

  static let fixtures = [
    "node_exporter.text", "node_exporter.pb", "prometheus.text", "prometheus.pb", "starlette-prometheus.text",
    "prometheus_client.text", "prometheus_client.om",
  ]

  @Test(arguments: fixtures)
  func `real expositions become whole histograms and summaries, all at once and again`(name: String) throws {
    let bytes = try FixtureTests.bytes(name)
    let format: ExpositionFormat =
      name.hasSuffix(".pb") ? .protobuf : name.hasSuffix(".om") ? .openMetrics : .text
    var target = ScrapeFixture()
    var first: [String] = []
    for round in 0..<3 {
      let batches = target.scrape(bytes, format)
      #expect(target.error == nil)
      for batch in batches { _ = try Batch(bytes: batch.bytes, signal: .metrics, validation: .structure) }
      let points = ScrapeLines.points(batches)
      #expect(!points.contains { $0.contains("_bucket{") || $0.contains("quantile=") })
      #expect(!points.contains { $0.contains("stale") })
      let untimed = points.map { $0.replacing(" @\(2000 + round * 1000)", with: "") }
      if round == 0 { first = untimed } else { #expect(untimed == first) }
    }
    #expect(target.state.counts.duplicates == 0)
    // Each series ends, and nothing else.
    #expect(ScrapeLines.points(target.end()).count == first.count)
  }
}
