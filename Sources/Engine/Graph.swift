import Logging
import PipelineKit
import TelemetryData

/// The components of a plan, made and joined.
struct Graph: Sendable {
  struct ReceiverEntry: Sendable {
    let id: ComponentID
    let declaredAt: String
    let receiver: any Receiver
    var outputs = ReceiverOutputs()
  }

  struct ExporterEntry: Sendable {
    let id: ComponentID
    let declaredAt: String
    /// The node with queue and workers; nil for inline exporters.
    let node: ExporterNode?
    let consumer: any Consumer
    let start: @Sendable () async throws -> Void
    let stop: @Sendable () async -> Void
  }

  struct ExtensionEntry: Sendable {
    let id: ComponentID
    let declaredAt: String
    let component: any ServiceExtension
  }

  private(set) var receivers: [ReceiverEntry] = []
  private(set) var exporters: [ExporterEntry] = []
  private(set) var extensions: [ExtensionEntry] = []
  private(set) var chains: [Chain] = []
  private(set) var signals: [Signal] = []
  private(set) var pipelineCount = 0

  /// What is drained in one go: a pipeline's buffering processors, from the receivers to the exporters.
  struct Chain: Sendable {
    let signal: Signal
    let receivers: [ComponentID]
    let buffers: [BufferNode]
    let exporters: [ComponentID]
    /// Reached when nothing more comes out of it.
    let drained = Milestone()
  }

  var buffers: [BufferNode] { chains.flatMap(\.buffers) }

  init(plan: Plan, parts: EngineParts, logger: Logger, health: any HealthSource) throws {
    var maker = Maker(plan: plan, parts: parts, logger: logger, health: health)
    pipelineCount = plan.pipelines.count
    signals = Signal.allCases.filter { signal in plan.pipelines.contains { $0.signal == signal } }
    for id in plan.extensions {
      guard let (component, declaredAt) = try maker.make(id) else { continue }
      guard let component = component as? any ServiceExtension else { throw WrongKind(id: id) }
      extensions.append(ExtensionEntry(id: id, declaredAt: declaredAt, component: component))
      maker.extensions[id] = component
    }
    var sinks: [ComponentID: any Consumer] = [:]
    for id in Self.ordered(plan.pipelines.flatMap(\.exporters)) {
      guard let (component, declaredAt) = try maker.make(id) else { continue }
      let entry = try Self.exporter(id, component, declaredAt, maker)
      exporters.append(entry)
      sinks[id] = entry.consumer
    }
    var intakes: [ComponentID: [Signal: [any Consumer]]] = [:]
    for pipeline in plan.pipelines {
      let sink = FanOut.to(pipeline.exporters.compactMap { sinks[$0] }, ledger: parts.ledger)
      let head = try joinProcessors(pipeline, before: sink, maker)
      for receiver in pipeline.receivers {
        intakes[receiver, default: [:]][pipeline.signal, default: []].append(head)
      }
    }
    for id in Self.ordered(plan.pipelines.flatMap(\.receivers)) {
      guard let (component, declaredAt) = try maker.make(id) else { continue }
      guard let receiver = component as? any Receiver else { throw WrongKind(id: id) }
      var entry = ReceiverEntry(id: id, declaredAt: declaredAt, receiver: receiver)
      for (signal, heads) in intakes[id] ?? [:] {
        entry.outputs[signal] = ReceiverEdge(
          id, signal: signal, next: FanOut.to(heads, ledger: parts.ledger), parts: parts)
      }
      receivers.append(entry)
    }
  }

  /// Makes components with what the plan and the engine know.
  private struct Maker {
    let plan: Plan
    let parts: EngineParts
    let logger: Logger
    let health: any HealthSource
    var extensions: [ComponentID: any ServiceExtension] = [:]

    func make(
      _ id: ComponentID, signals: [Signal]? = nil, ledger: Ledger? = nil, holdsCompletions: Bool = false
    ) throws -> (any Component, String)? {
      guard let node = plan.nodes[id] else { return nil }
      let context = ComponentContext(
        id: id, declaredAt: node.declaredAt, signals: signals ?? node.signals, logger: logger(for: id),
        clock: parts.clock, randomness: parts.randomness, ledger: ledger ?? parts.ledger,
        metrics: parts.metrics, health: health,
        holdsCompletions: holdsCompletions, extensions: directory(of: node))
      do { return (try node.component.make(context), node.declaredAt) } catch {
        throw ComponentFailure(id, node.declaredAt, error)
      }
    }

