import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// One reload under way: the steps that may fail, and the way back.
///
/// Nothing that runs is touched, except for nodes whose successors need what they have open: those make room first, and
/// are renewed from the old plan if the reload fails after all.
struct Replacement {
  let collector: Collector
  let old: Graph
  let new: Graph
  /// Nodes that only the new graph has, and only the old one.
  let fresh: NodeSet
  let gone: NodeSet
  private(set) var started = NodeSet()
  /// Old nodes that had to make room.
  private(set) var displaced = NodeSet()

  /// How often a node tries to open what its predecessor is about to close, and for how long it does so before it waits
  /// until the predecessor has stopped.
  private static let pause = Duration.milliseconds(5)
  private static let patience = Duration.seconds(1)

  init(_ collector: Collector, from old: Graph, to new: Graph, _ difference: PlanDifference) {
    self.collector = collector
    self.old = old
    self.new = new
    fresh = new.nodes(changedBy: difference)
    gone = old.nodes(changedBy: difference)
  }

  // MARK: Forward

  /// Starts everything new.
  mutating func start() async throws {
    let occupied = Set(old.exporters.map(\.id))
    let fresh = fresh
    new.connect(
      exporters: { !occupied.contains($0.id) },
      buffers: { node in fresh.buffers.contains { $0 === node } },
      receivers: { node in fresh.receivers.contains { $0 === node } })
    for node in fresh.extensions { try await start(node) }
    for node in fresh.exporters { try await start(node) }
    for node in fresh.buffers {
      started.buffers.append(node)
      collector.spawn { await node.run() }
    }
    try await fresh.startPrepared(&started)
    for node in started.prepared { collector.spawn { await node.run() } }
    for node in fresh.receivers { try await start(node) }
  }

  private mutating func start(_ node: ExtensionNode) async throws {
    do { try await node.start() } catch let error as any InUseError where error.isInUse {
      guard let predecessor = gone.extensions.first(where: { $0.id == node.id }) else {
        throw ComponentFailure(node.id, node.declaredAt, error)
      }
      // Its users may have open what it has to give up.
      for user in gone.exporters where old.plan.nodes[user.id]?.extensions.values.contains(node.id) ?? false {
        await makeRoom(user)
      }
      for user in gone.receivers where old.plan.nodes[user.id]?.extensions.values.contains(node.id) ?? false {
        displaced.receivers.append(user)
        await user.stop()
      }
      displaced.extensions.append(predecessor)
      try await explain(node.id, node.declaredAt) { try await take(over: predecessor, node) }
    } catch {
      throw ComponentFailure(node.id, node.declaredAt, error)
    }
    started.extensions.append(node)
  }

  private mutating func start(_ node: ExporterInstance) async throws {
    let predecessor = predecessor(of: node)
    if let predecessor, new.plan.nodes[node.id]?.component.traits.isExclusive ?? false {
      await makeRoom(predecessor)
    }
    // A queue on disk is opened by one node at a time: where the predecessor has it, once that gives it up.
    let isHeld =
      (predecessor?.node?.isDurable ?? false) && !displaced.exporters.contains { $0 === predecessor }
    do {
      try await node.start()
      started.exporters.append(node)
      // Before it can fail: the tasks of what is to drain must run.
      collector.spawn { await node.work() }
      if !isHeld { try await node.node?.open() }
    } catch {
      throw ComponentFailure(node.id, node.declaredAt, error)
    }
  }

  private mutating func start(_ node: ReceiverNode) async throws {
    do { try await node.start() } catch let error as any InUseError where error.isInUse {
      guard let predecessor = gone.receivers.first(where: { $0.id == node.id }) else {
        throw ComponentFailure(node.id, node.declaredAt, error)
      }
      if !displaced.receivers.contains(where: { $0 === predecessor }) {
        displaced.receivers.append(predecessor)
      }
      try await explain(node.id, node.declaredAt) { try await take(over: predecessor, node) }
    } catch {
      throw ComponentFailure(node.id, node.declaredAt, error)
    }
    started.receivers.append(node)
    collector.listen(node)
  }

  /// Whom an exporter replaces: an instance of the old graph, or one that still drains after its removal.
  private func predecessor(of node: ExporterInstance) -> ExporterInstance? {
    gone.exporters.first { $0.id == node.id } ?? collector.draining(node.id)?.node
  }

