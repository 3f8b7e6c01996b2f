import Logging
import PipelineKit
import TelemetryData

/// The processors between two channels, called one after the other on the sender's thread.
final class InlineStage: Consumer {
  private struct Step: Sendable {
    /// A processor, or several that are fused into one.
    var processor: any InlineProcessor
    /// The first of them.
    let id: ComponentID
    let refusals: StageRefusals
    var incoming: [SelfMetricCell]
    var outgoing: [SelfMetricCell]
  }
  private let steps: [Step]
  private let next: any Consumer
  private let ledger: Ledger

  init(
    _ processors: [(id: ComponentID, processor: any InlineProcessor)], signal: Signal, next: any Consumer,
    parts: EngineParts
  ) {
    self.next = next
    ledger = parts.ledger
    var steps: [Step] = []
    for (id, processor) in processors {
      let incoming = parts.processorItems("incoming", id: id, signal: signal)
      let outgoing = parts.processorItems("outgoing", id: id, signal: signal)
      if let last = steps.indices.last, let fused = steps[last].processor.fused(with: processor) {
        steps[last].processor = fused
        steps[last].incoming.append(incoming)
        steps[last].outgoing.append(outgoing)
      } else {
        steps.append(
          Step(
            processor: processor, id: id, refusals: StageRefusals(id, parts: parts), incoming: [incoming],
            outgoing: [outgoing]))
      }
    }
    self.steps = steps
  }

  /// What the steps leave of the batch, with removed items booked; nil when nothing is left.
  private func run(_ batch: Batch, _ metadata: RequestMetadata?) -> Batch? {
    var current = batch
    for step in steps {
      for cell in step.incoming { cell.add(current.itemCount) }
      let result = step.processor.process(current, metadata: metadata)
      let removed = current.itemCount - (result?.itemCount ?? 0)
      if removed < 0 {
        ledger.record(.copied, -removed, signal: batch.signal, reason: step.id.description)
      } else {
        ledger.record(step.processor.removal, removed, signal: batch.signal, reason: step.id.description)
      }
      guard let result, result.itemCount > 0 else { return nil }
      for cell in step.outgoing { cell.add(result.itemCount) }
      current = result
    }
    return current
  }

  /// Why one of the steps takes nothing at present; booked as its refusal.
  private func refusal(of batch: Batch, isAwaited: Bool) -> String? {
    for step in steps {
      guard let reason = step.processor.refusal else { continue }
      step.refusals.refused(batch, isAwaited: isAwaited)
      return reason
    }
    return nil
  }

  func offer(_ delivery: consuming Delivery) {
    if let reason = refusal(of: delivery.batch, isAwaited: delivery.completion.isAwaited) {
      delivery.resolve(.refused(reason: reason, after: StageRefusals.delay))
    } else if let batch = run(delivery.batch, delivery.metadata) {
      next.offer(delivery.replacing(batch))
    } else {
      delivery.resolve(.accepted)
    }
  }

  func send(_ delivery: consuming Delivery) async {
    if let reason = refusal(of: delivery.batch, isAwaited: delivery.completion.isAwaited) {
      delivery.resolve(.refused(reason: reason, after: StageRefusals.delay))
    } else if let batch = run(delivery.batch, delivery.metadata) {
      await next.send(delivery.replacing(batch))
    } else {
      delivery.resolve(.accepted)
    }
  }
}

/// Gives every branch the same bytes; the sender hears the worst outcome.
final class FanOut: Consumer {
  private let branches: [any Consumer]
  private let ledger: Ledger

  private init(_ branches: [any Consumer], ledger: Ledger) {
    self.branches = branches
    self.ledger = ledger
  }

  /// The one branch itself, or a fan-out to several.
  static func to(_ branches: [any Consumer], ledger: Ledger) -> any Consumer {
    branches.count == 1 ? branches[0] : FanOut(branches, ledger: ledger)
  }

