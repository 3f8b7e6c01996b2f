internal import NativeCodecs
internal import WireFormat

/// The `MetricMetadata` messages of Remote Write 1.0: types, helps and units of metrics, each once.
struct RemoteWriteMetadata: ~Copyable {
  /// Hashes of those that were sent.
  private var sent: Set<UInt64> = []
  /// The most that are remembered, so that names that never come again do not fill the memory.
  private static let mostRemembered = 200_000
  private var pending: [[UInt8]] = []

  /// Sends anew what was sent before.
  mutating func forget() { sent.removeAll(keepingCapacity: true) }

  mutating func add(_ family: borrowing SeriesFamily) {
    if family.isTarget { return }
    var hash = family.name.byteHash(seed: UInt64(family.type.rawValue))
    hash = family.help.byteHash(seed: hash)
    hash = family.unit.byteHash(seed: hash)
    if sent.count >= Self.mostRemembered { forget() }
    if !sent.insert(hash).inserted { return }
    var writer = WireWriter(capacity: 64 + family.name.count + family.help.count)
    writer.varintField(1, UInt64(family.type.rawValue))
    writer.bytesField(2, family.name)
    if !family.help.isEmpty { writer.bytesField(4, family.help) }
    if !family.unit.isEmpty { writer.bytesField(5, family.unit) }
    pending.append(writer.finish())
  }

  /// The compressed requests with what was added since the last time; nil for none, or when snappy has no memory.
  mutating func take(maxBytes: Int, _ compressor: Compressor) -> [[UInt8]]? {
    if pending.isEmpty { return nil }
    var bodies: [[UInt8]] = []
    var writer = WireWriter(capacity: 4096)
    for entry in pending {
      if writer.count > 0, writer.count + entry.count + 16 > maxBytes {
        var body: [UInt8] = []
        try? compressor.compress(writer.bytes, to: &body)
        bodies.append(body)
        writer.removeAll()
      }
      writer.bytesField(3, entry)
    }
    var body: [UInt8] = []
    try? compressor.compress(writer.bytes, to: &body)
    bodies.append(body)
    pending.removeAll(keepingCapacity: true)
    return bodies.filter { !$0.isEmpty }
  }
}
