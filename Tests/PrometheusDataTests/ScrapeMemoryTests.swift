import PrometheusData
import TelemetryData
import Testing

@Suite struct ScrapeMemoryTests {
  /// Lines of about 120 bytes with eight labels.
  static func exposition(_ series: Range<Int>, value: Int = 1) -> String {
    var text = "# HELP requests_total Requests that were answered.\n# TYPE requests_total counter\n"
    for index in series {
      text +=
        "requests_total{code=\"200\",handler=\"/api/\(index)\",method=\"GET\",node=\"n\(index % 97)\",pod=\"p-\(index % 13)\","
        + "region=\"eu\",shard=\"\(index % 7)\",zone=\"a\"} \(value)\n"
    }
    return text
  }

  @Test func `a series takes little more than its text`() {
    var target = ScrapeFixture()
    let count = 20_000
    _ = target.scrape(Self.exposition(0..<count))
    let overhead = (target.state.footprint - target.state.keyBytes) / count
    #expect(overhead < 350, "\(overhead) bytes per series")
  }

  @Test func `series that vanish give their memory back`() {
    var target = ScrapeFixture()
    _ = target.scrape(Self.exposition(0..<20_000))
    let full = target.state.footprint
    let ended = target.scrape(Self.exposition(0..<100))
    #expect(ended.reduce(0) { $0 + $1.itemCount } == 20_005)
    #expect(target.state.footprint < full / 20)
    let again = target.scrape(Self.exposition(0..<100, value: 2))
    #expect(again.reduce(0) { $0 + $1.itemCount } == 105)
    #expect(ScrapeLines.report(again)["scrape_series_added"] == "0")
  }

  @Test func `series that are always new do not pile up`() {
    var target = ScrapeFixture()
    var largest = 0
    for round in 0..<20 {
      _ = target.scrape(Self.exposition(round * 2000..<round * 2000 + 2000))
      largest = max(largest, target.state.seriesCount)
    }
    #expect(largest < 4100)
    #expect(target.state.footprint < 3_000_000)
  }

  @Test func `families that are always new do not pile up`() {
    var target = ScrapeFixture()
    for round in 0..<20 {
      _ = target.scrape((0..<500).map { "# TYPE f\(round * 500 + $0) gauge\n" }.joined() + "a 1\n")
    }
    #expect(target.state.familyCount < 3000)
  }

  @Test func `failing scrapes with ever new series do not pile up`() {
    var target = ScrapeFixture { $0.sampleLimit = 10 }
    for round in 0..<30 { _ = target.scrape(Self.exposition(round * 500..<round * 500 + 500)) }
    #expect(target.state.seriesCount < 1600)
  }

  @Test func `histograms, summaries and everything else survive moving together`() {
    var target = ScrapeFixture()
    let kept = """
      # TYPE h histogram
      h_bucket{le="1.0"} 1
      h_bucket{le="+Inf"} 2
      h_sum 3
      h_count 2
      h_created 1.5
      # TYPE s summary
      s{quantile="0.5"} 1
      s_sum 3
      s_count 2
      # TYPE c counter
      c_total{a="b"} 5
      c_created{a="b"} 1.25
      # TYPE target info
      target_info{v="1"} 1

      """
    var bulk = "# TYPE bulk gauge\n"
    for index in 0..<5000 { bulk += "bulk{index=\"\(index)\",something=\"else to fill the memory\"} 1\n" }
    _ = target.scrape(bulk + kept + "# EOF\n", .openMetrics)
    let full = target.state.footprint
    _ = target.scrape(kept + "# EOF\n", .openMetrics)
    #expect(target.state.footprint < full / 4)
    for time in [4000, 5000] {
      let lines = ScrapeLines.of(target.scrape(kept + "# EOF\n", .openMetrics))
      #expect(lines.contains("histogram h{} count=2 sum=3 [1, 1] [1.0] @\(time) start=1500 #histogram"))
      #expect(lines.contains("summary s{} count=2 sum=3 0.5:1 @\(time) #summary"))
      #expect(lines.contains("counter c_total{a=\"b\"} 5 @\(time) start=1250 #counter"))
      #expect(lines.first?.contains("v=\"1\"") == true)
      #expect(lines.count == 9)
    }
    #expect(
      target.points("# TYPE h histogram\n# EOF\n", .openMetrics).filter { $0.contains("stale") }.count == 3)
  }

  @Test func `expositions in any order give what the order of the first gave`() {
    var target = ScrapeFixture()
    let lines = Self.exposition(0..<200).split(separator: "\n").map(String.init)
    let first = ScrapeLines.points(target.scrape(lines.joined(separator: "\n") + "\n"))
    for round in 1..<6 {
      var shuffled = Array(lines.dropFirst(2))
      for index in shuffled.indices { shuffled.swapAt(index, (index * 31 * round + 7) % shuffled.count) }
      let text = (lines.prefix(2) + shuffled).joined(separator: "\n") + "\n"
      let points = ScrapeLines.points(target.scrape(text))
      func untimed(_ lines: [String]) -> Set<String> {
        Set(lines.map { $0.replacing("@\(2000 + round * 1000)", with: "@2000") })
      }
      #expect(untimed(points) == Set(first))
    }
  }
}
