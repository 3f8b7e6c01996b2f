import ConfigSchema
package import Logging
package import PipelineKit
import Synchronization
import TelemetryData

/// A running configuration: builds the planned graph, runs it, replaces it, drains it, and accounts for every item.
package final class Collector: Sendable {
  struct State {
    var graph: Graph
    /// New nodes of a reload that is under way.
    var starting = NodeSet()
    /// What earlier reloads took out and has not drained yet.
    var retirements: [Retirement] = []
    /// Every signal that some pipeline carries, or once did.
    var signals: [Signal]
  }

  enum Event: Sendable {
    case reload(Plan, CheckedContinuation<Result<ReloadSummary, any Error>, Never>)
    case shutdown
  }

  private enum Order: Sendable {
    case work(@Sendable () async -> Void)
    case cancelAll
  }

  let parts: EngineParts
  let logger: Logger
  let status: CollectorStatus
  let state: Mutex<State>
  let failure = Mutex<(any Error)?>(nil)
  private let events = Mailbox<Event>()
  /// What the one group of tasks is to start.
  private let orders = Mailbox<Order>()
  private let schedule = Mutex(Schedule())

  struct Schedule {
    var shutdown = Milestone()
    var drainTimeout = Duration.seconds(30)
  }

  /// Makes every component of the plan; nothing is opened or started yet.
  package init(plan: Plan, parts: EngineParts, logger: Logger, status: CollectorStatus) throws {
    self.parts = parts
    self.logger = logger
    self.status = status
    parts.memory.configure(plan, logger: logger)
    parts.memory.publish(in: parts.metrics)
    let graph = try Graph(plan: plan, parts: parts, logger: logger, health: status)
    state = Mutex(State(graph: graph, signals: graph.signals))
    observe(graph.signals)
  }

  func observe(_ signals: [Signal]) {
    for signal in signals {
      parts.metrics.observe(
        "millrace_ledger_in_flight", help: "Items in channels, processors, queues and requests under way.",
        labels: [("signal", signal.rawValue)]
      ) { [weak self] in Double(self?.itemsInFlight(of: signal) ?? 0) }
    }
  }

  /// Starts everything, runs until `shutdown` is reached or a component fails for good, and drains.
  ///
  /// Exporters start first and receivers last, so that nothing arrives before there is somewhere to go. If one
  /// cannot start, those that did are stopped and the error is thrown.
  ///
  /// - Parameters:
  ///   - shutdown: reached when the collector is asked to stop.
  ///   - drainTimeout: how long draining may take; what is left then is counted as dropped. Exporters that a reload
  ///     removes have as long.
  ///   - grace: how long components have after that, cancelled, before they are left behind.
  /// - Returns: the account of every signal that some pipeline carries. What a component holds that could not be
  ///   stopped, because it ignores cancellation, is in flight in it.
  package func run(
    until shutdown: Milestone, drainTimeout: Duration, grace: Duration = .seconds(5)
  ) async throws -> [Balance] {
    schedule.withLock { $0 = Schedule(shutdown: shutdown, drainTimeout: drainTimeout) }
    let over = Milestone()
    // A task of its own, which can be left behind: a group would wait for as long as a component hangs.
    let work = Task {
      await self.work(grace: grace, over: over)
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

  /// Goes over to another plan without losing anything; see <doc:0010-ReloadBySwitching>.
  ///
  /// One after the other, in the order they are asked for. A component that cannot be made or started leaves everything
  /// as it was, and the error names it.
  package func reload(_ plan: Plan) async throws -> ReloadSummary {
    let result = await withCheckedContinuation { answer in
      if !events.post(.reload(plan, answer)) { answer.resume(returning: .failure(ReloadRefused())) }
    }
    return try result.get()
  }

  var shutdown: Milestone { schedule.withLock { $0.shutdown } }
  var drainTimeout: Duration { schedule.withLock { $0.drainTimeout } }

  /// Runs `task` as a child of the collector's one group.
  func spawn(_ task: @escaping @Sendable () async -> Void) { orders.post(.work(task)) }

  private func work(grace: Duration, over: Milestone) async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        await self.control(grace: grace, over: over)
        self.orders.post(.cancelAll)
        self.orders.close()
      }
      while let order = await orders.next() {
        switch order {
        case .work(let task): group.addTask { await task() }
        case .cancelAll: group.cancelAll()
        }
      }
    }
  }

  private func control(grace: Duration, over: Milestone) async {
    let (shutdown, memory, clock) = (shutdown, parts.memory, parts.clock)
    spawn { await memory.run(clock: clock) }
    spawn {
      await shutdown.wait()
      self.events.post(.shutdown)
    }
    var live = NodeSet()
    do {
      let graph = state.withLock { $0.graph }
      graph.connect()
      for entry in graph.exporters { entry.settled.reach() }
      try await start(graph.nodes, &live)
      status.set(.ready)
      logger.info("everything is ready", metadata: ["pipelines": "\(graph.plan.pipelines.count)"])
      await serve()
      live = state.withLock { $0.graph }.nodes
    } catch {
      fail(error)
    }
    events.close()
    while let event = await events.next() {
      if case .reload(_, let answer) = event { answer.resume(returning: .failure(ReloadRefused())) }
    }
    status.set(.stopping)
    await drain(live, grace: grace, over: over)
  }

  private func serve() async {
    while let event = await events.next() {
      switch event {
      case .shutdown: return
      case .reload(let plan, let answer): answer.resume(returning: await replace(with: plan))
      }
    }
  }

  /// The collector cannot go on.
  func fail(_ error: any Error) {
    failure.withLock { $0 = $0 ?? error }
    shutdown.reach()
  }

  // MARK: Starting

  /// Starts `nodes`, each of which is in `started` from then on; if one cannot start, the others are left out.
  private func start(_ nodes: NodeSet, _ started: inout NodeSet) async throws {
    do {
      for node in nodes.extensions {
        try await explain(node.id, node.declaredAt) { try await node.start() }
        started.extensions.append(node)
      }
      for node in nodes.exporters {
        try await explain(node.id, node.declaredAt) {
          try await node.start()
          started.exporters.append(node)
          // Before it can fail: the tasks of what is to drain must run.
          spawn { await node.work() }
          try await node.node?.open()
        }
      }
      for node in nodes.buffers {
        started.buffers.append(node)
        spawn { await node.run() }
      }
      try await nodes.startPrepared(&started)
      for node in started.prepared { spawn { await node.run() } }
      for node in nodes.receivers {
        try await explain(node.id, node.declaredAt) { try await node.start() }
        started.receivers.append(node)
        listen(node)
      }
    } catch {
      nodes.without(started).disconnect()
      throw error
    }
  }

  /// Lets a receiver work; that it fails for good is the end of the process, and so it is when all of them have nothing
  /// more to receive.
  func listen(_ node: ReceiverNode) {
    spawn {
      do {
        try await node.receiver.run()
        if node.isFinite, !node.stopping.isStopping { self.exhausted(node) }
      } catch is CancellationError {} catch {
        if !node.stopping.isStopping { self.fail(ComponentFailure(node.id, node.declaredAt, error)) }
      }
    }
  }

  private func exhausted(_ node: ReceiverNode) {
    node.exhausted.reach()
    let receivers = state.withLock { $0.graph.nodes.receivers }
    guard receivers.allSatisfy(\.exhausted.isReached) else { return }
    logger.info("stopping", metadata: ["reason": "all that was to be received has been"])
    shutdown.reach()
  }

  func explain(_ id: ComponentID, _ declaredAt: String, _ body: () async throws -> Void) async throws {
    do { try await body() } catch { throw ComponentFailure(id, declaredAt, error) }
  }

  // MARK: Draining

  private func drain(_ nodes: NodeSet, grace: Duration, over: Milestone) async {
    let timeout = drainTimeout
    let drainEnds = Milestone()
    let drained = Milestone()
    parts.clock.schedule(at: parts.clock.now + timeout) { drainEnds.reach() }
    spawn {
      await nodes.drain { await $0.drain() }
      for retirement in self.state.withLock({ $0.retirements }) { await retirement.done.wait() }
      await nodes.stopExtensions()
      drained.reach()
      drainEnds.reach()
    }
    await drainEnds.wait()
    guard !drained.isReached else { return }
    logger.error(
      "the shutdown deadline has passed, what is left is dropped",
      metadata: ["timeout": "\(GoDuration.text(timeout))"])
    nodes.abort()
    for retirement in state.withLock({ $0.retirements }) { retirement.nodes.abort() }
    orders.post(.cancelAll)
    parts.clock.schedule(at: parts.clock.now + grace) { [logger] in
      guard !drained.isReached else { return }
      logger.error("a component does not stop, it is left behind", metadata: ["grace": "\(grace)"])
      over.reach()
    }
    await drained.wait()
  }

  // MARK: Accounting

  /// The account of each signal at this moment.
  package func balances() -> [Balance] {
    state.withLock { $0.signals }.map { parts.ledger.balance(of: $0, inFlight: itemsInFlight(of: $0)) }
  }

  /// Items of `signal` in all nodes, those that drain included.
  private func itemsInFlight(of signal: Signal) -> Int {
    let sets = state.withLock { [$0.graph.nodes, $0.starting] + $0.retirements.map(\.nodes) }
    return sets.reduce(0) { $0 + $1.itemsInFlight(of: signal) }
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

/// A reload that comes too late.
package struct ReloadRefused: Error, CustomStringConvertible {
  package var description: String { "the collector is stopping" }
}

/// The collector's state as load balancers ask for it.
package final class CollectorStatus: HealthSource {
  private let state = Mutex<Health>(.starting)
  package let startedAt: UInt64

  package init(clock: any PipelineClock) { startedAt = clock.unixNanoseconds }

  package var health: Health { state.withLock { $0 } }
  func set(_ health: Health) { state.withLock { $0 = health } }
}
