import PipelineKit
import Synchronization
import TelemetryData

/// Stops something once, however many ask for it; all of them wait until it has stopped. What was never started is only
/// marked as stopped.
final class StopOnce: Sendable {
  private let hasStarted = Atomic<Bool>(false)
  private let isAsked = Atomic<Bool>(false)
  let stopped = Milestone()

  /// It has been started, and has to be stopped.
  func started() { hasStarted.store(true, ordering: .releasing) }

  var isStarted: Bool { hasStarted.load(ordering: .acquiring) }

  /// Whether it has been told to stop.
  var isStopping: Bool { isAsked.load(ordering: .acquiring) }
  var isStopped: Bool { stopped.isReached }

  func callAsFunction(_ stop: () async -> Void) async {
    if isAsked.exchange(true, ordering: .acquiringAndReleasing) { return await stopped.wait() }
    if isStarted { await stop() }
    stopped.reach()
  }
}

/// A node that may have to make room for its successor.
protocol ReplaceableNode: Sendable {
  var stopping: StopOnce { get }
  func start() async throws
  func stop() async
}

/// A receiver with the switches behind it.
final class ReceiverNode: ReplaceableNode {
  let id: ComponentID
  let declaredAt: String
  let receiver: any Receiver
  let gate: IntakeGate
  let interest: RequestInterest
  let stopping = StopOnce()
  /// Reached when it has received all there was, see ``ComponentTraits/isFinite``; never for others.
  let exhausted = Milestone()
  let isFinite: Bool
  private let switches: [Signal: SwitchPoint]
  private let outputs: ReceiverOutputs

  init(
    _ id: ComponentID, _ declaredAt: String, _ receiver: any Receiver, gate: IntakeGate,
    interest: RequestInterest, signals: [Signal], isFinite: Bool, parts: EngineParts
  ) {
    self.id = id
    self.declaredAt = declaredAt
    self.receiver = receiver
    self.gate = gate
    self.interest = interest
    self.isFinite = isFinite
    var outputs = ReceiverOutputs()
    var switches: [Signal: SwitchPoint] = [:]
    for signal in signals {
      let point = SwitchPoint(ledger: parts.ledger)
      switches[signal] = point
      outputs[signal] = ReceiverEdge(id, signal: signal, next: point, parts: parts)
    }
    self.outputs = outputs
    self.switches = switches
  }

  /// Leads each signal along its route.
  func connect(_ routes: [Signal: Route]) {
    for (signal, point) in switches {
      if let route = routes[signal] { point.point(to: route) } else { point.close() }
    }
  }

  func start() async throws {
    try await receiver.start(outputs)
    stopping.started()
  }

  /// Stops the receiver, once; then nothing comes from it any more.
  func stop() async {
    await stopping { await receiver.stop() }
    disconnect()
  }

  func disconnect() { for point in switches.values { point.close() } }
}

/// An exporter's place in the graph, which stays while the instances in it come and go.
final class ExporterPort: Sendable {
  let entrance: SwitchPoint
  /// Open for as long as some route leads to the exporter, whichever instance it is, or something is handed over to it.
  let doorway = Doorway()

  init(ledger: Ledger) { entrance = SwitchPoint(ledger: ledger) }

  var route: Route { Route(consumer: entrance, doorways: [doorway]) }
}

/// One instance of an exporter, in its place.
final class ExporterInstance: Sendable {
  /// What the exporter itself does at its two ends.
  struct Life: Sendable {
    let start: @Sendable () async throws -> Void
    let stop: @Sendable () async -> Void
  }

  let id: ComponentID
  let declaredAt: String
  let port: ExporterPort
  /// The node with queue and workers; nil for inline exporters.
  let node: ExporterNode?
  private let consumer: any Consumer
  private let life: Life
  private let stopping = StopOnce()
  /// Open for as long as its place leads to this instance.
  private let doorway = Doorway()
  /// Reached when it has all that its predecessor left; at once where there is none.
  let settled = Milestone()
  /// Reached when its tasks are to end, or have ended.
  private let over = Milestone()

  init(
    _ id: ComponentID, _ declaredAt: String, at port: ExporterPort, node: ExporterNode?,
    consumer: any Consumer, life: Life
  ) {
    self.id = id
    self.declaredAt = declaredAt
    self.port = port
    self.node = node
    self.consumer = consumer
    self.life = life
  }

  func start() async throws {
    try await life.start()
    stopping.started()
  }

  /// Whether ``start()`` succeeded.
  var isStarted: Bool { stopping.isStarted }

  func stop() async { await stopping { await life.stop() } }

  /// Reached when it has stopped.
  var finished: Milestone { stopping.stopped }

  /// Lets what comes to its place come to this instance.
  func connect() {
    node?.observe()
    port.entrance.point(to: Route(consumer: consumer, doorways: [doorway]))
  }

  /// Runs its tasks until they are done, or it is aborted.
  func work() async {
    guard let node else { return }
    await withDiscardingTaskGroup { group in
      for task in node.tasks { group.addTask { await task() } }
      group.addTask {
        await node.finished.wait()
        self.over.reach()
      }
      await over.wait()
      group.cancelAll()
    }
  }

  /// Ends everything that still waits or is under way.
  func abort() {
    node?.abort()
    over.reach()
  }

  /// Delivers what it has once nobody can send to it any more, and stops.
  func drain() async {
    await settled.wait()
    await port.doorway.waitUntilUnused()
    port.entrance.close()
    await doorway.waitUntilUnused()
    await finish()
  }

