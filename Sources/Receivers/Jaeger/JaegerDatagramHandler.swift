internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// Makes batches of the datagrams that Jaeger's clients send to an agent.
///
/// Whoever sends datagrams cannot be slowed down: what comes while as much is under way as may be is dropped and counted.
final class JaegerDatagramHandler: DatagramHandler {
  /// Spans and bytes that are gathered at most before they go on.
  private static let mostSpans = 8192
  private static let mostBytes = 1 << 20

  private struct Gathered: Sendable {
    var batches: [Batch] = []
    var spans = 0
    var bytes = 0
    /// Datagrams whose spans are in the batches.
    var datagrams = 0

    mutating func add(_ batch: Batch, datagrams: Int) {
      batches.append(batch)
      spans += batch.itemCount
      bytes += batch.byteCount
      self.datagrams += datagrams
    }
  }

  /// How many datagrams are in the pipelines, and who waits for none to be.
  private struct Flow {
    var datagrams = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let message: JaegerMessage
  private let maxPacketSize: Int
  private let queueSize: Int
  private let consumer: any Consumer
  private let context: ComponentContext
  private let intake: TraceIntake
  private let dropped: SelfMetricCell
  private let kernelDrops: SelfMetricCell
  private let full: RateLimitedLog
  private let overflows: RateLimitedLog
  private let refusals: RateLimitedLog
  private let gathered = Mutex(Gathered())
  private let flow = Mutex(Flow())

  init(
    _ message: JaegerMessage, _ settings: JaegerReceiverConfig.DatagramProtocol, consumer: any Consumer,
    context: ComponentContext, transport: String
  ) {
    self.message = message
    maxPacketSize = settings.maxPacketSize
    queueSize = settings.queueSize
    self.consumer = consumer
    self.context = context
    intake = TraceIntake(context: context, transport: transport)
    let labels = [(name: "receiver", value: context.id.description), (name: "transport", value: transport)]
    dropped = context.metrics.counter(
      "millrace_receiver_dropped_datagrams",
      help: "Datagrams that came while as many were on their way through the pipelines as may be.",
      labels: labels)
    kernelDrops = context.metrics.counter(
      "millrace_receiver_kernel_drops",
      help: "Datagrams that the kernel dropped because its buffer for the socket was full.", labels: labels)
    full = RateLimitedLog(context.logger, clock: context.clock)
    overflows = RateLimitedLog(context.logger, clock: context.clock)
    refusals = RateLimitedLog(context.logger, clock: context.clock)
  }

  func received(_ datagrams: borrowing DatagramBatch, reader: Int) {
    let room = queueSize - flow.withLock { $0.datagrams } - gathered.withLock { $0.datagrams }
    let assembly = SpanAssembly(capacity: 1 << 16)
    var taken = 0
    for index in 0..<datagrams.count {
      if taken >= room {
        drop(datagrams.count - index)
        break
      }
      if read(datagrams, index, into: assembly) { taken += 1 }
    }
    guard assembly.spanCount > 0, let batch = try? assembly.finish() else { return }
    let ready = gathered.withLock { gathered in
      gathered.add(batch, datagrams: taken)
      let isFull =
        gathered.spans >= Self.mostSpans || gathered.bytes >= Self.mostBytes || taken >= room
      return isFull ? Self.take(&gathered) : nil
    }
    if let ready { send(ready) }
  }

  func gathered(reader: Int) {
    if let ready = gathered.withLock({ Self.take(&$0) }) { send(ready) }
  }

  func overflowed(_ count: Int) {
    kernelDrops.add(count)
    overflows.log(
      .warning, "the kernel dropped datagrams: its buffer for the socket was full",
      metadata: ["datagrams": "\(count)"])
  }

  /// Sends on what has been read, and returns when all of it has been taken or given up.
  func finish() async {
    gathered(reader: 0)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = flow.withLock { flow in
          if flow.datagrams == 0 || Task.isCancelled { return true }
          flow.waiters.append(continuation)
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
  }

  private func wake() {
    let waiters = flow.withLock { flow in
      defer { flow.waiters = [] }
      return flow.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func drop(_ count: Int) {
    dropped.add(count)
    full.log(
      .warning, "datagrams are dropped, since as many as `queue_size` are on their way",
      metadata: ["datagrams": "\(count)"])
  }

  /// Adds the spans of a datagram; false when there is none.
  private func read(
    _ datagrams: borrowing DatagramBatch, _ index: Int, into assembly: SpanAssembly
  ) -> Bool {
    let datagram = datagrams[index]
    func peer() -> String {
      let peer = datagrams.peer(index)
      return HostPort(host: peer.host, port: peer.port).description
    }
    let before = assembly.spanCount
    do throws(TraceFormatError) {
      if datagram.count > maxPacketSize || datagrams.isCut(index) {
        throw TraceFormatError.tooLong(maxPacketSize)
      }
      let faults = try JaegerReader.add(message, datagram, to: assembly)
      if faults.total > 0 { intake.record(faults, peer: peer()) }
    } catch {
      intake.record(error, peer: peer())
    }
    return assembly.spanCount > before
  }

  private static func take(_ gathered: inout Gathered) -> (batch: Batch, datagrams: Int)? {
    defer { gathered = Gathered() }
    // Far from the 4 GiB that would be too large.
    guard !gathered.batches.isEmpty, let batch = try? Batch.merging(gathered.batches, signal: .traces) else {
      return nil
    }
    return (batch, gathered.datagrams)
  }

  private func send(_ ready: (batch: Batch, datagrams: Int)) {
    flow.withLock { $0.datagrams += ready.datagrams }
    consumer.offer(Delivery(ready.batch, handler: Answer(self, ready)))
  }

  private func resolved(_ spans: Int, _ datagrams: Int, _ outcome: Outcome) {
    if case .refused(let reason, _) = outcome {
      // The refusal has closed the account of these spans; since nobody will send them again, they are dropped.
      context.ledger.record(.received, spans, signal: .traces, reason: context.id.description)
      context.ledger.record(.dropped, spans, signal: .traces, reason: "datagrams_refused")
      refusals.log(
        .error, "spans from datagrams are lost, since they were refused",
        metadata: ["spans": "\(spans)", "reason": "\(reason)"])
    }
    let isDone = flow.withLock { flow in
      flow.datagrams -= datagrams
      return flow.datagrams == 0
    }
    if isDone { wake() }
  }

  private final class Answer: OutcomeHandler {
    private let handler: JaegerDatagramHandler
    private let spans: Int
    private let datagrams: Int

    init(_ handler: JaegerDatagramHandler, _ ready: (batch: Batch, datagrams: Int)) {
      self.handler = handler
      spans = ready.batch.itemCount
      datagrams = ready.datagrams
    }

    func resolved(_ outcome: Outcome) { handler.resolved(spans, datagrams, outcome) }
  }
}
