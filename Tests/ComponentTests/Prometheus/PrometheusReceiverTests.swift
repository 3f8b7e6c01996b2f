import ConfigSchema
import Logging
import NativeCodecs
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing
import Transport

@testable import Receivers

/// A target that exposes what a test says, and keeps what it was asked.
private final class Exposer: HTTPRequestHandler {
  private struct State {
    var answer: HTTPAnswer
    var requests: [ServerRequest] = []
  }
  private let state: Mutex<State>

  init(_ text: String, type: String = "text/plain; version=0.0.4") {
    state = Mutex(State(answer: Self.answer(text, type)))
  }

  private static func answer(_ text: String, _ type: String) -> HTTPAnswer {
    HTTPAnswer(status: 200, contentType: type, body: Array(text.utf8))
  }

  var requests: [ServerRequest] { state.withLock { $0.requests } }

  func expose(_ text: String, type: String = "text/plain; version=0.0.4") {
    state.withLock { $0.answer = Self.answer(text, type) }
  }

  func answer(_ answer: HTTPAnswer) { state.withLock { $0.answer = answer } }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let kept = request
    let answer = state.withLock { state in
      state.requests.append(kept)
      return state.answer
    }
    responder.respond(answer)
  }

  /// Serves at a free port while `body` runs.
  func serve(_ body: (String) async throws -> Void) async throws {
    var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
    config.includeMetadata = true
    let server = HTTPServer(config: config, handler: self, logger: Logger(label: "target"))
    let address = try await server.start()
    let result: Result<Void, any Error>
    do {
      try await body(address)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await server.stop()
    try result.get()
  }
}

/// A receiver that runs on a clock of its own.
private final class Running: Sendable {
  let clock: TestClock
  let metrics: SelfMetrics
  let consumer: CollectingConsumer
  let receiver: PrometheusReceiver

  /// - Parameter predecessor: what it takes the place of, in the same collector.
  init(
    _ jobs: String, more: String = "", consumer: CollectingConsumer = CollectingConsumer(),
    after predecessor: Running? = nil
  ) throws {
    self.consumer = consumer
    clock = predecessor?.clock ?? TestClock()
    metrics = predecessor?.metrics ?? SelfMetrics()
    let config = try decoded(
      "{config: {scrape_configs: [\(jobs)]}\(more)}", as: PrometheusReceiverConfig.self)
    receiver = PrometheusReceiver(
      config: config,
      context: .testing(.receiver, "prometheus", clock: clock, metrics: metrics, signals: [.metrics]))
  }

