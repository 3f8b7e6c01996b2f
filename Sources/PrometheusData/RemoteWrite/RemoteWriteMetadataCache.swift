internal import Synchronization
internal import WireFormat

/// What a sender said about the metrics of one name.
struct KnownMetadata: Sendable {
  var type: ExpositionType
  var help: String
  var unit: String
}

/// Keeps what Remote-Write 1.0 senders say about metric families, since they say it in requests of their own, about
/// once a minute.
///
/// Bounded in bytes: of the two halves that it consists of, the older is forgotten when the newer is full, and what is
/// still used moves to the newer. Senders share it; where two differ about a family, the last one counts.
package final class RemoteWriteMetadataCache: Sendable {
  private struct Entry {
    var family: [UInt8]
    var metadata: KnownMetadata
    var size: Int { family.count + metadata.help.utf8.count + metadata.unit.utf8.count + 160 }
  }
  private struct State {
    var newer: [UInt64: Entry] = [:]
    var older: [UInt64: Entry] = [:]
    var newerBytes = 0
  }
  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: bytes of memory, about.
  package init(limit: Int = 8 << 20) { self.limit = limit }

  /// The families that are known now.
  package var count: Int { state.withLock { $0.newer.count + $0.older.count } }

  func insert(_ family: Span<UInt8>, _ metadata: KnownMetadata) {
    let entry = Entry(family: family.array, metadata: metadata)
    let hash = family.hash(WireRange(0, family.count), 3)
    state.withLock { insert(entry, hash, &$0) }
  }

  private func insert(_ entry: Entry, _ hash: UInt64, _ state: inout State) {
    if entry.size > limit / 2 { return }
    if let old = state.newer.updateValue(entry, forKey: hash) { state.newerBytes -= old.size }
    state.newerBytes += entry.size
    state.older[hash] = nil
    if state.newerBytes > limit / 2 {
      state.older = state.newer
      state.newer = [:]
      state.newerBytes = 0
    }
  }

  private func find(_ family: Span<UInt8>, _ state: inout State) -> KnownMetadata? {
    let hash = family.hash(WireRange(0, family.count), 3)
    if let found = state.newer[hash] {
      return found.family.span.hasSameBytes(as: family) ? found.metadata : nil
    }
    guard let found = state.older[hash], found.family.span.hasSameBytes(as: family) else { return nil }
    insert(found, hash, &state)
    return found.metadata
  }

  /// What is known of a series by its name: of the family of that name, or of the one that has series of such a name.
  func metadata(ofSeries name: Span<UInt8>) -> KnownMetadata? {
    state.withLock { state in
      if let exact = find(name, &state) { return exact }
      for (suffix, types) in Self.suffixes where name.count > suffix.count {
        let base = name.count - suffix.count
        guard name.extracting(last: suffix.count).hasSameBytes(as: suffix.span) else { continue }
        if let found = find(name.extracting(first: base), &state), types.contains(found.type) {
          return found
        }
      }
      return nil
    }
  }

  /// The suffixes of the series of a family, by its type (OpenMetrics 1.0, "MetricFamily").
  private static let suffixes: [([UInt8], [ExpositionType])] = [
    (Array("_total".utf8), [.counter]), (Array("_bucket".utf8), [.histogram, .gaugeHistogram]),
    (Array("_count".utf8), [.histogram, .summary]), (Array("_sum".utf8), [.histogram, .summary]),
    (Array("_gcount".utf8), [.gaugeHistogram]), (Array("_gsum".utf8), [.gaugeHistogram]),
    (Array("_info".utf8), [.info]),
  ]
}

extension Span where Element == UInt8 {
  var array: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for position in indices { bytes.append(self[position]) }
    return bytes
  }
}
