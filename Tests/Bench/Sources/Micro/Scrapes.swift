@testable import PrometheusData

/// Scraping series that are known: reading and writing OTLP; items are samples.
extension Operation {
  static func scrapes() -> [Operation] {
    [
      scrape("scrape: counters of 120 bytes, 8 labels", counters(10_000)),
      scrape("scrape: histograms of 12 buckets", histograms(800)),
      scrape("scrape: node_exporter", fixture("node_exporter.text")),
      scrape("scrape: counters in another order", counters(10_000), isShuffled: true),
    ]
  }

  /// At most 150 ns a sample are wanted.
  private static func scrape(_ name: String, _ text: [UInt8], isShuffled: Bool = false) -> Operation {
    let target = Target()
    let second = isShuffled ? shuffled(text) : text
    _ = target.scrape(text)
    var isFirst = false
    return Operation(name, items: target.samples, goal: isShuffled ? nil : 150, bytes: text.count) {
      isFirst.toggle()
      return target.scrape(isFirst ? text : second)
    }
  }

  private final class Target {
    var state: ScrapeState
    var time: Int64 = 1_767_323_045_000

    init() {
      state = ScrapeState(
        ScrapeSettings(labels: LabelSet([Label("job", "a"), Label("instance", "b")])), seed: 1)
    }

    var samples: Int { state.counts.scraped }

    func scrape(_ text: [UInt8]) -> Int {
      time += 1000
      state.begin(at: time)
      try? state.read(text.span, .text, histograms: .nativeOrClassic)
      return state.finish(ScrapeReport(isUp: true, duration: 0.1)).count
    }
  }

  private static func counters(_ count: Int) -> [UInt8] {
    var text = "# TYPE http_requests_total counter\n"
    for index in 0..<count {
      text +=
        "http_requests_total{code=\"200\",handler=\"/api/\(index)\",method=\"GET\",node=\"n\(index % 97)\",pod=\"p-\(index % 13)\","
        + "region=\"eu\",shard=\"\(index % 7)\",zone=\"a\"} \(index * 37).5\n"
    }
    return Array(text.utf8)
  }

  private static func histograms(_ count: Int) -> [UInt8] {
    var text = "# TYPE latency_seconds histogram\n"
    for index in 0..<count {
      let labels = "handler=\"/api/\(index)\",method=\"GET\",node=\"n\(index % 97)\""
      for bucket in 1...11 {
        text += "latency_seconds_bucket{\(labels),le=\"0.\(bucket + 10)\"} \(bucket * index)\n"
      }
      text += "latency_seconds_bucket{\(labels),le=\"+Inf\"} \(12 * index)\n"
      text += "latency_seconds_sum{\(labels)} 12.5\nlatency_seconds_count{\(labels)} \(12 * index)\n"
    }
    return Array(text.utf8)
  }

  private static func shuffled(_ text: [UInt8]) -> [UInt8] {
    var lines = text.split(separator: 10).map(Array.init)
    let head = lines.removeFirst()
    for index in lines.indices { lines.swapAt(index, (index &* 7919 + 13) % lines.count) }
    return head + [10] + lines.flatMap { $0 + [10] }
  }
}
