internal import TelemetryData
internal import WireFormat

/// The identities of resources and scopes of one batch, for items visited in order: each is hashed once.
///
/// A resource is its attributes; a scope also its name and version. Schema URLs do not count.
struct StreamScopes {
  private let seed: StreamSeed
  private var resource = -1
  private var scope = -1
  private var resourceID = StreamID(high: 0, low: 0)
  private var scopeID = StreamID(high: 0, low: 0)

  init(_ seed: StreamSeed) { self.seed = seed }

  /// The identity of the scope that an item stands in, its resource included.
  mutating func scopeID(ofItem item: Int, in batch: Batch) -> StreamID {
    if scope >= 0, batch.index.items(ofScope: scope).contains(item) { return scopeID }
    scope = batch.index.scope(ofItem: item)
    let owner = Int(batch.index.scopes[scope].resource)
    if owner != resource {
      resource = owner
      resourceID = Self.resourceID(owner, in: batch, seed)
    }
    let view = batch.scope(at: scope)
    var digest = StreamDigest(seed, from: resourceID)
    digest.add(view.name)
    digest.add(view.version)
    digest.add(view.attributes)
    scopeID = digest.id
    return scopeID
  }

  static func resourceID(_ position: Int, in batch: Batch, _ seed: StreamSeed) -> StreamID {
    var digest = StreamDigest(seed)
    digest.add(batch.resource(at: position).attributes)
    return digest.id
  }

  /// The identity of a metric: its name, unit and type, with the temporality, and whether a sum only grows.
  mutating func metricID(_ item: Int, _ metric: MetricView, in batch: Batch) -> StreamID {
    var digest = StreamDigest(seed, from: scopeID(ofItem: item, in: batch))
    digest.add(metric.name)
    digest.add(metric.unit)
    digest.add(
      UInt64(metric.kind?.rawValue ?? 0) << 16 | UInt64(
        truncatingIfNeeded: metric.aggregationTemporality.rawValue)
        << 8 | (metric.isMonotonic ? 1 : 0))
    return digest.id
  }
}
