import ConfigSchema
package import PipelineKit

extension Plan {
  /// Whether the processors of a pipeline hold their senders' answers until what follows has taken the items: where an
  /// exporter stores them, or delivery at least once is asked for.
  package func holdsCompletions(_ pipeline: Pipeline) -> Bool {
    isAtLeastOnce || pipeline.exporters.contains { isDurable($0) }
  }

  func isDurable(_ exporter: ComponentID) -> Bool {
    nodes[exporter]?.component.traits.delivery?.isDurable ?? false
  }

  /// Every way from a receiver to an exporter, with what it promises.
  package var deliveryPaths: [DeliveryPath] {
    pipelines.flatMap { pipeline in
      pipeline.receivers.flatMap { receiver in
        pipeline.exporters.map { DeliveryPath(self, pipeline, receiver, $0) }
      }
    }
  }
}

/// One way from a receiver to an exporter, and what holds for the data on it.
package struct DeliveryPath: Sendable {
  /// Where the data is when its sender is told that it was taken.
  package enum Taken: Sendable, Equatable {
    /// In the memory of a processor.
    case buffered(ComponentID)
    /// In the memory queue of the exporter.
    case queued
    /// Committed by a storage extension.
    case stored(by: String)
    /// The backend has it.
    case delivered
    /// The exporter is done with it: it has no backend that answers.
    case handled
  }

  package let pipeline: String
  package let receiver: ComponentID
  package let processors: [ComponentID]
  package let exporter: ComponentID
  package let taken: Taken
  private let delivery: DeliverySettings?
  private let storageNote: String?
  /// What a memory queue may take that does not count bytes, where there is memory enough.
  private let queueLimit: Int

  init(_ plan: Plan, _ pipeline: Plan.Pipeline, _ receiver: ComponentID, _ exporter: ComponentID) {
    self.pipeline = pipeline.id
    self.receiver = receiver
    self.exporter = exporter
    processors = pipeline.processors
    queueLimit = plan.memory.queueLimit?.bytes ?? ProcessMemory.defaultLimit
    let node = plan.nodes[exporter]
    delivery = node?.component.traits.delivery
    let storage = delivery.flatMap { $0.isDurable ? $0.queue?.storage?.id : nil }
    storageNote = storage.flatMap { node?.extensions[$0] }.flatMap { plan.nodes[$0]?.component.traits.note }
    let first = pipeline.processors.first { id in
      switch plan.nodes[id]?.component.traits.buffering ?? .none {
      case .none: false
      case .untilTaken: !plan.holdsCompletions(pipeline)
      case .answersEarly: true
      }
    }
    if let first {
      taken = .buffered(first)
    } else if let storage {
      taken = .stored(by: storage)
    } else if let delivery {
      let answersOnIntake = delivery.queue.map { $0.enabled && !$0.waitForResult } ?? false
      taken = answersOnIntake && !plan.isAtLeastOnce ? .queued : .delivered
    } else {
      taken = .handled
    }
  }

  /// Whether a crash loses nothing that a sender was told is taken.
  package var survivesCrash: Bool {
    switch taken {
    case .buffered, .queued: false
    case .stored, .delivered, .handled: true
    }
  }

  /// `at least once`, or `best effort`: delivered unless the process dies, or a backend is down for too long.
  package var guarantee: String { survivesCrash && !givesUp ? "at least once" : "best effort" }

  private var givesUp: Bool {
    // What is not answered before it is delivered may be given up: its sender is told.
    guard case .stored = taken, let delivery else { return false }
    return !(delivery.retry?.enabled ?? false) || delivery.maxElapsedTime > .zero
  }

  /// What it means that the sender was told its data was taken.
  package var acknowledged: String {
    switch taken {
    case .buffered(let id): "the data is in the memory of processor \(id)"
    case .queued: "the data is in the memory queue of \(exporter)"
    case .stored(let storage): "the data is committed to disk by \(storage)"
    case .delivered: "the backend of \(exporter) has taken the data"
    case .handled: "\(exporter) has handled the data"
    }
  }

  /// What a kill or a crash costs.
  package var crash: String {
    switch taken {
    case .buffered, .queued: "what is in memory is lost, though its sender was told that it was taken"
    case .stored:
      "nothing acknowledged is lost, what was on its way may come twice"
        + (storageNote.map { "; \($0)" } ?? "")
    case .delivered: "nothing acknowledged is lost, senders that were not answered send again"
    case .handled: "nothing is kept, so nothing is lost"
    }
  }

  /// What happens while the backend is down.
  package var outage: String {
    guard let delivery else { return "there is no backend to wait for" }
    let retry =
      delivery.retry?.enabled ?? false
      ? delivery.maxElapsedTime > .zero
        ? "each batch is given up after \(GoDuration.text(delivery.maxElapsedTime))"
        : "each batch is tried until it is taken"
      : "nothing is tried again"
    guard let queue = delivery.queue, queue.enabled else {
      return "senders wait, and are refused retryably; \(retry)"
    }
    let place = queue.storage == nil ? "queued in memory" : "stored"
    let ceiling =
      queue.storage == nil && queue.sizer != .bytes ? " or \(queueLimit >> 20) MiB" : ""
    return
      "up to \(queue.queueSize) \(queue.sizer.rawValue)\(ceiling) are \(place), then senders are refused "
      + "retryably; \(retry)"
  }

  /// What an orderly stop does with what is not delivered yet.
  package var stop: String {
    switch taken {
    case .stored: "what is not delivered stays on disk for the next start"
    case .handled: "nothing is left"
    case .delivered: "what is under way is delivered, or its sender is told to try again"
    case .buffered, .queued:
      delivery?.isDurable ?? false
        ? "what is in memory is moved to disk, and stays there for the next start"
        : "delivered within --shutdown-timeout, the rest is dropped and counted"
    }
  }
}

