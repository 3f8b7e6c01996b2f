import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// Going over to another plan while data flows.
///
/// Everything that may fail comes first and touches nothing that runs, except receivers that must give up their address
/// to their successors. Then the switches are pointed to the new ways, and what is left over drains behind.
extension Collector {
  /// How often a receiver tries to open what its predecessor is about to close, and for how long it does so before it
  /// waits until the predecessor has stopped.
  private static let takeOverPause = Duration.milliseconds(5)
  private static let takeOverPatience = Duration.seconds(1)

  func replace(with plan: Plan) async -> Result<ReloadSummary, any Error> {
    let old = state.withLock { $0.graph }
    let difference = PlanDifference(from: old.plan, to: plan)
    if difference.isEmpty { return .success(difference.summary) }
    let new: Graph
    do {
      new = try Graph(
        plan: plan, keeping: (old, difference), parts: parts, logger: logger, health: status)
    } catch {
      return .failure(error)
    }
    let fresh = new.nodes(changedBy: difference)
    let gone = old.nodes(changedBy: difference)
    let occupied = Set(old.exporters.map(\.id))
    state.withLock { $0.starting = fresh }
    var started = NodeSet()
    do {
      new.connect(
        exporters: { !occupied.contains($0.id) },
        buffers: { node in fresh.buffers.contains { $0 === node } },
        receivers: { node in fresh.receivers.contains { $0 === node } })
      try await startSinks(fresh, &started)
      for node in fresh.receivers {
        try await take(over: gone.receivers.first { $0.id == node.id }, node)
        started.receivers.append(node)
        listen(node)
      }
    } catch {
      await goBack(to: old, from: fresh, started, gone: gone)
      return .failure(error)
    }
    settle(fresh, predecessors: gone)
    new.connect()
    let successors = Dictionary(
      new.exporters.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let retirement = Retirement(
      gone, successors: successors.filter { entry in gone.exporters.contains { $0.id == entry.key } })
    retire(retirement, to: new)
    return .success(difference.summary)
  }

  /// Lets new exporters that have nobody to take over from know it, or find them whom they replace after all.
  private func settle(_ fresh: NodeSet, predecessors gone: NodeSet) {
    let retirements = state.withLock { $0.retirements }
    for entry in fresh.exporters where !gone.exporters.contains(where: { $0.id == entry.id }) {
      let draining = retirements.lazy.compactMap { retirement in
        retirement.orphan(entry.id).map { (retirement, $0) }
      }
      guard let (retirement, orphan) = draining.first else {
        entry.settled.reach()
        continue
      }
      entry.port.doorway.open()
      spawn { await retirement.adopt(orphan, by: entry) }
    }
  }

  /// Lets nodes drain in the background, accounted for until they have, while `graph` runs.
  private func retire(_ retirement: Retirement, to graph: Graph) {
    let (earlier, signals) = state.withLock { state in
      let earlier = state.retirements
      let signals = graph.signals.filter { !state.signals.contains($0) }
      state.graph = graph
      state.starting = NodeSet()
      state.retirements.append(retirement)
      state.signals += signals
      return (earlier, signals)
    }
    observe(signals)
    spawn {
      await retirement.run(after: earlier)
      let live = self.state.withLock { state in
        state.retirements.removeAll { $0 === retirement }
        return state.graph.exporters.map(\.id)
      }
      for entry in retirement.nodes.exporters where !live.contains(entry.id) {
        self.parts.metrics.removeGauges(label: "exporter", value: entry.id.description)
      }
    }
    let timeout = drainTimeout
    parts.clock.schedule(at: parts.clock.now + timeout) { [weak retirement, logger] in
      retirement?.expire(logger, after: timeout)
    }
  }

  /// Starts a receiver in place of `predecessor`, which is only stopped when the new one needs what it has open.
  private func take(over predecessor: ReceiverNode?, _ node: ReceiverNode) async throws {
    try await explain(node.id, node.declaredAt) {
      do { return try await node.start() } catch let error as any InUseError where error.isInUse {
        guard let predecessor else { throw error }
        spawn { await predecessor.stop() }
        let giveUp = parts.clock.now + Self.takeOverPatience
        while parts.clock.now < giveUp, !predecessor.isStopped, !shutdown.isReached {
          try await parts.clock.sleep(for: Self.takeOverPause)
          do { return try await node.start() } catch let error as any InUseError where error.isInUse {}
        }
        // A receiver stops taking data at once, but may hold on to what it had open until everything is answered.
        if !shutdown.isReached { await predecessor.stop() }
        try await node.start()
      }
    }
  }

  /// Undoes what a reload that failed has done so far: the old graph goes on.
  private func goBack(to old: Graph, from fresh: NodeSet, _ started: NodeSet, gone: NodeSet) async {
    fresh.without(started).disconnect()
    for entry in fresh.exporters { entry.settled.reach() }
    retire(Retirement(started, unused: Set(old.exporters.map(\.id))), to: old)
    guard !shutdown.isReached else { return }
    var graph = old
    for stopped in gone.receivers where stopped.isStopping {
      let id = stopped.id
      do {
        guard let renewed = try graph.renew(id, parts: parts, logger: logger, health: status) else {
          continue
        }
        state.withLock { $0.graph = graph }
        try await take(over: started.receivers.first { $0.id == id } ?? stopped, renewed)
        listen(renewed)
      } catch {
        fail(error)
      }
    }
  }
}

extension NodeSet {
  /// The nodes that are not in `others`.
  func without(_ others: NodeSet) -> NodeSet {
    NodeSet(
      extensions: extensions.filter { entry in !others.extensions.contains { $0.id == entry.id } },
      exporters: exporters.filter { entry in !others.exporters.contains { $0.id == entry.id } },
      buffers: buffers.filter { node in !others.buffers.contains { $0 === node } },
      receivers: receivers.filter { node in !others.receivers.contains { $0 === node } })
  }
}
