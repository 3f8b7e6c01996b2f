import Engine
import Extensions
import Foundation
import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

/// Exporters whose queue is kept by `file_storage`, in whole collectors.
@Suite struct DurableDeliveryTests {
  let directory = FileManager.default.temporaryDirectory.appending(path: "millrace-durable-\(UUID())").path
  static let catalog = Catalog.testing(
    processors: [BatchProcessor.self], extensions: [FileStorageExtension.self])

  func yaml(_ probe: Probe, queue: String = "", retry: String = "", processors: String = "") -> String {
    """
    receivers: {probe: {probe: \(probe.name)}}
    processors: {batch: {timeout: 20ms}}
    exporters:
      probe:
        probe: \(probe.name)
        sending_queue: {storage: file_storage\(queue)}
        retry_on_failure: {initial_interval: 10ms, max_interval: 20ms\(retry)}
    extensions: {file_storage: {directory: \(directory), create_directory: true}}
    service:
      extensions: [file_storage]
      pipelines: {traces: {receivers: [probe], processors: [\(processors)], exporters: [probe]}}
    """
  }

  func run(
    _ yaml: String, drainTimeout: Duration = .seconds(20),
    _ body: @escaping @Sendable (TestCollector) async throws -> Void
  ) async throws -> Balance {
    let balances = try await TestCollector(yaml, catalog: Self.catalog).run(
      drainTimeout: drainTimeout, grace: .seconds(60), while: body)
    let balance = try #require(balances.first)
    #expect(balance.unaccounted == 0, "\(balance.lines)")
    #expect(balance.inFlight == 0)
    return balance
  }

  @Test func `what a dead backend leaves is stored, and delivered by the next run in order`() async throws {
    let dead = Probe("durable-\(UUID())") { _ in .refused(reason: "down", after: nil) }
    let first = try await run(yaml(dead)) { _ in
      await dead.started.wait()
      for count in 1...20 { #expect(await dead.send(.spans(count)) == .accepted) }
    }
    #expect(first.items(.stored) == 210)
    #expect(first.items(.dropped) == 0)
    let alive = Probe("durable-\(UUID())")
    let second = try await run(yaml(alive, queue: ", num_consumers: 1")) { _ in
      while alive.exportedItems < 210 { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(second.items(.restored) == 210)
    #expect(second.items(.delivered) == 210)
    #expect(alive.exported.map(\.itemCount) == Array(1...20))
  }

  @Test func `what was delivered does not come again`() async throws {
    let probe = Probe("durable-\(UUID())")
    let first = try await run(yaml(probe, processors: "batch")) { _ in
      await probe.started.wait()
      for _ in 0..<10 { #expect(await probe.send(.spans(3)) == .accepted) }
      while probe.exportedItems < 30 { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(first.items(.delivered) == 30)
    let again = Probe("durable-\(UUID())")
    let second = try await run(yaml(again)) { _ in await again.started.wait() }
    #expect(second.items(.restored) == 0)
    #expect(again.attempts == 0)
  }

  @Test func `a sender behind a batch processor hears of the commit only`() async throws {
    let dead = Probe("durable-\(UUID())") { _ in .refused(reason: "down", after: nil) }
    let balance = try await run(yaml(dead, processors: "batch")) { collector in
      await dead.started.wait()
      #expect(await dead.send(.spans(7)) == .accepted)
      #expect(collector.metric("otelcol_exporter_queue_size") == 1)
    }
    #expect(balance.items(.stored) == 7)
  }

  @Test func `a full queue refuses retryably and loses nothing`() async throws {
    let dead = Probe("durable-\(UUID())") { _ in .refused(reason: "down", after: nil) }
    let balance = try await run(yaml(dead, queue: ", queue_size: 3")) { _ in
      await dead.started.wait()
      for _ in 0..<3 { #expect(await dead.send(.spans(1)) == .accepted) }
      guard case .refused = await dead.send(.spans(5)) else {
        Issue.record("the queue took more than it may hold")
        return
      }
    }
    #expect(balance.items(.stored) == 3)
    #expect(balance.items(.refused) == 5)
  }

  @Test func `a batch that is given up is counted and does not come back`() async throws {
    let dead = Probe("durable-\(UUID())") { _ in .refused(reason: "down", after: nil) }
    let first = try await run(yaml(dead, retry: ", max_elapsed_time: 30ms")) { collector in
      await dead.started.wait()
      #expect(await dead.send(.spans(4)) == .accepted)
      while collector.metric("otelcol_exporter_send_failed_spans") < 4 {
        try await Task.sleep(for: .milliseconds(5))
      }
    }
    #expect(first.items(.dropped) == 4)
    #expect(first.items(.stored) == 0)
  }

  @Test func `a rejected batch is removed, a partial one counts what was rejected`() async throws {
    let probe = Probe("durable-\(UUID())") { batch in
      batch.itemCount == 1 ? .rejected(reason: "bad") : .partial(rejected: 1, message: "one is bad")
    }
    let balance = try await run(yaml(probe)) { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(1)) == .accepted)
      #expect(await probe.send(.spans(5)) == .accepted)
      while probe.attempts < 2 { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(balance.items(.rejected) == 2)
    #expect(balance.items(.delivered) == 4)
    #expect(balance.items(.stored) == 0)
  }

  @Test func `gathering behind a durable queue acknowledges every part`() async throws {
    let probe = Probe("durable-\(UUID())")
    let gathering = ", batch: {min_size: 40, flush_timeout: 10ms}, queue_size: 500"
    let balance = try await run(yaml(probe, queue: gathering)) { _ in
      await probe.started.wait()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { #expect(await probe.send(.spans(3)) == .accepted) } }
      }
      while probe.exportedItems < 150 { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(balance.items(.delivered) == 150)
    #expect(balance.items(.stored) == 0)
    #expect(probe.exported.count < 50)
  }

  @Test func `a shutdown without time keeps what is on its way`() async throws {
    let hanging = Probe("durable-\(UUID())") { _ in
      try? await Task.sleep(for: .seconds(60))
      return .refused(reason: "cancelled", after: nil)
    }
    let balance = try await run(yaml(hanging), drainTimeout: .zero) { _ in
      await hanging.started.wait()
      for _ in 0..<30 { #expect(await hanging.send(.spans(2)) == .accepted) }
    }
    #expect(balance.items(.stored) == 60)
    #expect(balance.items(.dropped) == 0)
  }
}

/// `service.delivery: at_least_once` in memory-only pipelines.
@Suite struct AtLeastOnceTests {
  @Test(.timeLimit(.minutes(2)))
  func `senders hear the backend's answer through batch and queue, before the batch is full or due`()
    async throws
  {
    let probe = Probe("once-\(UUID())") { batch in
      batch.itemCount == 2 ? .rejected(reason: "no") : .accepted
    }
    let yaml = """
      receivers: {probe: {probe: \(probe.name)}}
      processors: {batch: {timeout: 10m}}
      exporters: {probe: {probe: \(probe.name)}}
      service:
        delivery: at_least_once
        pipelines: {traces: {receivers: [probe], processors: [batch], exporters: [probe]}}
      """
    let balances = try await TestCollector(yaml, catalog: DurableDeliveryTests.catalog).run { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(2)) == .rejected(reason: "no"))
      #expect(await probe.send(.spans(3)) == .accepted)
    }
    #expect(balances.first?.items(.delivered) == 3)
    #expect(balances.first?.unaccounted == 0)
  }
}
