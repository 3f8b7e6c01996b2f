import Logging
import PipelineKit
import TelemetryData

/// The components of a plan and the routes between them.
///
/// Making one starts nothing and changes nothing that runs: a graph that keeps components of a running one shares them,
/// and its routes come into force with `connect`.
struct Graph: Sendable {
  let plan: Plan
  private(set) var receivers: [ReceiverNode] = []
  private(set) var exporters: [ExporterInstance] = []
  private(set) var extensions: [ExtensionNode] = []
  private(set) var buffers: [ProcessorPlace: BufferNode] = [:]
  private var inline: [ProcessorPlace: any InlineProcessor] = [:]
  private var prepared: [ProcessorPlace: PreparedNode] = [:]
  /// The ways behind each buffer and each receiver.
  private var routes: [ProcessorPlace: Route] = [:]
  private var intakes: [ComponentID: [Signal: Route]] = [:]
  /// What each receiver has to ask before it takes anything.
  private var gates: [ComponentID: [IntakeGate.Check]] = [:]

  /// - Parameters:
  ///   - running: the graph to keep components of, and which.
  init(
    plan: Plan, keeping running: (graph: Graph, difference: PlanDifference)? = nil, parts: EngineParts,
    logger: Logger, health: any HealthSource
  ) throws {
    self.plan = plan
    var maker = GraphMaker(plan: plan, parts: parts, logger: logger, health: health)
    let kept = running.map { Kept($0.graph, $0.difference) } ?? Kept()
    for id in plan.extensions {
      guard let node = plan.nodes[id] else { continue }
      if let entry = kept.extensions[id] {
        maker.extensions[id] = entry.component
        extensions.append(entry)
      } else {
        extensions.append(try maker.extension(node))
      }
    }
    for id in Self.ordered(plan.pipelines.flatMap(\.exporters)) {
      guard let node = plan.nodes[id] else { continue }
      let place = kept.ports[id]
      let port = place ?? ExporterPort(ledger: parts.ledger)
      exporters.append(
        try kept.exporters[id] ?? maker.exporter(node, at: port, isSuccessor: place != nil))
    }
    let requests = parts.memory.requests
    for id in plan.pipelines.flatMap(\.receivers) {
      gates[id] = [{ requests.isExhausted ? "too many request bytes are under way, try again later" : nil }]
    }
    try join(kept, maker, parts)
    for id in Self.ordered(plan.pipelines.flatMap(\.receivers)) {
      guard let node = plan.nodes[id] else { continue }
      receivers.append(
        try kept.receivers[id] ?? maker.receiver(node, gate: IntakeGate(gates[id] ?? [])))
    }
  }

  /// What a new graph takes over from a running one.
  private struct Kept {
    var extensions: [ComponentID: ExtensionNode] = [:]
    var exporters: [ComponentID: ExporterInstance] = [:]
    /// Of every exporter that was there: the place stays also where the instance does not.
    var ports: [ComponentID: ExporterPort] = [:]
    var receivers: [ComponentID: ReceiverNode] = [:]
    var buffers: [ProcessorPlace: BufferNode] = [:]
    var inline: [ProcessorPlace: any InlineProcessor] = [:]
    var prepared: [ProcessorPlace: PreparedNode] = [:]

    init() {}

    init(_ graph: Graph, _ difference: PlanDifference) {
      for entry in graph.extensions where difference.kept.contains(entry.id) { extensions[entry.id] = entry }
      for entry in graph.exporters {
        ports[entry.id] = entry.port
        if difference.kept.contains(entry.id) { exporters[entry.id] = entry }
      }
      for node in graph.receivers where difference.kept.contains(node.id) { receivers[node.id] = node }
      buffers = graph.buffers.filter { difference.keptProcessors.contains($0.key) }
      inline = graph.inline.filter { difference.keptProcessors.contains($0.key) }
      prepared = graph.prepared.filter { difference.keptProcessors.contains($0.key) }
    }
  }

  private static func ordered(_ ids: [ComponentID]) -> [ComponentID] {
    var seen = Set<ComponentID>()
    return ids.filter { seen.insert($0).inserted }
  }

  /// Joins receivers, processors and exporters of every pipeline.
  private mutating func join(_ kept: Kept, _ maker: GraphMaker, _ parts: EngineParts) throws {
    let ports = Dictionary(exporters.map { ($0.id, $0.port) }, uniquingKeysWith: { first, _ in first })
    var heads: [ComponentID: [Signal: [Route]]] = [:]
    for pipeline in plan.pipelines {
      let sinks = pipeline.exporters.compactMap { ports[$0]?.route }
      let head = try joinProcessors(pipeline, before: .fanOut(to: sinks, ledger: parts.ledger), kept, maker)
      for receiver in pipeline.receivers {
        heads[receiver, default: [:]][pipeline.signal, default: []].append(head)
      }
    }
    intakes = heads.mapValues { $0.mapValues { .fanOut(to: $0, ledger: parts.ledger) } }
  }

