import TelemetryData

/// What must hold for OTLP-JSON in both directions.
enum JSONOracle {
  /// Any text: refused with an error, or read into a batch that the structural check accepts and that survives writing.
  static func check(_ text: [UInt8], signal: Signal) throws {
    guard let batch = try? Batch(json: text, signal: signal) else { return }
    let checked = try demand("check of what the JSON reader wrote") {
      try Batch(bytes: batch.bytes, signal: signal)
    }
    try require(checked.itemCount == batch.itemCount, "the JSON reader left a wrong item count")
    var walk = ViewWalk()
    walk.read(checked)
    try require(walk.items == checked.itemCount, "views show \(walk.items) items of \(checked.itemCount)")
    try checkRoundTrip(checked)
  }

  /// Writing, reading and writing again gives the same text and keeps every item.
  static func checkRoundTrip(_ batch: Batch) throws {
    var first: [UInt8] = []
    try demand("JSON writing") { try batch.writeJSON(into: &first) }
    let read = try demand("JSON reading of our own text") { try Batch(json: first, signal: batch.signal) }
    // A metric whose data is given twice: protobuf joins the two, which JSON does; index and views take the last.
    let keeps = batch.signal == .metrics ? read.itemCount >= batch.itemCount : read.itemCount == batch.itemCount
    try require(keeps, "JSON kept \(read.itemCount) items of \(batch.itemCount)")
    _ = try demand("check of JSON read back") { try Batch(bytes: read.bytes, signal: batch.signal) }
    var second: [UInt8] = []
    try demand("JSON writing again") { try read.writeJSON(into: &second) }
    try require(first == second, "JSON changed when read and written again")
  }
}
