import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// Going over to another plan while data flows.
///
/// Everything that may fail comes first, see ``Replacement``. Then the switches are pointed to the new ways, and what is
/// left over drains behind.
extension Collector {
  func replace(with plan: Plan) async -> Result<ReloadSummary, any Error> {
    let old = state.withLock { $0.graph }
    let difference = PlanDifference(from: old.plan, to: plan)
    // Queues are made with the limits of their plan.
    parts.memory.configure(plan, logger: logger, isReload: true)
    if difference.isEmpty { return .success(difference.summary) }
    var replacement: Replacement
    do {
      let new = try Graph(
        plan: plan, keeping: (old, difference), parts: parts, logger: logger, health: status)
      replacement = Replacement(self, from: old, to: new, difference)
    } catch {
      parts.memory.configure(old.plan, logger: logger, isReload: true)
      return .failure(error)
    }
    let fresh = replacement.fresh
    state.withLock { $0.starting = fresh }
    do { try await replacement.start() } catch {
      parts.memory.configure(old.plan, logger: logger, isReload: true)
      await replacement.goBack()
      return .failure(error)
    }
    settle(replacement)
    replacement.new.connect()
    retire(
      Retirement(
        replacement.gone.without(replacement.displaced),
        successors: Dictionary(
          fresh.exporters.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })),
      to: replacement.new)
    return .success(difference.summary)
  }

  /// Lets new exporters that have nobody to take over from know it, or gives them what one of the same id has left that
  /// was removed earlier.
  private func settle(_ replacement: Replacement) {
    for node in replacement.fresh.exporters {
      if replacement.gone.exporters.contains(where: { $0.id == node.id }) { continue }
      guard let (orphan, retirement) = draining(node.id),
        !replacement.displaced.exporters.contains(where: { $0 === orphan })
      else {
        node.settled.reach()
        continue
      }
      spawn(retirement.adopt(orphan, by: node))
    }
  }

  /// An exporter that was removed and still drains, without a successor.
  func draining(_ id: ComponentID) -> (node: ExporterInstance, retirement: Retirement)? {
    for retirement in state.withLock({ $0.retirements }) {
      if let node = retirement.orphan(id) { return (node, retirement) }
    }
    return nil
  }

  /// Lets nodes drain in the background, accounted for until they have, while `graph` runs.
  func retire(_ retirement: Retirement, to graph: Graph) {
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
      for node in retirement.nodes.exporters where !live.contains(node.id) {
        self.parts.metrics.removeGauges(label: "exporter", value: node.id.description)
      }
    }
    let timeout = drainTimeout
    parts.clock.schedule(at: parts.clock.now + timeout) { [weak retirement, logger] in
      retirement?.expire(logger, after: timeout)
    }
  }
}