  /// Joins a pipeline's processors in front of `sink`; neighbouring inline ones become one stage.
  private mutating func joinProcessors(
    _ pipeline: Plan.Pipeline, before sink: Route, _ kept: Kept, _ maker: GraphMaker
  ) throws -> Route {
    var head = sink
    var stage: [(id: ComponentID, processor: any InlineProcessor)] = []
    func fuse() {
      guard !stage.isEmpty else { return }
      let inline = InlineStage(stage, signal: pipeline.signal, next: head.consumer, parts: maker.parts)
      head = Route(consumer: inline, doorways: head.doorways)
      stage = []
    }
    for id in pipeline.processors.reversed() {
      guard let planned = plan.nodes[id] else { continue }
      let place = ProcessorPlace(pipeline: pipeline.id, id: id)
      let made: GraphMaker.MadeProcessor
      if let processor = kept.inline[place] {
        made = .inline(processor)
      } else if let node = kept.buffers[place] {
        made = .buffer(node)
      } else {
        made = try maker.processor(planned, of: pipeline)
      }
      switch made {
      case .inline(let processor):
        inline[place] = processor
        if let processor = processor as? any PreparedProcessor {
          prepared[place] = kept.prepared[place] ?? PreparedNode(id, planned.declaredAt, processor)
        }
        stage.insert((id, processor), at: 0)
      case .buffer(let node):
        fuse()
        buffers[place] = node
        routes[place] = head
        head = Route(consumer: node, doorways: [node.doorway])
      }
    }
    for receiver in pipeline.receivers {
      for step in stage {
        let processor = step.processor
        gates[receiver, default: []].append { processor.refusal }
      }
    }
    fuse()
    return head
  }

  // MARK: Parts

  /// All nodes.
  var nodes: NodeSet {
    NodeSet(
      extensions: extensions, exporters: exporters, buffers: Array(buffers.values),
      prepared: Array(prepared.values), receivers: receivers)
  }

  /// The nodes that `difference` does not keep: the old ones of the graph before, the new ones of the graph after.
  func nodes(changedBy difference: PlanDifference) -> NodeSet {
    NodeSet(
      extensions: extensions.filter { !difference.kept.contains($0.id) },
      exporters: exporters.filter { !difference.kept.contains($0.id) },
      buffers: buffers.filter { !difference.keptProcessors.contains($0.key) }.map(\.value),
      prepared: prepared.filter { !difference.keptProcessors.contains($0.key) }.map(\.value),
      receivers: receivers.filter { !difference.kept.contains($0.id) })
  }

  /// Other instances of `nodes`, with the same settings and ways, in place of those that were stopped.
  mutating func renew(
    _ nodes: NodeSet, parts: EngineParts, logger: Logger, health: any HealthSource
  ) throws -> NodeSet {
    var maker = GraphMaker(plan: plan, parts: parts, logger: logger, health: health)
    var renewed = NodeSet()
    for index in extensions.indices {
      let id = extensions[index].id
      if let node = plan.nodes[id], nodes.extensions.contains(where: { $0.id == id }) {
        extensions[index] = try maker.extension(node)
        renewed.extensions.append(extensions[index])
      } else {
        maker.extensions[id] = extensions[index].component
      }
    }
    for index in exporters.indices {
      let (id, port) = (exporters[index].id, exporters[index].port)
      guard let node = plan.nodes[id], nodes.exporters.contains(where: { $0.id == id }) else { continue }
      exporters[index] = try maker.exporter(node, at: port, isSuccessor: true)
      renewed.exporters.append(exporters[index])
    }
    for index in receivers.indices {
      let id = receivers[index].id
      guard let node = plan.nodes[id], nodes.receivers.contains(where: { $0.id == id }) else { continue }
      receivers[index] = try maker.receiver(node, gate: IntakeGate(gates[id] ?? []))
      receivers[index].connect(intakes[id] ?? [:])
      renewed.receivers.append(receivers[index])
    }
    return renewed
  }

  // MARK: Routes

  /// Lets what comes from now on go the ways of this graph, where `isChosen`.
  func connect(
    exporters isExporter: (ExporterInstance) -> Bool = { _ in true },
    buffers isBuffer: (BufferNode) -> Bool = { _ in true },
    receivers isReceiver: (ReceiverNode) -> Bool = { _ in true }
  ) {
    for entry in exporters where isExporter(entry) { entry.connect() }
    for (place, node) in buffers where isBuffer(node) {
      if let route = routes[place] { node.output.point(to: route) }
    }
    for node in receivers where isReceiver(node) {
      node.gate.replace(gates[node.id] ?? [])
      node.interest.replace(plan.wantedMetadata(behind: node.id))
      node.connect(intakes[node.id] ?? [:])
    }
  }

  /// The signals that some pipeline carries.
  var signals: [Signal] {
    Signal.allCases.filter { signal in plan.pipelines.contains { $0.signal == signal } }
  }
}

extension Route {
  /// The one route itself, or a fan-out to several.
  static func fanOut(to branches: [Route], ledger: Ledger) -> Route {
    Route(
      consumer: FanOut.to(branches.map(\.consumer), ledger: ledger), doorways: branches.flatMap(\.doorways))
  }
}
