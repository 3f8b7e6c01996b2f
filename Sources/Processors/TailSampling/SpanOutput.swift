internal import TelemetryData
internal import WireFormat

/// Spans of traces that are kept, on their way out of a ``SpanStore``: gathered to one batch.
///
/// Spans stay in the store until the batch is written, where those of one resource and scope stand together.
struct SpanOutput {
  private struct Entry {
    let resource: UInt32
    let scope: UInt32
    let order: Int
    let place: RunPlace
    let bytes: Int
  }

  /// A batch is complete when it has so many bytes: within what gRPC servers take by default.
  private static let enough = 3_500_000
  private var entries: [Entry] = []
  private(set) var bytes = 0

  var isEmpty: Bool { entries.isEmpty }
  var isFull: Bool { bytes >= Self.enough }

  /// Takes all runs of a trace.
  mutating func add(_ runs: inout RunList, from store: inout SpanStore) {
    for place in store.takeRuns(&runs) {
      let run = store.run(at: place)
      entries.append(
        Entry(
          resource: store.contexts.resource(of: run.context), scope: run.context, order: entries.count,
          place: place, bytes: run.bytes))
      bytes += run.bytes
    }
  }

  /// Writes what was gathered, or as much of it as makes a batch, and gives it up in the store; nil when there is none.
  mutating func take(from store: inout SpanStore) -> Batch? {
    if entries.isEmpty { return nil }
    let part = takePart()
    var writer = WireWriter(capacity: part.reduce(0) { $0 + $1.bytes } + 4096)
    var start = 0
    while start < part.count {
      let end = part[start...].firstIndex { $0.resource != part[start].resource } ?? part.count
      write(part[start..<end], from: store, to: &writer)
      start = end
    }
    for entry in part { store.release(entry.place) }
    do throws(WireError) {
      return try Batch(bytes: writer.finish(), signal: .traces, validation: .framing)
    } catch {
      assertionFailure("kept spans made a malformed batch: \(error)")
      return nil
    }
  }

  /// Takes out entries in the order of the batch; a trace that is larger than a batch goes in several.
  private mutating func takePart() -> [Entry] {
    var (count, size) = (0, 0)
    while count < entries.count, count == 0 || size + entries[count].bytes <= Self.enough * 8 / 7 {
      size += entries[count].bytes
      count += 1
    }
    let part = entries.prefix(count).sorted {
      ($0.resource, $0.scope, $0.order) < ($1.resource, $1.scope, $1.order)
    }
    entries.removeFirst(count)
    bytes -= size
    return part
  }

  private func write(_ runs: ArraySlice<Entry>, from store: borrowing SpanStore, to writer: inout WireWriter)
  {
    guard let resource = runs.first?.resource else { return }
    let contexts = store.contexts
    var scopes: [(runs: ArraySlice<Entry>, size: Int)] = []
    var size = contexts.size(resource)
    var rest = runs
    while let first = rest.first {
      let same = rest.prefix { $0.scope == first.scope }
      let length = same.reduce(contexts.size(first.scope)) { $0 + $1.bytes }
      scopes.append((same, length))
      size += Varint.fieldLength(2, payload: length)
      rest = rest.dropFirst(same.count)
    }
    writer.writeTag(.lengthDelimited(1))
    writer.writeVarint(UInt64(size))
    contexts.write(resource, to: &writer)
    for scope in scopes {
      writer.writeTag(.lengthDelimited(2))
      writer.writeVarint(UInt64(scope.size))
      if let first = scope.runs.first { contexts.write(first.scope, to: &writer) }
      for run in scope.runs { store.copy(run.place, to: &writer) }
    }
  }
}
