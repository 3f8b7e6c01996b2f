public import ConfigSchema
public import Logging
import Synchronization
public import TelemetryData

/// The five kinds of component, named as their sections in the YAML.
public enum ComponentKind: String, Sendable, CaseIterable {
  case receiver, processor, exporter, connector
  case `extension`

  /// The top-level section that declares components of this kind.
  public var section: String { rawValue + "s" }
}

/// `type` or `type/name`, as written in the YAML, with the type's current spelling.
public struct ComponentID: Sendable, Hashable, CustomStringConvertible {
  public let kind: ComponentKind
  public let type: String
  public let name: String

  public init(kind: ComponentKind, type: String, name: String = "") {
    self.kind = kind
    self.type = type
    self.name = name
  }

  public var description: String { name.isEmpty ? type : "\(type)/\(name)" }
}

/// What the catalog knows of a component type without making one.
public struct ComponentDescriptor: Sendable {
  /// The YAML name.
  public let type: String
  /// Older spellings that still load, with a note.
  public let deprecatedTypes: [String]
  /// The signals it can carry; empty for extensions.
  public let signals: [Signal]
  /// One sentence for lists.
  public let summary: String

  public init(
    type: String, deprecatedTypes: [String] = [], signals: [Signal] = Signal.allCases, summary: String
  ) {
    self.type = type
    self.deprecatedTypes = deprecatedTypes
    self.signals = signals
    self.summary = summary
  }
}

/// Something a pipeline is made of. The metatype is the factory.
///
/// - Important: `init` does no I/O and starts nothing; that is `start`'s work. `check` makes no instances at all.
public protocol Component: Sendable {
  associatedtype Config: ConfigGroup
  static var descriptor: ComponentDescriptor { get }
  /// What is wrong with a configuration that is right by itself, for a component that carries `signals`; nil when
  /// nothing is. Part of the plan: pure.
  static func problem(of config: Config, carrying signals: [Signal]) -> String?
  /// What the plan must know of a component with this configuration before there is one. Pure.
  static func traits(of config: Config) -> ComponentTraits
  init(config: Config, context: ComponentContext) throws
}

extension Component {
  public static func problem(of config: Config, carrying signals: [Signal]) -> String? { nil }
  public static func traits(of config: Config) -> ComponentTraits { ComponentTraits() }
}

/// What the plan knows of a component without making one.
public struct ComponentTraits: Sendable {
  /// What an extension can be used for, see ``ExtensionRole``.
  public var roles: [String]
  /// How an exporter is fed; nil for other kinds, and for exporters that are done when they return.
  public var delivery: DeliverySettings?
  /// Whether a processor holds items back in memory, and when their senders are answered.
  public var buffering: Buffering
  /// Whether a processor refuses what comes in (`memory_limiter`), so that it should be the first of its pipelines.
  public var guardsIntake: Bool
  /// What users must know when they rely on it, for explanations of a configuration: a clause without a full stop.
  public var note: String?
  /// Whether two instances must not run at the same time, because both would write to the same file or serve the same
  /// address: a successor is then started only once its predecessor has stopped.
  public var isExclusive = false
  /// Whether a receiver comes to an end by itself: when its `run` has returned, all there was to receive is delivered.
  /// The collector ends once that holds for all of its receivers.
  public var isFinite = false
  /// Which metadata of requests goes on with the data behind a receiver or a processor.
  public var passedMetadata = MetadataPassage.all
  /// The keys of request metadata that it works with, in any case of letters.
  public var wantedMetadata: [String] = []
  /// What a receiver, or an extension that it works with, can tell of the clients of requests: keys of metadata that are
  /// no headers, see ``RequestInterest``.
  public var toldMetadata: [String] = []

  /// What of the metadata of requests stays with their data.
  public enum MetadataPassage: Sendable {
    case all, none
    /// The keys, in any case of letters.
    case only([String])

    /// Whether the value of `key` stays.
    public func includes(_ key: String) -> Bool {
      switch self {
      case .all: true
      case .none: false
      case .only(let keys): keys.contains { $0.lowercased() == key.lowercased() }
      }
    }
  }