  /// Lets an exporter stop before its successor starts; what comes meanwhile waits for that one.
  private mutating func makeRoom(_ node: ExporterInstance) async {
    guard !displaced.exporters.contains(where: { $0 === node }) else { return }
    displaced.exporters.append(node)
    guard let successor = fresh.exporters.first(where: { $0.id == node.id }) else {
      return await node.finish()
    }
    successor.connect()
    await node.makeRoom(for: successor)
    successor.settled.reach()
  }

  /// Starts `node` as soon as `predecessor` has closed what both need.
  ///
  /// A receiver closes its socket at once, but is not done until everything that is under way has been answered.
  private func take(over predecessor: any ReplaceableNode, _ node: any ReplaceableNode) async throws {
    let clock = collector.parts.clock
    let shutdown = collector.shutdown
    collector.spawn { await predecessor.stop() }
    let end = clock.now + Self.patience
    while clock.now < end, !predecessor.stopping.isStopped, !shutdown.isReached {
      try await clock.sleep(for: Self.pause)
      do { return try await node.start() } catch let error as any InUseError where error.isInUse {}
    }
    while !predecessor.stopping.isStopped {
      if shutdown.isReached { throw ReloadRefused() }
      try await clock.sleep(for: Self.pause)
    }
    try await node.start()
  }

  private func explain(_ id: ComponentID, _ declaredAt: String, _ body: () async throws -> Void) async throws
  {
    try await collector.explain(id, declaredAt, body)
  }

  // MARK: Back

  /// Undoes what was done: the old graph goes on, in which what had to make room is renewed.
  func goBack() async {
    fresh.without(started).disconnect()
    var graph = old
    var left = started
    do {
      let renewed = try graph.renew(
        displaced, parts: collector.parts, logger: collector.logger, health: collector.status)
      let renewedGraph = graph
      collector.state.withLock { $0.graph = renewedGraph }
      for node in renewed.exporters {
        node.connect()
        guard let current = fresh.exporters.first(where: { $0.id == node.id }) else { continue }
        if started.exporters.contains(where: { $0 === current }) {
          current.settled.reach()
          await current.makeRoom(for: node)
          left.exporters.removeAll { $0 === current }
        } else {
          await current.passOn(to: node)
        }
      }
      await restart(renewed)
    } catch {
      // The old configuration does not work any more either.
      collector.fail(error)
    }
    for node in fresh.exporters { node.settled.reach() }
    collector.retire(Retirement(left, unused: Set(old.exporters.map(\.id))), to: graph)
  }

  /// Starts `renewed`; if that fails, the collector ends.
  private func restart(_ renewed: NodeSet) async {
    do {
      // At the end of the collector nothing waits for what others give up late.
      if !collector.shutdown.isReached { try await restart(extensions: renewed.extensions) }
      for node in renewed.exporters where canStart(node, renewed.extensions) { try await restart(node) }
      if !collector.shutdown.isReached { try await restart(receivers: renewed.receivers) }
    } catch {
      if collector.shutdown.isReached {
        collector.logger.error("the collector stops as it is", metadata: ["error": "\(error)"])
      } else {
        collector.fail(error)
      }
    }
    for node in renewed.exporters where !node.isStarted {
      node.giveUp()
      collector.spawn { await node.work() }
    }
  }

  /// Whether the extensions that an exporter works with run, those of `renewed` included.
  private func canStart(_ node: ExporterInstance, _ renewed: [ExtensionNode]) -> Bool {
    let used = Set((old.plan.nodes[node.id]?.extensions ?? [:]).values)
    return renewed.allSatisfy { $0.stopping.isStarted || !used.contains($0.id) }
  }

  private func restart(extensions: [ExtensionNode]) async throws {
    let others = started.extensions + displaced.extensions
    for node in extensions {
      // What new receivers keep in the place is to be there when the old ones come back to it.
      for user in started.receivers
      where new.plan.nodes[user.id]?.extensions.values.contains(node.id) ?? false { await user.stop() }
      try await explain(node.id, node.declaredAt) {
        guard let other = others.first(where: { $0.id == node.id }) else { return try await node.start() }
        try await take(over: other, node)
      }
    }
  }

  private func restart(_ node: ExporterInstance) async throws {
    node.settled.reach()
    try await explain(node.id, node.declaredAt) {
      try await node.start()
      collector.spawn { await node.work() }
      try await node.node?.open()
    }
  }

  private func restart(receivers: [ReceiverNode]) async throws {
    let others = started.receivers + displaced.receivers
    for node in receivers {
      try await explain(node.id, node.declaredAt) {
        guard let other = others.first(where: { $0.id == node.id }) else { return try await node.start() }
        try await take(over: other, node)
      }
      collector.listen(node)
    }
  }
}
