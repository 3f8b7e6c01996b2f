public import TelemetryData

/// A batch on its way, with the promise of its outcome: what passes between components.
///
/// It cannot be copied, so responsibility for the items is always in one place. Whoever holds a delivery either
/// hands it on or resolves it.
public struct Delivery: ~Copyable, Sendable {
  /// The items.
  public let batch: Batch
  /// Headers of the client's request, where the receiver keeps them (`include_metadata`).
  public let metadata: RequestMetadata?
  /// Where the outcome goes.
  public let completion: Completion

  public init(_ batch: Batch, metadata: RequestMetadata? = nil, completion: Completion) {
    self.batch = batch
    self.metadata = metadata
    self.completion = completion
  }

  /// A delivery whose outcome goes to `handler`.
  public init(_ batch: Batch, metadata: RequestMetadata? = nil, handler: any OutcomeHandler) {
    self.init(batch, metadata: metadata, completion: Completion(handler))
  }

  /// Ends the delivery with `outcome`.
  public consuming func resolve(_ outcome: Outcome) { completion.resolve(outcome) }

  /// The same delivery carrying `batch` instead: what a processor made of it.
  public consuming func replacing(_ batch: Batch) -> Delivery {
    Delivery(batch, metadata: metadata, completion: completion)
  }

  /// Completions for `count` branches that each get the whole batch; the sender hears the worst outcome.
  public consuming func copies(_ count: Int) -> [Completion] {
    let joined = JoinedOutcome(completion, count: count, rule: .worstOfCopies)
    return (0..<count).map { _ in joined.branch(items: batch.itemCount) }
  }

  /// Completions for the parts of a split; rejected items add up, and the sender hears once all are resolved.
  public consuming func parts(_ batches: [Batch]) -> [Completion] {
    let joined = JoinedOutcome(completion, count: batches.count, rule: .sumOfParts)
    return batches.map { joined.branch(items: $0.itemCount) }
  }
}

extension Completion {
  /// One completion for a batch merged from several: its outcome goes to every one of `parts`.
  public static func merging(_ parts: [(completion: Completion, items: Int)]) -> Completion {
    let awaited = parts.contains { $0.completion.isAwaited }
    return Completion(MergedOutcome(parts), isAwaited: awaited)
  }

  /// Completions for a batch made of whole or divided inputs, see ``Delivery/parts(_:)``.
  public func splitting(_ itemCounts: [Int]) -> [Completion] {
    let joined = JoinedOutcome(self, count: itemCounts.count, rule: .sumOfParts)
    return itemCounts.map { joined.branch(items: $0) }
  }
}

/// Headers (HTTP) or metadata (gRPC) of the request that brought a batch. Keys are lower-case.
public final class RequestMetadata: Sendable, Hashable {
  /// The client's IP address. Begins with a colon, as no header can.
  package static let clientAddressKey = ":client.address"
  /// What stands before the name of an attribute of the client's authentication, such as `:auth.username`.
  package static let authenticationPrefix = ":auth."

  /// Whether a key names something about the client rather than a header.
  package static func isAboutClient(_ key: String) -> Bool {
    key == clientAddressKey || key.hasPrefix(authenticationPrefix)
  }

  /// All values by key.
  package let entries: [String: [String]]

  /// Keeps `values`, whose keys the caller has lower-cased.
  public init(_ values: [String: [String]]) { self.entries = values }

  /// The values of `key` (any case), in the order they came.
  public subscript(key: String) -> [String] { entries[key.lowercased()] ?? [] }

  /// Only the given keys (lower-case), for grouping by them.
  public func selecting(_ keys: [String]) -> RequestMetadata {
    RequestMetadata(entries.filter { keys.contains($0.key) })
  }

  public static func == (a: RequestMetadata, b: RequestMetadata) -> Bool { a.entries == b.entries }
  public func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}
