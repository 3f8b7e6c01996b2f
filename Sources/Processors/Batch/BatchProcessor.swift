package import ConfigSchema
internal import Logging
package import PipelineKit
internal import TelemetryData

/// Gathers what comes in into larger batches, by size and by time.
///
/// Where everything behind it is memory, it answers its senders on intake; where what follows is durable, or
/// delivery at least once is asked for (``ComponentContext/holdsCompletions``), every input waits for the
/// outcome of the batch it became part of, and of all of them where it was divided. A batch then also goes when its
/// senders fall silent: most likely they all wait for it. When the next node has no room it waits; it never drops.
package struct BatchProcessor: BufferingProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "batch", summary: "Gathers items into larger batches, by size and by time.")

  /// The settings of the `batch` processor.
  package struct Config: ConfigGroup {
    package var sendBatchSize = 8192
    package var timeout: Duration = .milliseconds(200)
    package var sendBatchMaxSize = 0
    package var metadataKeys: [String] = []
    package var metadataCardinalityLimit = 1000
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "send_batch_size", \.sendBatchSize,
        "Send as soon as this many spans, data points or log records have gathered, or 4 MB; 0 sends at once.",
        check: .atLeast(0)),
      Field(
        "timeout", \.timeout,
        "Send what has gathered this long after its first item came; 0 sends at once.",
        check: .atLeast(.zero)),
      Field(
        "send_batch_max_size", \.sendBatchMaxSize,
        "Divide what is larger than this; 0 is no limit.", check: .atLeast(0)),
      Field(
        "metadata_keys", \.metadataKeys,
        "Gather separately for each combination of values of these request headers, which stay with the "
          + "batch. The receiver must have `include_metadata: true`.",
        check: .each(.nonEmpty)),
      Field(
        "metadata_cardinality_limit", \.metadataCardinalityLimit,
        "The most combinations in the life of the process; items of others are rejected; 0 is no limit.",
        check: .atLeast(0)),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if sendBatchMaxSize > 0, sendBatchMaxSize < sendBatchSize {
        checker.error(
          \.sendBatchMaxSize, "must be 0 or at least send_batch_size (\(sendBatchSize))",
          help: "raise send_batch_max_size or lower send_batch_size")
      }
      var seen: Set<String> = []
      for key in metadataKeys where !seen.insert(key.lowercased()).inserted {
        checker.error(\.metadataKeys, "\"\(key)\" is listed twice (upper and lower case are the same)")
      }
    }
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(buffering: .untilTaken)
    traits.passedMetadata = .only(config.metadataKeys)
    traits.wantedMetadata = config.metadataKeys
    return traits
  }

  private let config: Config
  private let context: ComponentContext
  private let meters: BatchMeters
  private let limitLog: RateLimitedLog

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
    meters = BatchMeters(context)
    limitLog = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// How long nothing must come before a batch that holds its senders' answers goes.
  private static let silence = Duration.milliseconds(5)

  /// Only too many combinations of metadata values make it refuse.
  package var answersOnIntake: Bool { !context.holdsCompletions && config.metadataKeys.isEmpty }

  package func run(intake: any Intake, output: any Consumer) async {
    var shards = BatchShards(config, holdsCompletions: context.holdsCompletions)
    var ready: [ReadyBatch] = []
    while true {
      var isClosed = false
      var deadline = shards.nextDeadline
      if context.holdsCompletions, let due = deadline {
        deadline = min(due, context.clock.now + Self.silence)
      }
      switch await intake.next(before: deadline, gathering: shards.missingItems) {
      case .delivery(let delivery): take(delivery, into: &shards, ready: &ready)
      case .deadline:
        // What has gathered in the channel meanwhile belongs to the batch that is due.
        var isSilent = context.holdsCompletions
        while shards.missingItems > 1, let delivery = intake.poll() {
          take(delivery, into: &shards, ready: &ready)
          isSilent = false
        }
        if isSilent { shards.flush(dueBy: nil, into: &ready) }
      case .closed: isClosed = true
      }
      if isClosed {
        shards.flush(dueBy: nil, into: &ready)
      } else if let deadline = shards.nextDeadline {
        // Also after a delivery: a busy shard must not keep the others waiting.
        let now = context.clock.now
        if now >= deadline { shards.flush(dueBy: now, into: &ready) }
      }
      for batch in ready {
        meters.sent(batch.batch, by: batch.trigger)
        await output.send(Delivery(batch.batch, metadata: batch.metadata, completion: batch.completion))
      }
      ready.removeAll(keepingCapacity: true)
      if isClosed { return }
    }
  }

  private func take(_ delivery: consuming Delivery, into shards: inout BatchShards, ready: inout [ReadyBatch])
  {
    let batch = delivery.batch
    if batch.isEmpty {
      delivery.resolve(.accepted)
      return
    }
    guard let shard = shards.shard(for: delivery.metadata, meters: meters) else {
      refuse(delivery)
      return
    }
    let completion = delivery.completion
    shards.add(batch, completion: completion, to: shard, now: context.clock.now, into: &ready)
    // Without holding, the batch answers for the items from here on.
    if !context.holdsCompletions { completion.resolve(.accepted) }
  }

  private func refuse(_ delivery: consuming Delivery) {
    let items = delivery.batch.itemCount
    limitLog.log(
      .error, "rejected items: too many combinations of metadata values",
      metadata: ["metadata_cardinality_limit": "\(config.metadataCardinalityLimit)", "items": "\(items)"])
    context.ledger.record(.rejected, items, signal: delivery.batch.signal, reason: context.id.description)
    delivery.resolve(
      .rejected(
        reason: "\(context.id) has met \(config.metadataCardinalityLimit) combinations of metadata values, "
          + "the most that metadata_cardinality_limit allows"))
  }
}