  /// What was read together with the section, such as the texts of files that it names: a reload replaces a component
  /// whose section reads the same when these do not.
  public var inputs: [String] = []

  /// How a processor that holds items back answers their senders.
  public enum Buffering: Sendable {
    /// It holds nothing back.
    case none
    /// On intake; where ``ComponentContext/holdsCompletions`` is set, once what follows has taken the items.
    case untilTaken
    /// On intake, whatever follows.
    case answersEarly
  }

  public init(
    roles: [String] = [], delivery: DeliverySettings? = nil, buffering: Buffering = .none,
    guardsIntake: Bool = false, note: String? = nil
  ) {
    self.roles = roles
    self.delivery = delivery
    self.buffering = buffering
    self.guardsIntake = guardsIntake
    self.note = note
  }
}

/// Brings telemetry in: one instance serves every signal and pipeline that names it.
public protocol Receiver: Component {
  /// Opens sockets or files; throws with a message that names the address. Returns once it takes data.
  ///
  /// A start that threw has left nothing open, and may be tried again.
  func start(_ outputs: ReceiverOutputs) async throws
  /// Works until ``stop()``; for receivers that only answer callbacks there is nothing to do.
  func run() async throws
  /// Takes nothing new, answers what is under way, and closes. Called once, after `start` succeeded.
  func stop() async
}

extension Receiver {
  public func run() async throws {}
}

/// Where a receiver sends each signal; nil where no pipeline of that signal names it.
public struct ReceiverOutputs: Sendable {
  public var traces: (any Consumer)?
  public var metrics: (any Consumer)?
  public var logs: (any Consumer)?

  public init(
    traces: (any Consumer)? = nil, metrics: (any Consumer)? = nil, logs: (any Consumer)? = nil
  ) {
    self.traces = traces
    self.metrics = metrics
    self.logs = logs
  }

  /// Where a receiver sends what came over one of several transports (`grpc`, `http`), so that self-metrics tell
  /// them apart; nil where no pipeline carries the signal.
  public func consumer(_ signal: Signal, transport: String) -> (any Consumer)? {
    let consumer = self[signal]
    return (consumer as? any TransportLabelling)?.labelled(transport: transport) ?? consumer
  }

  public subscript(signal: Signal) -> (any Consumer)? {
    get {
      switch signal {
      case .traces: traces
      case .metrics: metrics
      case .logs: logs
      }
    }
    set {
      switch signal {
      case .traces: traces = newValue
      case .metrics: metrics = newValue
      case .logs: logs = newValue
      }
    }
  }
}

/// A consumer whose meters can be split by transport.
public protocol TransportLabelling {
  func labelled(transport: String) -> any Consumer
}

/// Changes, filters or samples batches one by one, without state across them: called inline and fused.
public protocol InlineProcessor: Component {
  /// How removed items are booked: `filtered` or `sampled`.
  var removal: LedgerState { get }
  /// Why nothing can be taken at present; nil when it can. Asked before ``process(_:)``, and by receivers before they
  /// read a request, so it must cost next to nothing.
  var refusal: String? { get }
  /// The batch that goes on; nil when nothing of it is left. Must not block.
  func process(_ batch: Batch) -> Batch?
  /// The same, for processors that use what is known of the request which brought the batch.
  func process(_ batch: Batch, metadata: RequestMetadata?) -> Batch?
  /// One processor that does in one pass what this one and then `next` do, neither of which adds or removes items; nil
  /// when there is none.
  func fused(with next: any InlineProcessor) -> (any InlineProcessor)?
}

extension InlineProcessor {
  public func process(_ batch: Batch, metadata: RequestMetadata?) -> Batch? { process(batch) }
  public func fused(with next: any InlineProcessor) -> (any InlineProcessor)? { nil }
  public var removal: LedgerState { .filtered }
  public var refusal: String? { nil }
}

/// An inline processor that has something to find out before the first batch comes, and perhaps later again.
public protocol PreparedProcessor: InlineProcessor {
  /// Finds out what it needs before any receiver starts; throws when the collector should not run without.
  func start() async throws
  /// Works beside the batches until ``stop()`` or cancellation.
  func run() async
  /// Ends ``run()``; batches that are under way still come. Called once, after `start` succeeded.
  func stop() async
}

