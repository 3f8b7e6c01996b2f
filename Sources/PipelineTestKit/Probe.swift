package import ConfigSchema
package import Engine
package import PipelineKit
internal import Synchronization
package import TelemetryData

/// Both ends of a pipeline under test: a receiver to send through, and an exporter that answers as told.
///
/// A configuration names it as `probe: {probe: NAME}`, as receiver and as exporter.
package final class Probe: Sendable {
  package typealias Answer = @Sendable (Batch) async -> Outcome

  private struct State {
    var outputs = ReceiverOutputs()
    var gate: IntakeGate?
    var exported: [Batch] = []
    var attempts = 0
    var events: [String] = []
    var startError: String?
  }
  private static let registry = Mutex<[String: Probe]>([:])
  private let state = Mutex(State())
  private let answer: Answer
  package let name: String
  /// Reached when the receiver has been started.
  package let started = Milestone()

  /// - Parameter answer: What each export attempt comes to.
  package init(_ name: String, startError: String? = nil, answer: @escaping Answer = { _ in .accepted }) {
    self.name = name
    self.answer = answer
    state.withLock { $0.startError = startError }
    Self.registry.withLock { $0[name] = self }
  }

  static func named(_ name: String) throws -> Probe {
    guard let probe = registry.withLock({ $0[name] }) else {
      throw StartError("there is no probe called \(name)")
    }
    return probe
  }

  /// Batches the backend took, in order.
  package var exported: [Batch] { state.withLock { $0.exported } }
  package var exportedItems: Int { exported.reduce(0) { $0 + $1.itemCount } }
  /// How many attempts were made.
  package var attempts: Int { state.withLock { $0.attempts } }
  /// What was called, in order: `receiver start`, `exporter stop`, …
  package var events: [String] { state.withLock { $0.events } }

  /// Why the receiver should read no request at present.
  package var refusal: String? { state.withLock { $0.gate }?.refusal }

  /// Sends a batch into the pipeline, waiting for room, and waits for its outcome.
  package func send(_ batch: Batch) async -> Outcome {
    guard let output = state.withLock({ $0.outputs[batch.signal] }) else {
      return .rejected(reason: "no pipeline carries \(batch.signal.rawValue)")
    }
    return await output.deliver(batch)
  }

  /// Offers a batch as an event loop would; the outcome goes to the handler. False when the receiver is not open.
  @discardableResult
  package func offer(_ batch: Batch, metadata: RequestMetadata? = nil, handler: any OutcomeHandler) -> Bool {
    guard let output = state.withLock({ $0.outputs[batch.signal] }) else { return false }
    output.offer(Delivery(batch, metadata: metadata, handler: handler))
    return true
  }

  fileprivate func note(_ event: String) { state.withLock { $0.events.append(event) } }

  fileprivate func watch(_ gate: IntakeGate) { state.withLock { $0.gate = gate } }

  fileprivate func open(_ outputs: ReceiverOutputs) { state.withLock { $0.outputs = outputs } }

  fileprivate func failIfAsked() throws {
    if let message = state.withLock({ $0.startError }) { throw StartError(message) }
  }

  fileprivate func export(_ batch: Batch) async -> Outcome {
    state.withLock { $0.attempts += 1 }
    let outcome = await answer(batch)
    if outcome.isAccepted { state.withLock { $0.exported.append(batch) } }
    return outcome
  }
}

/// The receiving end of a ``Probe``.
package final class ProbeReceiver: Receiver {
  package struct Config: ConfigGroup {
    package var probe = ""
    package init() {}
    package static let fields: [Field<Self>] = [
      Field("probe", \.probe, "Name of the probe.", check: .nonEmpty)
    ]
  }
  package static let descriptor = ComponentDescriptor(
    type: "probe", summary: "Sends what a test tells it to.")
  private let probe: Probe
  private let gate: IntakeGate

  package init(config: Config, context: ComponentContext) throws {
    probe = try Probe.named(config.probe)
    gate = context.gate
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    try probe.failIfAsked()
    probe.watch(gate)
    probe.open(outputs)
    probe.note("receiver start")
    probe.started.reach()
  }

  package func stop() async {
    probe.note("receiver stop")
    probe.open(ReceiverOutputs())
  }
}

/// The exporting end of a ``Probe``.
package final class ProbeExporter: Exporter {
  package struct Config: ConfigGroup {
    package var probe = ""
    package var queue = QueueSettings()
    package var retry = RetrySettings()
    package var timeout: Duration = .seconds(5)
    package init() {}
    package static let fields: [Field<Self>] = [
      Field("probe", \.probe, "Name of the probe.", check: .nonEmpty),
      Field("sending_queue", \.queue, "Queue."),
      Field("retry_on_failure", \.retry, "Retries."),
      Field("timeout", \.timeout, "Time of one attempt."),
    ]
  }
  package static let descriptor = ComponentDescriptor(
    type: "probe", deprecatedTypes: ["old_probe"], summary: "Answers as a test tells it to.")
  private let probe: Probe

  package init(config: Config, context: ComponentContext) throws { probe = try Probe.named(config.probe) }

  package static func delivery(of config: Config) -> DeliverySettings {
    DeliverySettings(queue: config.queue, retry: config.retry, timeout: config.timeout)
  }

  package func start() async throws { probe.note("exporter start") }
  package func stop() async { probe.note("exporter stop") }
  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    await probe.export(batch)
  }
}

/// An inline processor for tests: drops every other item, or everything.
package final class ThinningProcessor: InlineProcessor {
  package struct Config: ConfigGroup {
    package var keepEvery = 2
    package init() {}
    package static let fields: [Field<Self>] = [
      Field("keep_every", \.keepEvery, "Keep each n-th item; 0 keeps none.", check: .atLeast(0))
    ]
  }
  package static let descriptor = ComponentDescriptor(type: "thinning", summary: "Keeps each n-th item.")
  private let keepEvery: Int

  package init(config: Config, context: ComponentContext) { keepEvery = config.keepEvery }

  package func process(_ batch: Batch) -> Batch? {
    keepEvery == 0 ? nil : batch.selecting { $0 % keepEvery == 0 }
  }
}

extension Catalog {
  /// The test components, added to `others`.
  package static func testing(
    receivers: [any Receiver.Type] = [], processors: [any Component.Type] = [],
    exporters: [any Component.Type] = [], extensions: [any ServiceExtension.Type] = []
  ) -> Catalog {
    Catalog(
      receivers: receivers + [ProbeReceiver.self], processors: processors + [ThinningProcessor.self],
      exporters: exporters + [ProbeExporter.self], extensions: extensions)
  }
}
