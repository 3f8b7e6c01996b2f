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

  /// Reading our own text keeps every item, and gives a batch whose text does not change any more.
  ///
  /// The first text may still hold fields that the bytes set to their default, which reading leaves out.
  static func checkRoundTrip(_ batch: Batch) throws {
    var first: [UInt8] = []
    try demand("JSON writing") { try batch.writeJSON(into: &first) }
    let read = try demand("JSON reading of our own text") { try Batch(json: first, signal: batch.signal) }
    // A metric whose data is given twice: protobuf joins the two, which JSON does; index and views take the last.
    let isJoined = batch.signal == .metrics && read.itemCount > batch.itemCount
    try require(
      isJoined || read.itemCount == batch.itemCount, "JSON kept \(read.itemCount) items of \(batch.itemCount)"
    )
    _ = try demand("check of JSON read back") { try Batch(bytes: read.bytes, signal: batch.signal) }
    var second: [UInt8] = []
    try demand("JSON writing again") { try read.writeJSON(into: &second) }
    let again = try demand("JSON reading again") { try Batch(json: second, signal: batch.signal) }
    var third: [UInt8] = []
    try demand("JSON writing a third time") { try again.writeJSON(into: &third) }
    try require(
      second == third && read.bytes == again.bytes,
      "JSON changed when read and written again:\n\(excerpt(second, third))\n\(excerpt(third, second))")
  }

  /// Where a text begins to differ from another.
  private static func excerpt(_ text: [UInt8], _ other: [UInt8]) -> String {
    let same = zip(text, other).prefix { $0 == $1 }.count
    return String(decoding: text[max(0, same - 60)..<min(text.count, same + 60)], as: UTF8.self)
  }
}