extension PreparedProcessor {
  public func run() async {}
  public func stop() async {}
}

/// Holds items back across batches (batch, tail sampling): runs as a task behind a channel of its own.
public protocol BufferingProcessor: Component {
  /// Whether senders may be told `accepted` as soon as a delivery is in the channel in front: the node then never
  /// refuses what it reads.
  var answersOnIntake: Bool { get }
  /// Reads until the intake is closed, then flushes what it holds and returns.
  func run(intake: any Intake, output: any Consumer) async
}

extension BufferingProcessor {
  public static func traits(of config: Config) -> ComponentTraits { ComponentTraits(buffering: .untilTaken) }
}

/// Delivers telemetry; the engine adds queue, retries and timeout around it.
public protocol Exporter: Component {
  /// Queue, retries and timeout as configured.
  static func delivery(of config: Config) -> DeliverySettings
  /// Opens what it needs; an unreachable backend is no reason to fail.
  func start() async throws
  /// Tries once to deliver `batch`; never throws, always says what happened. Cancelled when the timeout passes.
  func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome
  /// The items of a batch that ended otherwise than its outcome says; the rest ended as the outcome says.
  ///
  /// Asked once when the outcome of a batch is final, and when a batch that was refused is given up: an exporter that
  /// sends a batch in parts says here what became of them, and forgets the batch.
  func endedItems(of batch: Batch) -> [EndedItems]
  /// Flushes and closes; no export is under way any more.
  func stop() async
}

/// Items of a batch that ended in a way of their own.
public struct EndedItems: Sendable, Hashable {
  /// `delivered`, `rejected` or `dropped`.
  public var state: LedgerState
  /// A short constant, see ``Ledger/record(_:_:signal:reason:)``; empty for the exporter's own id.
  public var reason: String
  public var items: Int

  public init(_ state: LedgerState, reason: String, items: Int) {
    self.state = state
    self.reason = reason
    self.items = items
  }
}

extension Exporter {
  public func endedItems(of batch: Batch) -> [EndedItems] { [] }
  public static func traits(of config: Config) -> ComponentTraits {
    ComponentTraits(delivery: delivery(of: config))
  }
  public func start() async throws {}
  public func stop() async {}
}

/// An exporter that is done as soon as it is called (debug, nop): no queue, no task, no waiting.
public protocol InlineExporter: Component {
  func start() async throws
  /// Delivers `batch` at once. Must not block.
  func export(_ batch: Batch) -> Outcome
  func stop() async
}

extension InlineExporter {
  public func start() async throws {}
  public func stop() async {}
}

/// Serves the process rather than a pipeline, such as `health_check`.
public protocol ServiceExtension: Component {
  func start() async throws
  func stop() async
}

/// What the engine gives each component.
public struct ComponentContext: Sendable {
  public let id: ComponentID
  /// Where the YAML declares it, `file:line`, for messages about its addresses and files.
  public let declaredAt: String
  /// Signals of the pipelines that name it.
  public let signals: [Signal]
  public let logger: Logger
  public let clock: any PipelineClock
  public let randomness: any Randomness
  public let ledger: Ledger
  public let metrics: SelfMetrics
  public let health: any HealthSource
  public let control: any CollectorControl
  /// Whether senders' answers wait for the backend where a node would otherwise answer on intake.
  public let holdsCompletions: Bool
  /// The extensions that the configuration names.
  public let extensions: ExtensionDirectory
  /// For receivers: whether anything can be taken at present.
  public let gate: IntakeGate
  /// For receivers: what has to come along with the data of a request besides its headers.
  public let interest: RequestInterest
  /// Whether it takes the place of an instance of the same id while the collector runs: files are then continued.
  public let isSuccessor: Bool
  /// The memory of the whole process.
  public let memory: ProcessMemory

