internal import TelemetryData
internal import WireFormat

/// The line of JSON of one batch, resource by resource.
///
/// A merged batch is many mebibytes of text. Written in pieces, the text stays in the processor's cache and in memory
/// that the last piece used; as a whole, the system's work for fresh memory costs more than writing the JSON.
struct LinePieces {
  /// A piece ends with the resource that makes it this large, in bytes.
  static let size = 256 << 10

  private let batch: Batch
  private var position = 0
  private var isComplete = false

  init(_ batch: Batch) { self.batch = batch }

  /// Replaces `piece` with the next bytes of the line; false when there are none.
  ///
  /// - Throws: `WireError`, for a batch that was not checked.
  mutating func next(_ piece: inout [UInt8]) throws -> Bool {
    piece.removeAll(keepingCapacity: true)
    guard !isComplete else { return false }
    if position == 0 {
      piece.append(contentsOf: "{\"\(batch.signal.resourcesName)\":[".utf8)
    }
    let batch = batch
    let resources = batch.index.resources
    while position < resources.count, piece.count < Self.size {
      if position > 0 { piece.append(UInt8(ascii: ",")) }
      let payload = resources[position].payload
      let bytes = batch.bytes.span.extracting(Int(payload.start)..<Int(payload.end))
      try OTLPJSONWriter.append(batch.signal.resource, bytes, to: &piece)
      position += 1
    }
    if position == resources.count {
      piece.append(contentsOf: "]}\n".utf8)
      isComplete = true
    }
    return true
  }
}

extension Signal {
  /// The name of the list in an export request.
  fileprivate var resourcesName: String {
    switch self {
    case .traces: "resourceSpans"
    case .metrics: "resourceMetrics"
    case .logs: "resourceLogs"
    }
  }

  /// An element of the list.
  fileprivate var resource: OTLPMessage {
    switch self {
    case .traces: .resourceSpans
    case .metrics: .resourceMetrics
    case .logs: .resourceLogs
    }
  }
}