  /// Delivers what it has and stops; nobody can send to it any more, or what still comes may be refused.
  func finish() async {
    if let node {
      node.close()
      await node.finished.wait()
    }
    await stop()
  }

  /// Takes nothing, and lets the tasks of an instance that was never started end: what it has gathered is lost to it.
  func giveUp() {
    node?.giveUp()
    settled.reach()
  }

  /// Gives what it has to the instance that has taken its place, and stops.
  func handOver(to successor: ExporterInstance) async {
    await settled.wait()
    if let node, let next = successor.node { await node.handOver(to: next) }
    successor.settled.reach()
    await doorway.waitUntilUnused()
    await stop()
  }

  /// Leaves what it has to an instance that is not started yet, and stops: what it has open is then free.
  func makeRoom(for successor: ExporterInstance) async {
    await settled.wait()
    if let node, let next = successor.node { await node.bequeath(to: next) }
    await doorway.waitUntilUnused()
    await stop()
  }

  /// The same for an instance that was never started, and has only gathered.
  func passOn(to successor: ExporterInstance) async {
    guard let node, let next = successor.node else { return }
    node.stopTrying()
    async let work: Void = work()
    await node.bequeath(to: next)
    await work
  }
}

/// An extension.
final class ExtensionNode: ReplaceableNode {
  let id: ComponentID
  let declaredAt: String
  let component: any ServiceExtension
  let stopping = StopOnce()

  init(_ id: ComponentID, _ declaredAt: String, _ component: any ServiceExtension) {
    self.id = id
    self.declaredAt = declaredAt
    self.component = component
  }

  func start() async throws {
    try await component.start()
    stopping.started()
  }
  func stop() async { await stopping { await component.stop() } }
}

/// An inline processor that is started, and works beside the batches.
final class PreparedNode: Sendable {
  let id: ComponentID
  let declaredAt: String
  private let processor: any PreparedProcessor
  private let stopping = StopOnce()

  init(_ id: ComponentID, _ declaredAt: String, _ processor: any PreparedProcessor) {
    self.id = id
    self.declaredAt = declaredAt
    self.processor = processor
  }

  func start() async throws {
    do { try await processor.start() } catch { throw ComponentFailure(id, declaredAt, error) }
    stopping.started()
  }
  func run() async { await processor.run() }
  func stop() async { await stopping { await processor.stop() } }
}

extension BufferNode {
  /// Passes on what it holds once nobody can send to it any more.
  func drain() async {
    await doorway.waitUntilUnused()
    channel.close()
    await finished.wait()
    output.close()
  }
}

/// Nodes that are started, drained or given up together.
struct NodeSet: Sendable {
  var extensions: [ExtensionNode] = []
  var exporters: [ExporterInstance] = []
  var buffers: [BufferNode] = []
  var prepared: [PreparedNode] = []
  var receivers: [ReceiverNode] = []

  /// Items in channels, buffering processors, queues and requests under way.
  func itemsInFlight(of signal: Signal) -> Int {
    buffers.reduce(0) { $0 + ($1.signal == signal ? $1.itemsInFlight : 0) }
      + exporters.reduce(0) { $0 + ($1.node?.itemsInFlight(of: signal) ?? 0) }
  }

  /// Ends everything that still waits in a channel or a queue.
  func abort() {
    for node in buffers { node.channel.abort() }
    for entry in exporters { entry.abort() }
  }

  /// Takes nodes that were never started out of the ways of the others.
  func disconnect() {
    for node in receivers { node.disconnect() }
    for node in buffers { node.output.close() }
  }

  /// Stops intake first, and then closes each node once everything that feeds it is done.
  ///
  /// All at once, each waiting for what feeds it only: a backend that is down must not take the time of pipelines
  /// which do not lead to it, and receivers may wait for answers that only come while the others go on.
  func drain(_ drainExporter: @escaping @Sendable (ExporterInstance) async -> Void) async {
    await withDiscardingTaskGroup { group in
      for node in receivers { group.addTask { await node.stop() } }
      for node in buffers { group.addTask { await node.drain() } }
      for node in prepared { group.addTask { await node.stop() } }
      for entry in exporters { group.addTask { await drainExporter(entry) } }
    }
  }

  /// The nodes that are not in `others`.
  func without(_ others: NodeSet) -> NodeSet {
    NodeSet(
      extensions: extensions.filter { node in !others.extensions.contains { $0 === node } },
      exporters: exporters.filter { node in !others.exporters.contains { $0 === node } },
      buffers: buffers.filter { node in !others.buffers.contains { $0 === node } },
      prepared: prepared.filter { node in !others.prepared.contains { $0 === node } },
      receivers: receivers.filter { node in !others.receivers.contains { $0 === node } })
  }

  /// Starts the inline processors that need it, all at once; those that started are in `started` also when one fails.
  func startPrepared(_ started: inout NodeSet) async throws {
    var failure: (any Error)?
    await withTaskGroup(of: (PreparedNode, (any Error)?).self) { group in
      for node in prepared {
        group.addTask {
          do { try await node.start() } catch { return (node, error) }
          return (node, nil)
        }
      }
      for await (node, error) in group {
        if let error { failure = failure ?? error } else { started.prepared.append(node) }
      }
    }
    if let failure { throw failure }
  }

  func stopExtensions() async {
    for entry in extensions.reversed() { await entry.stop() }
  }
}