  public init(
    id: ComponentID, declaredAt: String, signals: [Signal], logger: Logger, clock: any PipelineClock,
    randomness: any Randomness, ledger: Ledger, metrics: SelfMetrics, health: any HealthSource,
    control: any CollectorControl = NoControl(),
    holdsCompletions: Bool = false, extensions: ExtensionDirectory = ExtensionDirectory(),
    gate: IntakeGate = IntakeGate(), interest: RequestInterest = RequestInterest(), isSuccessor: Bool = false,
    memory: ProcessMemory = ProcessMemory()
  ) {
    self.id = id
    self.declaredAt = declaredAt
    self.signals = signals
    self.logger = logger
    self.clock = clock
    self.randomness = randomness
    self.ledger = ledger
    self.metrics = metrics
    self.health = health
    self.control = control
    self.holdsCompletions = holdsCompletions
    self.extensions = extensions
    self.gate = gate
    self.interest = interest
    self.isSuccessor = isSuccessor
    self.memory = memory
  }
}

/// The running extensions, by the ids that a component's configuration names them with.
public struct ExtensionDirectory: Sendable {
  private let entries: [String: any ServiceExtension]

  public init(_ entries: [String: any ServiceExtension] = [:]) { self.entries = entries }

  /// The extension that `reference` names, as the type its role needs.
  ///
  /// - Throws: a ``StartError`` when it is none of that type; the plan has checked roles, so that is a defect.
  public func find<Role: ExtensionRole, Service>(
    _ reference: ExtensionReference<Role>, as type: Service.Type = Service.self
  ) throws -> Service {
    guard let found = entries[reference.id] as? Service else {
      throw StartError("extension \"\(reference.id)\" cannot be used for \(Role.name)")
    }
    return found
  }
}

/// Whether a receiver can take anything at present, asked before it reads a request.
///
/// Closed by processors behind the receiver that refuse (`memory_limiter`), and by the limits of the whole process.
public final class IntakeGate: Sendable {
  public typealias Check = @Sendable () -> String?
  private let checks: Mutex<[Check]>

  public init(_ checks: [Check] = []) { self.checks = Mutex(checks) }

  /// Replaces what is asked, when the pipelines behind the receiver change.
  public func replace(_ checks: [Check]) { self.checks.withLock { $0 = checks } }

  /// Why nothing can be taken now, for the sender to read; nil when it can.
  public var refusal: String? {
    for check in checks.withLock({ $0 }) {
      if let reason = check() { return reason }
    }
    return nil
  }
}

/// The state of the whole collector, as load balancers and orchestrators ask for it.
public enum Health: String, Sendable { case starting, ready, stopping }

/// Tells the collector's present state.
public protocol HealthSource: Sendable {
  var health: Health { get }
  /// When the collector started, in nanoseconds since the Unix epoch.
  var startedAt: UInt64 { get }
}

/// What an operator can ask of the running collector.
public protocol CollectorControl: Sendable {
  /// Reads the configuration again and goes over to it; `answer` is called once, on any thread.
  func reload(_ answer: @escaping @Sendable (ReloadAnswer) -> Void)
}

/// What came of a reload that was asked for.
public enum ReloadAnswer: Sendable {
  case done(ReloadSummary)
  /// The configuration is wrong: every finding, with its line.
  case invalid(String)
  /// A component could not be started; the earlier configuration goes on.
  case failed(String)
  /// The collector is stopping.
  case stopping
}

/// What a reload did, by the names of components.
public struct ReloadSummary: Sendable, Hashable {
  public var kept: [String] = []
  public var replaced: [String] = []
  public var added: [String] = []
  public var removed: [String] = []

  public init() {}
}

/// A collector that cannot be asked for anything.
public struct NoControl: CollectorControl {
  public init() {}
  public func reload(_ answer: @escaping @Sendable (ReloadAnswer) -> Void) { answer(.stopping) }
}

/// An error that may be there only because another instance has not given something up yet.
public protocol InUseError: Error {
  /// Whether an address or a file is in use.
  var isInUse: Bool { get }
}

/// A component could not start: what it was doing and what to do about it.
public struct StartError: InUseError, CustomStringConvertible {
  public let message: String
  public let help: String?
  /// Whether an address or a file is in use, so that it helps when another instance gives it up.
  public let isInUse: Bool
  public init(_ message: String, help: String? = nil, isInUse: Bool = false) {
    self.message = message
    self.help = help
    self.isInUse = isInUse
  }
  public var description: String { help.map { "\(message); \($0)" } ?? message }
}
