import Logging
import PipelineKit
import TelemetryData

/// Makes components with what the plan and the engine know.
struct GraphMaker {
  let plan: Plan
  let parts: EngineParts
  let logger: Logger
  let health: any HealthSource
  var extensions: [ComponentID: any ServiceExtension] = [:]

  /// The plan named a component of another kind: a defect of the catalog.
  struct WrongKind: Error, CustomStringConvertible {
    let id: ComponentID
    var description: String { "\(id) is listed as a \(id.kind.rawValue) but is none" }
  }

  private func make(
    _ node: Plan.Node, signals: [Signal]? = nil, ledger: Ledger? = nil, gate: IntakeGate = IntakeGate(),
    interest: RequestInterest = RequestInterest(), holdsCompletions: Bool = false, isSuccessor: Bool = false
  ) throws -> any Component {
    let context = ComponentContext(
      id: node.id, declaredAt: node.declaredAt, signals: signals ?? node.signals,
      logger: logger(for: node.id),
      clock: parts.clock, randomness: parts.randomness, ledger: ledger ?? parts.ledger,
      metrics: parts.metrics, health: health, control: parts.control, holdsCompletions: holdsCompletions,
      extensions: directory(of: node), gate: gate, interest: interest, isSuccessor: isSuccessor,
      memory: parts.memory)
    do { return try node.component.make(context) } catch {
      throw ComponentFailure(node.id, node.declaredAt, error)
    }
  }

  /// Where the exporter's queue is kept; nil keeps it in memory.
  private func storage(of node: Plan.Node, _ settings: DeliverySettings) throws -> (any StorageProvider)? {
    guard settings.isDurable, let name = settings.queue?.storage else { return nil }
    return try directory(of: node).find(name, as: (any StorageProvider).self)
  }

  private func directory(of node: Plan.Node) -> ExtensionDirectory {
    ExtensionDirectory(node.extensions.compactMapValues { extensions[$0] })
  }

  private func logger(for id: ComponentID) -> Logger {
    var logger = logger
    logger[metadataKey: "kind"] = "\(id.kind.rawValue)"
    logger[metadataKey: "name"] = "\(id)"
    return logger
  }

  mutating func `extension`(_ node: Plan.Node) throws -> ExtensionNode {
    guard let component = try make(node) as? any ServiceExtension else { throw WrongKind(id: node.id) }
    extensions[node.id] = component
    return ExtensionNode(node.id, node.declaredAt, component)
  }

  func exporter(
    _ node: Plan.Node, at port: ExporterPort, isSuccessor: Bool
  ) throws -> ExporterInstance {
    let component = try make(node, isSuccessor: isSuccessor)
    if let exporter = component as? any Exporter {
      let settings = node.component.traits.delivery ?? DeliverySettings()
      let engineNode = ExporterNode(
        node.id, exporter, settings, logger: logger(for: node.id), parts: parts,
        storage: try storage(of: node, settings), holdsCompletions: plan.isAtLeastOnce)
      return ExporterInstance(
        node.id, node.declaredAt, at: port, node: engineNode, consumer: engineNode,
        life: .init(start: { try await exporter.start() }, stop: { await exporter.stop() }))
    }
    guard let exporter = component as? any InlineExporter else { throw WrongKind(id: node.id) }
    return ExporterInstance(
      node.id, node.declaredAt, at: port, node: nil,
      consumer: InlineExporterNode(node.id, exporter, parts: parts),
      life: .init(start: { try await exporter.start() }, stop: { await exporter.stop() }))
  }

  enum MadeProcessor {
    case inline(any InlineProcessor)
    case buffer(BufferNode)
  }

  func processor(_ node: Plan.Node, of pipeline: Plan.Pipeline) throws -> MadeProcessor {
    let ledger = Ledger(within: parts.ledger)
    let component = try make(
      node, signals: [pipeline.signal], ledger: ledger, holdsCompletions: plan.holdsCompletions(pipeline))
    if let processor = component as? any InlineProcessor { return .inline(processor) }
    guard let processor = component as? any BufferingProcessor else { throw WrongKind(id: node.id) }
    return .buffer(
      BufferNode(
        node.id, processor, signal: pipeline.signal, ledger: ledger, logger: logger(for: node.id),
        parts: parts))
  }

  func receiver(_ node: Plan.Node, gate: IntakeGate) throws -> ReceiverNode {
    let interest = RequestInterest(plan.wantedMetadata(behind: node.id))
    guard let receiver = try make(node, gate: gate, interest: interest) as? any Receiver else {
      throw WrongKind(id: node.id)
    }
    return ReceiverNode(
      node.id, node.declaredAt, receiver, gate: gate, interest: interest, signals: node.signals,
      isFinite: node.component.traits.isFinite, parts: parts)
  }
}
