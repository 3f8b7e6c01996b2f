import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

@Suite struct CollectorTests {
  static func yaml(_ name: String, exporter: String = "", processors: String = "[]", extra: String = "")
    -> String
  {
    """
    receivers:
      probe: {probe: \(name)}
    processors:
      thinning: {keep_every: 2}
      thinning/none: {keep_every: 0}
    exporters:
      probe:
        probe: \(name)
    \(exporter.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    service:
      pipelines:
        traces:
          receivers: [probe]
          processors: \(processors)
          exporters: [probe]
    \(extra)
    """
  }

  @Test func `what was sent arrives, and the account balances`() async throws {
    let probe = Probe("plain")
    let collector = try TestCollector(Self.yaml("plain"))
    let balances = try await collector.run { _ in
      await probe.started.wait()
      for count in 1...10 { #expect(await probe.send(.spans(count)) == .accepted) }
    }
    #expect(probe.exportedItems == 55)
    let traces = try #require(balances.first)
    #expect(traces.items(.received) == 55 && traces.items(.delivered) == 55)
    #expect(traces.unaccounted == 0 && traces.inFlight == 0)
    #expect(collector.metric("otelcol_receiver_accepted_spans", ["receiver": "probe"]) == 55)
    #expect(collector.metric("otelcol_exporter_sent_spans", ["exporter": "probe"]) == 55)
    #expect(probe.events == ["exporter start", "receiver start", "receiver stop", "exporter stop"])
  }

  @Test func `inline processors are fused and book what they remove`() async throws {
    let probe = Probe("thin")
    let collector = try TestCollector(Self.yaml("thin", processors: "[thinning, thinning/none]"))
    let balances = try await collector.run { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(10)) == .accepted)
    }
    #expect(probe.exported.isEmpty)
    #expect(balances[0].items(.filtered) == 10 && balances[0].unaccounted == 0)
    #expect(collector.metric("otelcol_processor_incoming_items", ["processor": "thinning"]) == 10)
    #expect(collector.metric("otelcol_processor_outgoing_items", ["processor": "thinning"]) == 5)
    #expect(collector.metric("otelcol_processor_incoming_items", ["processor": "thinning/none"]) == 5)
  }

  @Test func `a retryable failure is tried again until it works`() async throws {
    let left = Mutex(3)
    let probe = Probe("flaky") { _ in
      let fails = left.withLock { left in
        left -= 1
        return left >= 0
      }
      return fails ? .refused(reason: "down", after: nil) : .accepted
    }
    let retry = "retry_on_failure: {initial_interval: 1ms, max_interval: 2ms}"
    let balances = try await TestCollector(Self.yaml("flaky", exporter: retry)).run { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(7)) == .accepted)
    }
    #expect(probe.attempts == 4 && probe.exportedItems == 7)
    #expect(balances[0].items(.delivered) == 7 && balances[0].unaccounted == 0)
  }

  @Test func `without a queue the sender hears what the backend said`() async throws {
    let probe = Probe("direct") { batch in
      switch batch.itemCount {
      case 1: .accepted
      case 2: .partial(rejected: 1, message: "one is bad")
      case 3: .rejected(reason: "never")
      default: .refused(reason: "later", after: .seconds(9))
      }
    }
    let settings = "sending_queue: {enabled: false}\nretry_on_failure: {enabled: false}"
    let balances = try await TestCollector(Self.yaml("direct", exporter: settings)).run { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(1)) == .accepted)
      #expect(await probe.send(.spans(2)) == .partial(rejected: 1, message: "one is bad"))
      #expect(await probe.send(.spans(3)) == .rejected(reason: "never"))
      #expect(await probe.send(.spans(4)) == .refused(reason: "later", after: .seconds(9)))
    }
    let traces = balances[0]
    #expect(traces.items(.delivered) == 2 && traces.items(.rejected) == 4 && traces.items(.refused) == 4)
    #expect(traces.unaccounted == 0)
  }

  @Test func `a full queue refuses, and the rest is delivered at shutdown`() async throws {
    let gate = Milestone()
    let probe = Probe("full") { _ in
      await gate.wait()
      return .accepted
    }
    let settings = "sending_queue: {num_consumers: 1, queue_size: 2}\ntimeout: 0s"
    let probes = (0..<6).map { _ in OutcomeProbe() }
    let collector = try TestCollector(Self.yaml("full", exporter: settings))
    let balances = try await collector.run { _ in
      await probe.started.wait()
      for handler in probes {
        probe.offer(.spans(5), handler: handler)
        // The first must have left the queue before the next is offered.
        while probe.attempts == 0 { await Task.yield() }
      }
      gate.reach()
    }
    #expect(probes.filter { $0.outcome == .accepted }.count == 3)
    #expect(probes.filter { $0.outcome?.severity == 3 }.count == 3)
    #expect(balances[0].items(.delivered) == 15 && balances[0].items(.refused) == 15)
    #expect(balances[0].unaccounted == 0)
    #expect(collector.metric("otelcol_exporter_enqueue_failed_spans") == 15)
  }

  @Test func `what the deadline leaves is dropped and counted`() async throws {
    let probe = Probe("stuck") { _ in .refused(reason: "down for good", after: nil) }
    let settings =
      "sending_queue: {num_consumers: 1}\nretry_on_failure: {initial_interval: 1h, max_elapsed_time: 0s}"
    let balances = try await TestCollector(Self.yaml("stuck", exporter: settings)).run(
      drainTimeout: .milliseconds(50)
    ) { _ in
      await probe.started.wait()
      for _ in 0..<4 { #expect(await probe.send(.spans(3)) == .accepted) }
      while probe.attempts == 0 { await Task.yield() }
    }
    #expect(balances[0].items(.dropped) == 12 && balances[0].unaccounted == 0 && balances[0].inFlight == 0)
  }

  @Test func `a queue with batch gathers and cuts requests`() async throws {
    let probe = Probe("gather")
    let settings = "sending_queue: {batch: {min_size: 8, max_size: 8, flush_timeout: 5s}}"
    let balances = try await TestCollector(Self.yaml("gather", exporter: settings)).run { _ in
      await probe.started.wait()
      for _ in 0..<5 { #expect(await probe.send(.spans(5)) == .accepted) }
    }
    #expect(probe.exportedItems == 25)
    #expect(probe.exported.allSatisfy { $0.itemCount <= 8 })
    #expect(probe.attempts == 5)
    #expect(balances[0].items(.delivered) == 25 && balances[0].unaccounted == 0)
  }

  @Test func `a fan-out gives every branch everything and books the copies`() async throws {
    let (left, right) = (Probe("left"), Probe("right"))
    let yaml = """
      receivers: {probe: {probe: left}}
      exporters: {probe/l: {probe: left}, probe/r: {probe: right}}
      service:
        pipelines:
          traces: {receivers: [probe], exporters: [probe/l, probe/r]}
          traces/2: {receivers: [probe], exporters: [probe/r]}
      """
    let balances = try await TestCollector(yaml).run { _ in
      await left.started.wait()
      #expect(await left.send(.spans(4)) == .accepted)
    }
    #expect(left.exportedItems == 4 && right.exportedItems == 8)
    #expect(balances[0].items(.received) == 4 && balances[0].items(.copied) == 8)
    #expect(balances[0].items(.delivered) == 12 && balances[0].unaccounted == 0)
  }

  @Test func `when one part cannot start, those that did are stopped and the error names it`() async throws {
    let probe = Probe("broken", startError: "the port is taken")
    let collector = try TestCollector(Self.yaml("broken"))
    let error = await #expect(throws: ComponentFailure.self) {
      _ = try await collector.run { _ in }
    }
    #expect("\(try #require(error))" == "receiver probe (test.yaml:2): the port is taken")
    #expect(probe.events == ["exporter start", "exporter stop"])
  }

  @Test func `an attempt that takes too long is a retryable failure`() async throws {
    let probe = Probe("slow") { _ in
      do { try await Task.sleep(for: .seconds(60)) } catch {
        return .refused(reason: "cancelled", after: nil)
      }
      return .accepted
    }
    let settings = "timeout: 10ms\nsending_queue: {enabled: false}\nretry_on_failure: {enabled: false}"
    _ = try await TestCollector(Self.yaml("slow", exporter: settings)).run { _ in
      await probe.started.wait()
      let outcome = await probe.send(.spans(1))
      #expect(outcome.severity == 3 && "\(outcome)".contains("no answer within"))
    }
  }
}
