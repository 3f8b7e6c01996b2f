import PrometheusData
import TelemetryData
import Testing

@Suite struct ScrapeStalenessTests {
  @Test func `a series that vanishes ends once`() {
    var target = ScrapeFixture()
    _ = target.scrape("a{x=\"1\"} 1\na{x=\"2\"} 2\n")
    #expect(target.points("a{x=\"2\"} 3\n") == ["gauge a{x=\"1\"} stale @3000", "gauge a{x=\"2\"} 3 @3000"])
    #expect(target.points("a{x=\"2\"} 3\n") == ["gauge a{x=\"2\"} 3 @4000"])
    #expect(target.points("a{x=\"1\"} 9\na{x=\"2\"} 3\n").count == 2)
  }

  @Test func `a failed scrape ends everything but the report`() {
    var target = ScrapeFixture()
    _ = target.scrape("a 1\nb 2\n")
    let failed = target.fail()
    #expect(ScrapeLines.points(failed) == ["gauge a{} stale @3000", "gauge b{} stale @3000"])
    #expect(ScrapeLines.report(failed)["up"] == "0")
    #expect(ScrapeLines.points(target.fail()).isEmpty)
    let back = target.scrape("a 1\nb 2\n")
    #expect(ScrapeLines.points(back) == ["gauge a{} 1 @5000", "gauge b{} 2 @5000"])
    // They were known all the time.
    #expect(ScrapeLines.report(back)["scrape_series_added"] == "0")
  }

  @Test func `nothing of an exposition with a bad line goes out`() {
    var target = ScrapeFixture()
    _ = target.scrape("a 1\n")
    let broken = target.scrape("a 2\nnew 5\n}broken\n")
    #expect(target.error?.reason == "invalid_exposition")
    #expect(ScrapeLines.points(broken) == ["gauge a{} stale @3000"])
    let report = ScrapeLines.report(broken)
    #expect(report["up"] == "0")
    #expect(report["scrape_samples_scraped"] == "2")
    #expect(
      ScrapeLines.points(target.scrape("a 3\nnew 5\n")) == ["gauge a{} 3 @4000", "gauge new{} 5 @4000"])
  }

  @Test func `the end of a target ends the report too`() {
    var target = ScrapeFixture()
    _ = target.scrape("a 1\n")
    let lines = ScrapeLines.of(target.end())
    #expect(lines.contains("gauge a{} stale @3000"))
    #expect(lines.contains { $0.hasPrefix("gauge up{} stale @3000") })
    #expect(lines.filter { $0.contains("stale") }.count == 6)
    #expect(target.end().isEmpty)
  }

  @Test func `a histogram that vanishes ends as a point with its bounds`() {
    var target = ScrapeFixture()
    let text = "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"
    _ = target.scrape(text)
    #expect(
      target.points("# TYPE h histogram\n") == [
        "histogram h{} count=0 sum=0 [0, 0] [1.0] stale @3000 #histogram"
      ])
    #expect(target.points(text).count == 1)
  }

  @Test func `a bucket that vanishes ends by itself`() {
    var target = ScrapeFixture()
    _ = target.scrape(
      "# TYPE h histogram\nh_bucket{a=\"b\",le=\"1\"} 1\nh_bucket{a=\"b\",le=\"+Inf\"} 2\nh_sum{a=\"b\"} 3\nh_count{a=\"b\"} 2\n"
    )
    let rest = "# TYPE h histogram\nh_bucket{a=\"b\",le=\"+Inf\"} 2\nh_sum{a=\"b\"} 3\nh_count{a=\"b\"} 2\n"
    #expect(
      target.points(rest) == [
        "histogram h{a=\"b\"} count=2 sum=3 [2] [] @3000 #histogram",
        "gauge h_bucket{a=\"b\",le=\"1.0\"} stale @3000",
      ])
    #expect(target.points(rest) == ["histogram h{a=\"b\"} count=2 sum=3 [2] [] @4000 #histogram"])
  }

  @Test func `series with timestamps of their own do not end unless that is asked for`() {
    var plain = ScrapeFixture()
    #expect(plain.points("a 1 1500\n") == ["gauge a{} 1 @1500"])
    #expect(plain.points("b 1\n") == ["gauge b{} 1 @3000"])
    var tracking = ScrapeFixture { $0.tracksTimestampStaleness = true }
    _ = tracking.scrape("a 1 1500\n")
    #expect(tracking.points("b 1\n") == ["gauge a{} stale @3000", "gauge b{} 1 @3000"])
    var ignoring = ScrapeFixture { $0.honorsTimestamps = false }
    #expect(ignoring.points("a 1 1500\n") == ["gauge a{} 1 @2000"])
    #expect(ignoring.points("b 1\n").contains("gauge a{} stale @3000"))
  }

  @Test func `a series that is written in another way goes on`() {
    var target = ScrapeFixture()
    _ = target.scrape("a{x=\"1\",y=\"2\"} 1\n")
    #expect(target.points("a{y=\"2\",x=\"1\"} 2\n") == ["gauge a{x=\"1\",y=\"2\"} 2 @3000"])
    #expect(target.points("a{y=\"2\",x=\"1\",} 3\n") == ["gauge a{x=\"1\",y=\"2\"} 3 @4000"])
  }

  @Test func `the second sample of a series is left out and counted`() {
    var target = ScrapeFixture()
    #expect(target.points("a 1\na 2\n") == ["gauge a{} 1 @2000"])
    #expect(target.state.counts.duplicates == 1)
    #expect(target.state.counts.scraped == 2)
    #expect(
      target.points("a 1 100\na 2 200\na 3 200\n") == ["gauge a{} 1 @100", "gauge a{} 2 @200"])
    #expect(target.state.counts.duplicates == 1)
  }

  @Test func `a sample from more than ten minutes ahead is left out and counted`() {
    var target = ScrapeFixture()
    #expect(target.points("a 1 602001\nb 1 602000\n") == ["gauge b{} 1 @602000"])
    #expect(target.state.counts.future == 1)
  }

  @Test func `the report tells what Prometheus tells`() {
    var target = ScrapeFixture {
      $0.reportsLimits = true
      $0.sampleLimit = 10
      $0.timeout = 2.5
      $0.relabel = { $0["__name__"] != "gone" }
    }
    let report = ScrapeLines.report(target.scrape("a 1\ngone 2\n"))
    #expect(
      report == [
        "up": "1", "scrape_duration_seconds": "0.5", "scrape_samples_scraped": "2",
        "scrape_samples_post_metric_relabeling": "1", "scrape_series_added": "1",
        "scrape_timeout_seconds": "2.5", "scrape_sample_limit": "10", "scrape_body_size_bytes": "11",
      ])
    #expect(ScrapeLines.report(target.scrape("a 1\ngone 2\n"))["scrape_series_added"] == "0")
  }

  @Test func `a series of the target stands before one of the report`() {
    var target = ScrapeFixture()
    let lines = ScrapeLines.of(target.scrape("up 7\n"))
    #expect(lines.filter { $0.hasPrefix("gauge up{") }.count == 1)
    #expect(lines.contains("gauge up{} 7 @2000"))
    #expect(ScrapeLines.of(target.scrape("a 7\n")).contains { $0.hasPrefix("gauge up{} 1 @3000") })
  }
}
