internal import TelemetryData
internal import WireFormat

/// The resources of a batch, equal ones together, so that their spans go in one request.
///
/// A batch is gathered from many requests, in each of which a service says again what it is.
struct ResourceGroups {
  /// Resources that are equal, by their positions in the batch.
  struct Group {
    var positions: [Int]
    /// Of their spans, scopes and themselves, as they came.
    var bytes: Int
    /// Those without ids too.
    var spans: Int
  }

  /// Bytes of a group of several: what a format makes of them stays below the 4 MiB that gRPC servers take unless told
  /// otherwise.
  static let mostBytes = 1 << 20

  private(set) var groups: [Group] = []

  init(_ batch: Batch) {
    // By a hash of the resource, the group that its next equal may join.
    var open: [UInt64: Int] = [:]
    for position in 0..<batch.resourceCount {
      let bytes = batch.index.resources[position].payload.count
      let spans = batch.index.scopes(ofResource: position).reduce(0) {
        $0 + batch.index.items(ofScope: $1).count
      }
      let resource = Self.content(batch.resource(at: position).message)
      let hash = BytesView(resource).hash
      if let index = open[hash], groups[index].bytes + bytes <= Self.mostBytes,
        Self.content(batch.resource(at: groups[index].positions[0]).message).hasSameBytes(as: resource)
      {
        groups[index].positions.append(position)
        groups[index].bytes += bytes
        groups[index].spans += spans
      } else {
        open[hash] = groups.count
        groups.append(Group(positions: [position], bytes: bytes, spans: spans))
      }
    }
  }

  @_lifetime(copy message)
  private static func content(_ message: WireMessage) -> Span<UInt8> {
    message.bytes.extracting(message.range.range)
  }
}
