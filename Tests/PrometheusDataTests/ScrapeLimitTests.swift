import PrometheusData
import TelemetryData
import Testing

/// Limits, label conflicts and relabeling.
@Suite struct ScrapeLimitTests {
  @Test func `more samples than the limit fail the scrape`() {
    var target = ScrapeFixture { $0.sampleLimit = 2 }
    #expect(target.points("a 1\nb 2\n").count == 2)
    let report = ScrapeLines.report(target.scrape("a 1\nb 2\nc 3\n"))
    #expect(target.error == .sampleLimit(2))
    #expect(report["up"] == "0")
    #expect(report["scrape_samples_post_metric_relabeling"] == "3")
  }

  @Test(arguments: ["a{x=\"1\",y=\"2\"} 1\n", "a{long_name=\"1\"} 1\n", "a{x=\"a long value\"} 1\n"])
  func `labels beyond a limit fail the scrape`(text: String) {
    var target = ScrapeFixture {
      // job, instance and the name are labels too.
      $0.labelLimit = 4
      $0.labelNameLengthLimit = 8
      $0.labelValueLengthLimit = 7
    }
    #expect(target.points("a{x=\"1\"} 1\n").count == 1)
    let report = ScrapeLines.report(target.scrape(text))
    #expect(target.error?.reason == "label_limit")
    #expect(report["up"] == "0")
  }

  @Test func `labels of the target win unless those of the exposition are honored`() {
    let text = "a{job=\"own\",exported_job=\"x\"} 1\n"
    var strict = ScrapeFixture()
    #expect(
      strict.points(text) == ["gauge a{exported_exported_job=\"own\",exported_job=\"x\"} 1 @2000"])
    var honoring = ScrapeFixture { $0.honorsLabels = true }
    let lines = ScrapeLines.of(honoring.scrape(text))
    #expect(lines.contains("resource {service.name=\"own\",service.instance.id=\"host:80\"}"))
    #expect(lines.contains("gauge a{exported_job=\"x\"} 1 @2000"))
    let empty = ScrapeLines.of(honoring.scrape("a{instance=\"\"} 1\n"))
    #expect(empty.contains("resource {service.name=\"shop\"}"))
  }

  @Test func `relabeling renames, drops and takes types away`() {
    var target = ScrapeFixture {
      $0.relabel = { labels in
        if labels["__name__"] == "secret" { return false }
        if labels["__name__"] == "old" { labels["__name__"] = "new" }
        labels["tmp"] = nil
        return true
      }
    }
    let lines = target.points("# TYPE old counter\nold{tmp=\"1\"} 1\nsecret 2\nkept 3\n")
    #expect(lines == ["gauge new{} 1 @2000", "gauge kept{} 3 @2000"])
    #expect(target.state.counts.scraped == 3)
    #expect(target.state.counts.kept == 2)
    #expect(target.points("# TYPE old counter\nold{tmp=\"1\"} 1\nsecret 2\nkept 3\n").count == 2)
  }

  @Test func `external labels are added where a series has none of the name`() {
    var target = ScrapeFixture { $0.externalLabels = LabelSet([Label("dc", "x"), Label("env", "y")]) }
    let lines = ScrapeLines.of(target.scrape("a{env=\"own\"} 1\n"))
    #expect(lines.contains("gauge a{dc=\"x\",env=\"own\"} 1 @2000"))
    #expect(lines.contains { $0.hasPrefix("gauge up{dc=\"x\",env=\"y\"} 1 @2000") })
  }

  @Test func `suffixes are taken off when asked for`() {
    var target = ScrapeFixture { $0.trimsSuffixes = true }
    let lines = target.points(
      "# TYPE c_seconds counter\n# UNIT c_seconds seconds\nc_seconds_total 1\n# EOF\n", .openMetrics)
    #expect(lines == ["counter c{} 1 @2000 #counter unit=s"])
  }

  @Test func `names of the legacy scheme are insisted on when asked for`() {
    var target = ScrapeFixture { $0.hasLegacyNames = true }
    #expect(target.points("a_b:c{d=\"1\"} 1\n").count == 1)
    _ = target.scrape("{\"a.b\"} 1\n")
    #expect(target.error?.reason == "invalid_name")
  }

  @Test func `a native histogram with too many buckets gets fewer`() throws {
    var histogram = NativeHistogram()
    histogram.schema = 2
    histogram.count = 6
    histogram.sum = 10
    histogram.positiveSpans = [BucketSpan(offset: 1, length: 4), BucketSpan(offset: 2, length: 1)]
    histogram.positiveCounts = [1, 1, 1, 1, 2]
    #expect(histogram.fault == nil)
    try histogram.limitBuckets(to: 3)
    #expect(histogram.schema == 1)
    #expect(histogram.positiveCounts == [2, 2, 2])
    #expect(histogram.positiveSpans == [BucketSpan(offset: 1, length: 2), BucketSpan(offset: 1, length: 1)])
    #expect(throws: ScrapeError.self) {
      var small = histogram
      small.positiveSpans = [BucketSpan(offset: -100_000, length: 1), BucketSpan(offset: 200_000, length: 1)]
      small.positiveCounts = [1, 1]
      small.negativeSpans = [BucketSpan(offset: 0, length: 1)]
      small.negativeCounts = [1]
      try small.limitBuckets(to: 1)
    }
  }
}
