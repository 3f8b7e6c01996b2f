import ConfigSchema
import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// What a reload took out of the graph: it drains while the new graph runs.
final class Retirement: Sendable {
  let nodes: NodeSet
  /// Reached when nothing of it is left.
  let done = Milestone()
  private let successors: [ComponentID: ExporterInstance]
  /// Exporters that had been removed, and have come back since.
  private let adopted = Mutex<Set<ComponentID>>([])
  private let unused: Set<ComponentID>

  /// - Parameters:
  ///   - successors: the instances that have taken the places of exporters.
  ///   - unused: exporters that were started, but whose places others have kept.
  init(
    _ nodes: NodeSet, successors: [ComponentID: ExporterInstance] = [:], unused: Set<ComponentID> = []
  ) {
    self.nodes = nodes
    self.unused = unused
    self.successors = successors.filter { id, _ in nodes.exporters.contains { $0.id == id } }
    // Nobody closes a successor before it has everything.
    for successor in self.successors.values { successor.port.doorway.open() }
  }

  /// Drains everything, and then stops the extensions once `others`, which may use them, are done too.
  func run(after others: [Retirement]) async {
    await nodes.drain { entry in
      if self.unused.contains(entry.id) { return await entry.finish() }
      guard let successor = self.successors[entry.id] else { return await entry.drain() }
      await entry.handOver(to: successor)
      successor.port.doorway.close()
    }
    if !nodes.extensions.isEmpty {
      for other in others { await other.done.wait() }
      await nodes.stopExtensions()
    }
    done.reach()
  }

  /// The exporter of this id that drains and whose place nobody has taken.
  func orphan(_ id: ComponentID) -> ExporterInstance? {
    if done.isReached || hasSuccessor(id) { return nil }
    return nodes.exporters.first { $0.id == id }
  }

  private func hasSuccessor(_ id: ComponentID) -> Bool {
    successors[id] != nil || adopted.withLock { $0.contains(id) }
  }

  /// Gives `successor` what the exporter of the same id still holds: it was removed, and has come back. It goes on to
  /// drain as before, with nothing left.
  ///
  /// - Returns: the work, which takes as long as what is under way to the backend.
  func adopt(_ entry: ExporterInstance, by successor: ExporterInstance) -> @Sendable () async -> Void {
    adopted.withLock { _ = $0.insert(entry.id) }
    successor.port.doorway.open()
    return {
      if let node = entry.node, let next = successor.node { await node.handOver(to: next) }
      successor.settled.reach()
      // What is still on its way to the one that was removed is passed on as well.
      await entry.finished.wait()
      successor.port.doorway.close()
    }
  }

  /// Drops what exporters without a successor could not deliver in time.
  func expire(_ logger: Logger, after timeout: Duration) {
    guard !done.isReached else { return }
    let left = nodes.exporters.filter { entry in
      !hasSuccessor(entry.id) && !(entry.node?.finished.isReached ?? true)
    }
    if left.isEmpty { return }
    logger.error(
      "removed exporters could not deliver in time, what they hold is dropped",
      metadata: [
        "exporters": "\(left.map(\.id.description).sorted().joined(separator: " "))",
        "timeout": "\(GoDuration.text(timeout))",
      ])
    for entry in left { entry.abort() }
  }
}