  private func copies(of delivery: consuming Delivery) -> [Branch] {
    let batch = delivery.batch
    let metadata = delivery.metadata
    ledger.record(.copied, batch.itemCount * (branches.count - 1), signal: batch.signal)
    return delivery.copies(branches.count).map { Branch(batch: batch, metadata: metadata, completion: $0) }
  }

  func offer(_ delivery: consuming Delivery) {
    for (branch, copy) in zip(branches, copies(of: delivery)) { branch.offer(copy.delivery) }
  }

  func send(_ delivery: consuming Delivery) async {
    for (branch, copy) in zip(branches, copies(of: delivery)) { await branch.send(copy.delivery) }
  }

  /// The ingredients of a delivery, in a form that an array can hold.
  private struct Branch {
    let batch: Batch
    let metadata: RequestMetadata?
    let completion: Completion
    var delivery: Delivery { Delivery(batch, metadata: metadata, completion: completion) }
  }
}

/// The edge between a receiver and its pipelines: books what comes in and what its senders are told.
final class ReceiverEdge: Consumer, TransportLabelling {
  private let id: ComponentID
  private let signal: Signal
  private let next: any Consumer
  private let parts: EngineParts
  private let received: SelfMetricCell
  private let accepted: SelfMetricCell
  private let refused: SelfMetricCell

  init(_ id: ComponentID, signal: Signal, transport: String = "", next: any Consumer, parts: EngineParts) {
    self.id = id
    self.signal = signal
    self.next = next
    self.parts = parts
    received = parts.ledger.cell(.received, signal: signal, reason: id.description)
    let labels = [(name: "receiver", value: id.description), (name: "transport", value: transport)]
    accepted = parts.metrics.counter(
      "otelcol_receiver_accepted_\(signal.itemNoun)", help: "Items taken from senders.", labels: labels)
    refused = parts.metrics.counter(
      "otelcol_receiver_refused_\(signal.itemNoun)",
      help: "Items that their senders were told are not taken.",
      labels: labels)
  }

  func labelled(transport: String) -> any Consumer {
    ReceiverEdge(id, signal: signal, transport: transport, next: next, parts: parts)
  }

  private func metered(_ delivery: consuming Delivery) -> Delivery {
    let batch = delivery.batch
    let metadata = delivery.metadata
    received.add(batch.itemCount)
    let meter = Meter(edge: self, upstream: delivery.completion, items: batch.itemCount)
    return Delivery(batch, metadata: metadata, completion: Completion(meter, isAwaited: true))
  }

  func offer(_ delivery: consuming Delivery) { next.offer(metered(delivery)) }
  func send(_ delivery: consuming Delivery) async { await next.send(metered(delivery)) }

  private final class Meter: OutcomeHandler {
    let edge: ReceiverEdge
    let upstream: Completion
    let items: Int

    init(edge: ReceiverEdge, upstream: Completion, items: Int) {
      self.edge = edge
      self.upstream = upstream
      self.items = items
    }

    func resolved(_ outcome: Outcome) {
      switch outcome {
      case .accepted: edge.accepted.add(items)
      case .partial(let rejected, _):
        edge.accepted.add(items - rejected)
        edge.refused.add(rejected)
      case .refused, .rejected: edge.refused.add(items)
      }
      upstream.resolve(outcome)
    }
  }
}

/// An exporter that is done when it returns: called on the sender's thread.
final class InlineExporterNode: Consumer {
  private let exporter: any InlineExporter
  private let books: ExporterBooks

  init(_ id: ComponentID, _ exporter: any InlineExporter, parts: EngineParts) {
    self.exporter = exporter
    books = ExporterBooks(id, parts: parts)
  }

  func offer(_ delivery: consuming Delivery) {
    let outcome = exporter.export(delivery.batch).bounded(to: delivery.batch.itemCount)
    books.ended(
      delivery.batch, outcome, awaited: delivery.completion.isAwaited, giveUpReason: "exporter_refused")
    delivery.resolve(outcome)
  }

  func send(_ delivery: consuming Delivery) async { offer(delivery) }
}
