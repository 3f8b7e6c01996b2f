import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// What a reload took out of the graph: it drains while the new graph runs.
final class Retirement: Sendable {
  let nodes: NodeSet
  /// Reached when nothing of it is left.
  let done = Milestone()
  private let successors: Mutex<[ComponentID: ExporterInstance]>
  private let unused: Set<ComponentID>

  /// - Parameters:
  ///   - successors: the instances that have taken the places of exporters.
  ///   - unused: exporters that were started, but whose places others have kept.
  init(
    _ nodes: NodeSet, successors: [ComponentID: ExporterInstance] = [:], unused: Set<ComponentID> = []
  ) {
    self.nodes = nodes
    self.unused = unused
    let successors = successors.filter { id, _ in nodes.exporters.contains { $0.id == id } }
    self.successors = Mutex(successors)
    // Nobody closes a successor before it has everything.
    for successor in successors.values { successor.port.doorway.open() }
  }

  /// Drains everything, and then stops the extensions once `others`, which may use them, are done too.
  func run(after others: [Retirement]) async {
    await nodes.drain { entry in
      if self.unused.contains(entry.id) { return await entry.finish() }
      guard let successor = self.successors.withLock({ $0[entry.id] }) else { return await entry.drain() }
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
    if done.isReached || successors.withLock({ $0[id] != nil }) { return nil }
    return nodes.exporters.first { $0.id == id }
  }

  /// Lets `successor` have what the exporter of the same id still holds: it was removed, and has come back.
  func adopt(_ entry: ExporterInstance, by successor: ExporterInstance) async {
    successors.withLock { $0[entry.id] = successor }
    if let node = entry.node, let next = successor.node { await node.handOver(to: next) }
    successor.settled.reach()
    successor.port.doorway.close()
  }

  /// Drops what exporters without a successor could not deliver in time.
  func expire(_ logger: Logger, after timeout: Duration) {
    guard !done.isReached else { return }
    let left = nodes.exporters.filter { entry in
      successors.withLock { $0[entry.id] == nil } && !(entry.node?.finished.isReached ?? true)
    }
    if left.isEmpty { return }
    logger.error(
      "removed exporters could not deliver in time, what they hold is dropped",
      metadata: [
        "exporters": "\(left.map(\.id.description).sorted().joined(separator: " "))", "timeout": "\(timeout)",
      ])
    for entry in left { entry.abort() }
  }
}