  func run(_ body: (Running) async throws -> Void) async throws {
    try await receiver.start(ReceiverOutputs(metrics: consumer))
    let task = Task { try await receiver.run() }
    let result: Result<Void, any Error>
    do {
      try await body(self)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await receiver.stop()
    try await task.value
    try result.get()
  }

  /// Moves the clock on until so many deliveries have arrived.
  func arrived(_ count: Int) async throws {
    for _ in 0..<3000 {
      if consumer.arrivals.count >= count { return }
      if clock.pendingTimers > 0 { clock.advance(by: .milliseconds(500)) }
      try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("only \(consumer.arrivals.count) deliveries came")
  }

  /// The points of a delivery by metric name: values, `stale` for ends.
  func points(_ delivery: Int) -> [String: [String]] {
    var points: [String: [String]] = [:]
    guard consumer.arrivals.indices.contains(delivery) else { return points }
    consumer.arrivals[delivery].batch.forEachMetric { (_, _, metric) throws(Never) in
      metric.numberDataPoints.forEach { (point) throws(Never) in
        var text = "stale"
        if point.flags == 0, case .double(let value) = point.value { text = "\(value)" }
        points[metric.name.string, default: []].append(text)
      }
    }
    return points
  }

  func metric(_ name: String, _ reason: String? = nil) -> Int {
    metrics.snapshot().filter { $0.name == name }.flatMap(\.series).reduce(0) { sum, series in
      guard reason == nil || series.labels.contains(where: { $0.value == reason }) else { return sum }
      if case .number(let value) = series.value { return sum + Int(value) }
      return sum
    }
  }
}

@Suite(.timeLimit(.minutes(2))) struct PrometheusReceiverTests {
  private static func job(_ address: String, _ more: String = "") -> String {
    "{job_name: a, scrape_interval: 10s, scrape_timeout: 5s, static_configs: [{targets: ['\(address)']}]\(more)}"
  }

  @Test func `a target is scraped at its interval, and its series end when the receiver stops`() async throws
  {
    let target = Exposer("# TYPE a gauge\na 1\nb_total 2\n")
    try await target.serve { address in
      let running = try Running(Self.job(address))
      try await running.run { running in
        try await running.arrived(1)
        target.expose("a 3\n")
        try await running.arrived(2)
      }
      #expect(running.points(0)["a"] == ["1.0"])
      #expect(running.points(0)["b_total"] == ["2.0"])
      #expect(running.points(0)["up"] == ["1.0"])
      let last = running.consumer.arrivals.count - 1
      #expect(running.points(last)["a"] == ["stale"])
      #expect(running.points(last)["up"] == ["stale"])
      #expect(running.metric("millrace_prometheus_scrapes") >= 2)
      // It has stopped: no target is in any state.
      #expect(running.metric("millrace_prometheus_targets") == 0)
    }
    let request = try #require(target.requests.first)
    #expect(request.path == "/metrics")
    #expect(request.header("x-prometheus-scrape-timeout-seconds") == "5")
    #expect(request.header("accept-encoding") == "gzip")
    #expect(request.header("accept")?.hasPrefix("application/openmetrics-text;version=1.0.0;") == true)
  }

  @Test func `a compressed answer in OpenMetrics is read`() async throws {
    let target = Exposer("")
    let text = "# TYPE a gauge\na 5\n# EOF\n"
    var answer = HTTPAnswer(
      status: 200, contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
      body: try Compressor(.gzip).compress(Array(text.utf8)))
    answer.headers = [("Content-Encoding", "gzip")]
    target.answer(answer)
    try await target.serve { address in
      let running = try Running(Self.job(address))
      try await running.run { try await $0.arrived(1) }
      #expect(running.points(0)["a"] == ["5.0"])
    }
  }

  @Test(arguments: [
    (HTTPAnswer.text(503, "not now"), "status"),
    (HTTPAnswer(status: 200, contentType: "text/plain", body: Array("a b c\n".utf8)), "invalid_exposition"),
    (
      HTTPAnswer(status: 200, contentType: "text/plain", body: Array(repeating: 0x23, count: 5000)),
      "body_size_limit"
    ),
  ])
  func `a scrape that fails says why, and that the target is down`(answer: HTTPAnswer, reason: String)
    async throws
  {
    let target = Exposer("a 1\n")
    try await target.serve { address in
      let running = try Running(Self.job(address, ", body_size_limit: 4KB"))
      try await running.run { running in
        try await running.arrived(1)
        target.answer(answer)
        try await running.arrived(2)
        #expect(running.metric("millrace_prometheus_scrape_failures", reason) >= 1)
      }
      #expect(running.points(1)["a"] == ["stale"])
      #expect(running.points(1)["up"] == ["0.0"])
    }
  }

  @Test(arguments: [("", true), (", sample_limit: 9", false)])
  func `a job that a new receiver has unchanged goes on, another ends`(change: String, goesOn: Bool)
    async throws
  {
    let target = Exposer("a 1\n")
    try await target.serve { address in
      let first = try Running(Self.job(address))
      let second = try Running(Self.job(address, change), after: first)
      try await first.run { first in
        try await first.arrived(1)
        try await second.run { second in
          await first.receiver.stop()
          try await second.arrived(1)
        }
      }
      let last = first.consumer.arrivals.count - 1
      #expect(first.points(last)["a"] == [goesOn ? "1.0" : "stale"])
      #expect(second.points(0)["a"] == ["1.0"])
      #expect(second.points(0)["scrape_series_added"] == [goesOn ? "0.0" : "1.0"])
      #expect(second.points(second.consumer.arrivals.count - 1)["a"] == ["stale"])
      #expect(first.metric("millrace_prometheus_targets") == 0)
    }
  }

  @Test func `a new receiver that gives up before its predecessor has stopped takes nothing along`()
    async throws
  {
    let target = Exposer("a 1\n")
    try await target.serve { address in
      let first = try Running(Self.job(address))
      let second = try Running(Self.job(address), after: first)
      try await first.run { first in
        try await first.arrived(1)
        try await second.run { _ in }
        try await first.arrived(2)
      }
      #expect(first.points(first.consumer.arrivals.count - 1)["a"] == ["stale"])
      #expect(second.consumer.arrivals.isEmpty)
    }
  }

  @Test func `a target that answers nothing is down`() async throws {
    let running = try Running(Self.job("127.0.0.1:9"))
    try await running.run { try await $0.arrived(1) }
    #expect(running.points(0)["up"] == ["0.0"])
    #expect(running.metric("millrace_prometheus_scrape_failures", "unreachable") >= 1)
  }

  @Test func `what is refused is offered again until the next scrape is due, then it is lost`() async throws {
    let refusals = Atomic(0)
    let consumer = CollectingConsumer(answering: { _ in
      refusals.add(1, ordering: .relaxed)
      return .refused(reason: "full", after: nil)
    })
    let target = Exposer("a 1\n")
    try await target.serve { address in
      let running = try Running(Self.job(address), consumer: consumer)
      try await running.run { running in
        try await running.arrived(12)
        #expect(running.metric("millrace_prometheus_lost_points", "refused") >= 6)
      }
    }
    #expect(refusals.load(ordering: .relaxed) > target.requests.count)
  }

  @Test func `a limit of targets fails all scrapes`() async throws {
    let target = Exposer("a 1\n")
    try await target.serve { address in
      let job =
        "{job_name: a, scrape_interval: 10s, scrape_timeout: 5s, target_limit: 1, static_configs: [{targets: ['\(address)', '127.0.0.1:9']}]}"
      let running = try Running(job)
      try await running.run { try await $0.arrived(2) }
      #expect(running.points(0)["up"] == ["0.0"])
      #expect(running.points(1)["up"] == ["0.0"])
    }
    #expect(target.requests.isEmpty)
  }
}
