import TelemetryData
import WireFormat

/// What must hold for any bytes that come in as a protobuf export request.
///
/// Bytes that are not accepted must be refused with an error. Bytes accepted by framing alone must not trap anything that
/// reads, divides or writes them. Bytes accepted by the structural check must also keep every item through split, merge,
/// selection, edits and JSON, and spans through the formats of Jaeger and Zipkin.
enum WireOracle {
  static func check(_ bytes: [UInt8], signal: Signal) throws {
    guard let framed = try? Batch(bytes: bytes, signal: signal, validation: .framing) else {
      let isAccepted = (try? Batch(bytes: bytes, signal: signal, validation: .structure)) != nil
      try require(!isAccepted, "the structural check accepted what cannot be indexed")
      return
    }
    guard let batch = try? Batch(bytes: bytes, signal: signal, validation: .structure) else {
      try checkFraming(framed)
      return
    }
    try checkViews(batch)
    try checkSplit(batch)
    try checkSelection(batch)
    try EditOracle.check(batch)
    try JSONOracle.checkRoundTrip(batch)
    if signal == .traces { try TraceFormatOracle.checkWayBack(batch, mayDrop: true) }
  }

  /// A malformed inside must not trap, whatever it gives.
  private static func checkFraming(_ batch: Batch) throws {
    var walk = ViewWalk()
    walk.read(batch)
    try require(walk.items == batch.itemCount, "views show \(walk.items) items of \(batch.itemCount)")
    var json: [UInt8] = [1, 2, 3]
    if (try? batch.writeJSON(into: &json)) == nil {
      try require(json == [1, 2, 3], "a failed JSON writer left something behind")
    }
    let parts = batch.split(maxItems: 2)
    let count = parts.reduce(0) { $0 + $1.itemCount }
    try require(count == batch.itemCount, "\(count) items after splitting \(batch.itemCount)")
  }

  private static func checkViews(_ batch: Batch) throws {
    var walk = ViewWalk()
    walk.read(batch)
    try require(walk.items == batch.itemCount, "views show \(walk.items) items of \(batch.itemCount)")
  }

  private static func checkSplit(_ batch: Batch) throws {
    let leaves = batch.leaves
    for limit in [1, 3, 100] {
      let parts = batch.split(maxItems: limit, firstPart: limit == 3 ? 2 : nil)
      for part in parts {
        try require(
          part.itemCount <= limit, "a part of \(part.itemCount) items, at most \(limit) were asked for")
        try checkAgain(part, after: "split")
      }
      try require(parts.flatMap(\.leaves) == leaves, "split(\(limit)) changed items")
      let merged = try demand("merge") { try Batch.merging(parts, signal: batch.signal) }
      try require(
        merged.itemCount == batch.itemCount, "merging gave \(merged.itemCount) of \(batch.itemCount)")
      try require(merged.leaves == leaves, "split(\(limit)) and merge changed items")
      try checkAgain(merged, after: "merge")
    }
  }

  private static func checkSelection(_ batch: Batch) throws {
    let even = batch.selecting { $0 % 2 == 0 }
    try require(even.recordCount == (batch.recordCount + 1) / 2, "selection kept \(even.recordCount) records")
    for position in 0..<even.recordCount {
      try require(even.record(position) == batch.record(position * 2), "selection changed record \(position)")
    }
    try checkAgain(even, after: "select")
    if batch.signal != .metrics { return }
    var kept = ItemSet(capacity: batch.itemCount)
    for point in stride(from: 0, to: batch.itemCount, by: 2) { kept.insert(point) }
    let points = batch.selectingPoints(kept)
    let wanted = batch.leaves.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    try require(points.leaves == wanted, "selection of data points changed them")
    try checkAgain(points, after: "selectingPoints")
  }

  /// A batch that was made must be one that would be accepted, with the index that its bytes give.
  static func checkAgain(_ batch: Batch, after action: String) throws {
    let again = try demand("check after \(action)") { try Batch(bytes: batch.bytes, signal: batch.signal) }
    try require(again.itemCount == batch.itemCount, "\(action) left a wrong item count")
    try require(again.leaves == batch.leaves, "\(action) left a wrong index")
    try require(
      again.resourceCount == batch.resourceCount && again.scopeCount == batch.scopeCount,
      "\(action) left an index with wrong resources or scopes")
  }
}

extension Batch {
  /// The bytes of a span, metric or log record.
  func record(_ position: Int) -> ArraySlice<UInt8> { bytes[item(at: position).range.range] }

  /// The bytes of every span, log record or data point, in order.
  var leaves: [ArraySlice<UInt8>] {
    if signal != .metrics { return (0..<recordCount).map(record) }
    return (0..<recordCount).flatMap { dataPoints(ofMetric: $0).map { bytes[$0.payload.range] } }
  }
}