/// What is weaker in a plan than it looks.
struct DeliveryLints {
  let plan: Plan
  /// The section of a component as written, by its id.
  let sections: [ComponentID: (key: String, origin: Origin, node: ConfigNode)]
  /// Where each pipeline is declared.
  let pipelines: [String: Origin]

  func report(into diagnostics: inout Diagnostics) {
    for pipeline in plan.pipelines {
      reportMixed(pipeline, into: &diagnostics)
      reportEarlyAnswers(pipeline, into: &diagnostics)
    }
    for (id, node) in plan.nodes where node.component.traits.delivery != nil {
      reportGivingUp(id, into: &diagnostics)
    }
  }

  /// Some exporters of a pipeline store, others keep their queue in memory.
  private func reportMixed(_ pipeline: Plan.Pipeline, into diagnostics: inout Diagnostics) {
    guard !plan.isAtLeastOnce, let durable = pipeline.exporters.first(where: plan.isDurable) else { return }
    for id in pipeline.exporters {
      guard let queue = plan.nodes[id]?.component.traits.delivery?.queue, queue.enabled,
        queue.storage == nil, !queue.waitForResult
      else { continue }
      diagnostics.warning(
        "weak-delivery",
        "\(durable) stores its queue, but \(id) of the same pipeline keeps it in memory: a crash loses what \(id) "
          + "has not sent, though senders were told that it was taken",
        at: pipelines[pipeline.id], path: "service.pipelines.\(pipeline.id)",
        help: "give \(id) a sending_queue.storage too, or set service.delivery: at_least_once")
    }
  }

  /// A processor answers senders before what makes the path look safe.
  private func reportEarlyAnswers(_ pipeline: Plan.Pipeline, into diagnostics: inout Diagnostics) {
    for path in plan.deliveryPaths where path.pipeline == pipeline.id {
      guard case .buffered(let processor) = path.taken,
        let delivery = plan.nodes[path.exporter]?.component.traits.delivery
      else { continue }
      let waits = delivery.queue?.waitForResult ?? false
      guard waits || delivery.isDurable || plan.isAtLeastOnce else { continue }
      let promise =
        delivery.isDurable
        ? "\(path.exporter) stores its queue"
        : waits ? "\(path.exporter) has wait_for_result" : "service.delivery is at_least_once"
      diagnostics.warning(
        "weak-delivery",
        "\(promise), but processor \(processor) holds data in memory and answers senders before that",
        at: pipelines[pipeline.id], path: "service.pipelines.\(pipeline.id)",
        help: waits && !delivery.isDurable
          ? "set service.delivery: at_least_once, and senders wait for the backend"
          : "a crash loses what \(processor) holds; move it to a collector that receives from this one")
    }
  }

  /// What is stored may be given up.
  private func reportGivingUp(_ id: ComponentID, into diagnostics: inout Diagnostics) {
    guard plan.isDurable(id), let delivery = plan.nodes[id]?.component.traits.delivery,
      let section = sections[id]
    else { return }
    let retry = section.node.entry("retry_on_failure")
    if !(delivery.retry?.enabled ?? false) {
      diagnostics.warning(
        "weak-delivery", "\(id) stores its queue, but drops what the backend does not take at the first try",
        at: retry?.keyOrigin ?? section.origin, path: "exporters.\(section.key).retry_on_failure",
        help: "remove retry_on_failure.enabled: false")
    } else if delivery.maxElapsedTime > .zero {
      let entry = retry?.value.entry("max_elapsed_time")
      diagnostics.warning(
        "weak-delivery",
        "\(id) stores its queue, but gives up what the backend has not taken after \(GoDuration.text(delivery.maxElapsedTime))",
        at: entry?.keyOrigin ?? section.origin,
        path: "exporters.\(section.key).retry_on_failure.max_elapsed_time",
        help: "remove max_elapsed_time: with storage it is tried until it is taken")
    }
  }
}
