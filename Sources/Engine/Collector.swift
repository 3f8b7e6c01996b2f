package import Logging
package import PipelineKit
import Synchronization
import TelemetryData

/// A running configuration: builds the planned graph, runs it, drains it, and accounts for every item.
package final class Collector: Sendable {
  private let graph: Graph
  private let parts: EngineParts
  private let logger: Logger
  private let status: CollectorStatus
  private let failure = Mutex<(any Error)?>(nil)

  /// Makes every component of the plan; nothing is opened or started yet.
  package init(plan: Plan, parts: EngineParts, logger: Logger, status: CollectorStatus) throws {
    self.parts = parts
    self.logger = logger
    self.status = status
    graph = try Graph(plan: plan, parts: parts, logger: logger, health: status)
    for signal in graph.signals {
      parts.metrics.observe(
        "millrace_ledger_in_flight", help: "Items in channels, processors, queues and requests under way.",
        labels: [("signal", signal.rawValue)]
      ) { [weak self] in Double(self?.graph.itemsInFlight(of: signal) ?? 0) }
    }
  }

  /// Starts everything, runs until `shutdown` is reached or a component fails for good, and drains.
  ///
  /// Exporters start first and receivers last, so that nothing arrives before there is somewhere to go. If one
  /// cannot start, those that did are stopped and the error is thrown.
  ///
  /// - Parameters:
  ///   - shutdown: reached when the collector is asked to stop.
  ///   - drainTimeout: how long draining may take; what is left then is counted as dropped.
  ///   - grace: how long components have after that, cancelled, before they are left behind.
  /// - Returns: the account of every signal that some pipeline carries. What a component holds that could not be
  ///   stopped, because it ignores cancellation, is in flight in it.
  package func run(
    until shutdown: Milestone, drainTimeout: Duration, grace: Duration = .seconds(5)
  ) async throws -> [Balance] {
    let over = Milestone()
    // A task of its own, which can be left behind: a group would wait for as long as a component hangs.
    let work = Task {
      await self.work(until: shutdown, drainTimeout: drainTimeout, grace: grace, over: over)
      over.reach()
    }
    await withTaskCancellationHandler {
      await over.wait()
    } onCancel: {
      work.cancel()
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return balances()
  }

  private func work(
    until shutdown: Milestone, drainTimeout: Duration, grace: Duration, over: Milestone
  ) async {
    await withTaskGroup(of: Void.self) { group in
      var started = Started()
      do {
        try await start(&started, in: &group, failed: shutdown)
        status.set(.ready)
        logger.info("everything is ready", metadata: ["pipelines": "\(graph.pipelineCount)"])
        await shutdown.wait()
      } catch {
        failure.withLock { $0 = error }
      }
      status.set(.stopping)
      await drain(started, within: drainTimeout, grace: grace, in: &group, over: over)
    }
  }

  /// What has been started, so that exactly that is stopped.
  private struct Started: Sendable {
    var exporters: [Graph.ExporterEntry] = []
    var extensions: [any ServiceExtension] = []
    var receivers: [Graph.ReceiverEntry] = []
  }

  private func start(
    _ started: inout Started, in group: inout TaskGroup<Void>, failed: Milestone
  ) async throws {
    for entry in graph.extensions {
      try await explain(entry.id, entry.declaredAt) { try await entry.component.start() }
      started.extensions.append(entry.component)
    }
    for entry in graph.exporters {
      try await explain(entry.id, entry.declaredAt) { try await entry.start() }
      started.exporters.append(entry)
      for task in entry.node?.tasks ?? [] { group.addTask { await task() } }
    }
    for node in graph.buffers { group.addTask { await node.run() } }
    for entry in graph.receivers {
      try await explain(entry.id, entry.declaredAt) { try await entry.receiver.start(entry.outputs) }
      started.receivers.append(entry)
      group.addTask {
        do { try await entry.receiver.run() } catch is CancellationError {} catch {
          self.failure.withLock { $0 = ComponentFailure(entry.id, entry.declaredAt, error) }
          failed.reach()
        }
      }
    }
  }

  private func explain(_ id: ComponentID, _ declaredAt: String, _ body: () async throws -> Void) async throws
  {
    do { try await body() } catch { throw ComponentFailure(id, declaredAt, error) }
  }

  // MARK: Draining

  private func drain(
    _ started: Started, within timeout: Duration, grace: Duration, in group: inout TaskGroup<Void>,
    over: Milestone
  ) async {
    let drainEnds = Milestone()
    let drained = Milestone()
    parts.clock.schedule(at: parts.clock.now + timeout) { drainEnds.reach() }
    group.addTask {
      await self.drainInOrder(started)
      drained.reach()
      drainEnds.reach()
    }
    await drainEnds.wait()
    if !drained.isReached {
      logger.error(
        "the shutdown deadline has passed, what is left is dropped", metadata: ["timeout": "\(timeout)"])
      graph.abort()
      group.cancelAll()
      parts.clock.schedule(at: parts.clock.now + grace) { [logger] in
        guard !drained.isReached else { return }
        logger.error("a component does not stop, it is left behind", metadata: ["grace": "\(grace)"])
        over.reach()
      }
      await drained.wait()
    }
    group.cancelAll()
  }

  /// Intake stops first; then each channel is closed once everything that feeds it is done.
  ///
  /// All at once, each waiting for what feeds it only: a backend that is down must not take the time of pipelines which
  /// do not lead to it, and receivers may wait for answers that only come while the others go on.
  private func drainInOrder(_ started: Started) async {
    let isRunning = started.exporters.count == graph.exporters.count
    let stopped = Dictionary(
      started.receivers.map { ($0.id, Milestone()) }, uniquingKeysWith: { first, _ in first })
    await withTaskGroup(of: Void.self) { group in
      for entry in started.receivers {
        group.addTask {
          await entry.receiver.stop()
          stopped[entry.id]?.reach()
        }
      }
      for chain in graph.chains {
        group.addTask {
          for id in chain.receivers { await stopped[id]?.wait() }
          for node in chain.buffers where isRunning {
            node.channel.close()
            await node.finished.wait()
          }
          chain.drained.reach()
        }
      }
      for entry in started.exporters {
        group.addTask {
          for chain in self.graph.chains where chain.exporters.contains(entry.id) {
            await chain.drained.wait()
          }
          if let node = entry.node {
            node.close()
            await node.finished.wait()
          }
          await entry.stop()
        }
      }
    }
    for component in started.extensions.reversed() { await component.stop() }
  }

  // MARK: Accounting

  /// The account of each signal at this moment.
  package func balances() -> [Balance] {
    graph.signals.map { parts.ledger.balance(of: $0, inFlight: graph.itemsInFlight(of: $0)) }
  }
}

/// A component that could not start or go on, with its id and where it is declared.
package struct ComponentFailure: Error, CustomStringConvertible {
  package let id: ComponentID
  package let declaredAt: String
  package let underlying: any Error

  init(_ id: ComponentID, _ declaredAt: String, _ underlying: any Error) {
    self.id = id
    self.declaredAt = declaredAt
    self.underlying = underlying
  }

  package var description: String { "\(id.kind.rawValue) \(id) (\(declaredAt)): \(underlying)" }
}

/// The collector's state as load balancers ask for it.
package final class CollectorStatus: HealthSource {
  private let state = Mutex<Health>(.starting)
  package let startedAt: UInt64

  package init(clock: any PipelineClock) { startedAt = clock.unixNanoseconds }

  package var health: Health { state.withLock { $0 } }
  func set(_ health: Health) { state.withLock { $0 = health } }
}
