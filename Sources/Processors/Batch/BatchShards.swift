internal import PipelineKit
internal import TelemetryData

/// A batch that is complete, with what must travel with it.
struct ReadyBatch {
  let batch: Batch
  let metadata: RequestMetadata?
  let completion: Completion
  let trigger: BatchTrigger
}

/// Why a batch was sent.
enum BatchTrigger {
  case size
  case timeout
}

/// What is being gathered: one shard for every combination of metadata values, or just one.
///
/// Pure state: what is complete is appended to a list of the caller's, which sends it.
struct BatchShards {
  private struct Shard {
    let metadata: RequestMetadata?
    var batches: [Batch] = []
    var completions: [(completion: Completion, items: Int)] = []
    var items = 0
    var bytes = 0
    var deadline: MonotonicInstant?
  }

  /// Enough to send.
  private let threshold: Int
  private let maxItems: Int
  private let timeout: Duration
  private let holdsCompletions: Bool
  private let keys: [String]
  private let limit: Int
  private var shards: [Shard] = []
  private var positions: [RequestMetadata: Int] = [:]
  /// Shards that hold something, by the time it is due: all wait equally long, so in the order they began.
  private var due: [Int] = []

  /// A batch is sent when it has so many bytes, however few its items: within what gRPC servers take by default, and
  /// so that large items do not take memory without bound. A single input may be larger.
  private static let maxBytes = 4_000_000

  init(_ config: BatchProcessor.Config, holdsCompletions: Bool) {
    timeout = config.timeout
    threshold = config.timeout > .zero && config.sendBatchSize > 0 ? config.sendBatchSize : 1
    maxItems = config.sendBatchMaxSize > 0 ? config.sendBatchMaxSize : .max
    keys = config.metadataKeys.map { $0.lowercased() }
    limit = config.metadataCardinalityLimit > 0 ? config.metadataCardinalityLimit : .max
    self.holdsCompletions = holdsCompletions
    if keys.isEmpty { shards.append(Shard(metadata: nil)) }
  }

  /// When the first of the shards must be sent; nil while nothing is held.
  var nextDeadline: MonotonicInstant? { due.first.flatMap { shards[$0].deadline } }

  /// How many more items complete the batch being gathered: with one shard the next wake-up is worth that many. With
  /// several, each delivery has to be looked at.
  var missingItems: Int { keys.isEmpty ? max(1, threshold - shards[0].items) : 1 }

  /// The shard for items that came with `metadata`; nil when it would be one too many.
  mutating func shard(for metadata: RequestMetadata?, meters: BatchMeters) -> Int? {
    if keys.isEmpty { return 0 }
    let selected = metadata?.selecting(keys) ?? RequestMetadata([:])
    if let position = positions[selected] { return position }
    if shards.count >= limit { return nil }
    shards.append(Shard(metadata: selected))
    positions[selected] = shards.count - 1
    meters.foundCombination()
    return shards.count - 1
  }

  /// Adds a batch to a shard.
  ///
  /// - Parameters:
  ///   - now: When it came: the first items of a batch start its time.
  ///   - ready: Where batches go that are complete now.
  mutating func add(
    _ batch: Batch, completion: Completion, to shard: Int, now: MonotonicInstant,
    into ready: inout [ReadyBatch]
  ) {
    if shards[shard].bytes > 0, shards[shard].bytes + batch.byteCount > Self.maxBytes {
      send(shard, by: .size, into: &ready)
    }
    let room = maxItems - shards[shard].items
    guard batch.itemCount > room else {
      hold(batch, holdsCompletions ? completion : nil, in: shard)
      settle(shard, now: now, into: &ready)
      return
    }
    let parts = batch.split(maxItems: maxItems, firstPart: room)
    let completions = holdsCompletions ? completion.splitting(parts.map(\.itemCount)) : []
    for (position, part) in parts.enumerated() {
      hold(part, holdsCompletions ? completions[position] : nil, in: shard)
      settle(shard, now: now, into: &ready)
    }
  }

  /// Completes what is due at `now`, or everything when `now` is nil.
  mutating func flush(dueBy now: MonotonicInstant?, into ready: inout [ReadyBatch]) {
    while let shard = due.first {
      if let now, let deadline = shards[shard].deadline, deadline > now { return }
      send(shard, by: .timeout, into: &ready)
    }
  }

  private mutating func hold(_ batch: Batch, _ completion: Completion?, in shard: Int) {
    shards[shard].batches.append(batch)
    shards[shard].items += batch.itemCount
    shards[shard].bytes += batch.byteCount
    if let completion { shards[shard].completions.append((completion, batch.itemCount)) }
  }

  private mutating func settle(_ shard: Int, now: MonotonicInstant, into ready: inout [ReadyBatch]) {
    if shards[shard].items >= threshold || shards[shard].bytes >= Self.maxBytes {
      send(shard, by: .size, into: &ready)
    } else if shards[shard].deadline == nil {
      shards[shard].deadline = now + timeout
      due.append(shard)
    }
  }

  private mutating func send(_ shard: Int, by trigger: BatchTrigger, into ready: inout [ReadyBatch]) {
    if shards[shard].deadline != nil {
      shards[shard].deadline = nil
      if let position = due.firstIndex(of: shard) { due.remove(at: position) }
    }
    let metadata = shards[shard].metadata
    let completions = shards[shard].completions
    let batches = shards[shard].batches
    guard let signal = batches.first?.signal else { return }
    shards[shard].batches.removeAll(keepingCapacity: true)
    shards[shard].completions.removeAll(keepingCapacity: true)
    shards[shard].items = 0
    shards[shard].bytes = 0
    do {
      let merged = try Batch.merging(batches, signal: signal)
      let completion = completions.isEmpty ? .detached() : Completion.merging(completions)
      ready.append(ReadyBatch(batch: merged, metadata: metadata, completion: completion, trigger: trigger))
    } catch {
      // Too large to be one batch, which `maxBytes` rules out together: sent as they came.
      for (position, batch) in batches.enumerated() {
        let completion = position < completions.count ? completions[position].completion : .detached()
        ready.append(ReadyBatch(batch: batch, metadata: metadata, completion: completion, trigger: trigger))
      }
    }
  }
}