    /// Where the exporter's queue is kept; nil keeps it in memory.
    func storage(of id: ComponentID, _ settings: DeliverySettings) throws -> (any StorageProvider)? {
      guard settings.isDurable, let name = settings.queue?.storage, let node = plan.nodes[id] else {
        return nil
      }
      return try directory(of: node).find(name, as: (any StorageProvider).self)
    }

    private func directory(of node: Plan.Node) -> ExtensionDirectory {
      ExtensionDirectory(node.extensions.compactMapValues { extensions[$0] })
    }

    func logger(for id: ComponentID) -> Logger {
      var logger = logger
      logger[metadataKey: "kind"] = "\(id.kind.rawValue)"
      logger[metadataKey: "name"] = "\(id)"
      return logger
    }
  }

  /// The plan named a component of another kind: a defect of the catalog.
  private struct WrongKind: Error, CustomStringConvertible {
    let id: ComponentID
    var description: String { "\(id) is listed as a \(id.kind.rawValue) but is none" }
  }

  private static func ordered(_ ids: [ComponentID]) -> [ComponentID] {
    var seen = Set<ComponentID>()
    return ids.filter { seen.insert($0).inserted }
  }

  private static func exporter(
    _ id: ComponentID, _ component: any Component, _ declaredAt: String, _ maker: Maker
  ) throws -> ExporterEntry {
    if let exporter = component as? any Exporter {
      let settings = maker.plan.nodes[id]?.component.traits.delivery ?? DeliverySettings()
      let node = ExporterNode(
        id, exporter, settings, logger: maker.logger(for: id), parts: maker.parts,
        storage: try maker.storage(of: id, settings), holdsCompletions: maker.plan.isAtLeastOnce)
      return ExporterEntry(
        id: id, declaredAt: declaredAt, node: node, consumer: node,
        start: {
          try await exporter.start()
          try await node.open()
        }, stop: { await exporter.stop() })
    }
    guard let exporter = component as? any InlineExporter else { throw WrongKind(id: id) }
    return ExporterEntry(
      id: id, declaredAt: declaredAt, node: nil,
      consumer: InlineExporterNode(id, exporter, parts: maker.parts),
      start: { try await exporter.start() }, stop: { await exporter.stop() })
  }

  /// Joins a pipeline's processors in front of `sink`; neighbouring inline ones become one stage.
  private mutating func joinProcessors(
    _ pipeline: Plan.Pipeline, before sink: any Consumer, _ maker: Maker
  ) throws -> any Consumer {
    var head = sink
    var inline: [(id: ComponentID, processor: any InlineProcessor)] = []
    var nodes: [BufferNode] = []
    func fuse() {
      guard !inline.isEmpty else { return }
      head = InlineStage(inline, signal: pipeline.signal, next: head, parts: maker.parts)
      inline = []
    }
    for id in pipeline.processors.reversed() {
      let ledger = Ledger(within: maker.parts.ledger)
      guard
        let (component, _) = try maker.make(
          id, signals: [pipeline.signal], ledger: ledger,
          holdsCompletions: maker.plan.holdsCompletions(pipeline))
      else { continue }
      if let processor = component as? any InlineProcessor {
        inline.insert((id, processor), at: 0)
      } else if let processor = component as? any BufferingProcessor {
        fuse()
        let node = BufferNode(
          id, processor, signal: pipeline.signal, output: head, ledger: ledger,
          logger: maker.logger(for: id), parts: maker.parts)
        nodes.insert(node, at: 0)
        head = node
      } else {
        throw WrongKind(id: id)
      }
    }
    fuse()
    chains.append(
      Chain(
        signal: pipeline.signal, receivers: pipeline.receivers, buffers: nodes, exporters: pipeline.exporters)
    )
    return head
  }

  /// Ends everything that still waits in a channel.
  func abort() {
    for node in buffers { node.channel.abort() }
    for entry in exporters { entry.node?.abort() }
  }

  /// Items of `signal` in channels, buffering processors, queues and requests under way.
  func itemsInFlight(of signal: Signal) -> Int {
    chains.filter { $0.signal == signal }.flatMap(\.buffers).reduce(0) { $0 + $1.itemsInFlight }
      + exporters.reduce(0) { $0 + ($1.node?.itemsInFlight(of: signal) ?? 0) }
  }
}
