internal import NativeCodecs
internal import TelemetryData

/// Writes batches as records of the file.
///
/// Uncompressed JSON is one line per batch (OTLP File Exporter specification); everything else is a 4-byte
/// big-endian length and the message, each compressed on its own where compression is on.
struct RecordEncoder {
  private let format: FileExporterConfig.Format
  private let compressor: CompressorPool?
  private var message: [UInt8] = []
  /// Buffers larger than this are not kept from one batch to the next.
  private static let keptCapacity = 8 << 20

  init(_ config: FileExporterConfig) {
    format = config.format
    compressor =
      config.compression == .zstd
      ? CompressorPool(.zstd, level: config.compressionParams.level, capacity: 1) : nil
  }

  /// A batch that cannot become a record.
  struct Failure: Error {
    let reason: String
  }

  /// Replaces `record` with the record of `batch`.
  mutating func encode(_ batch: Batch, into record: inout [UInt8]) throws(Failure) {
    clear(&record)
    if format == .json, compressor == nil {
      try json(batch, to: &record)
      record.append(UInt8(ascii: "\n"))
      return
    }
    record.append(contentsOf: [0, 0, 0, 0])
    if format == .json {
      clear(&message)
      try json(batch, to: &message)
      try add(message, to: &record)
    } else {
      try add(batch.bytes, to: &record)
    }
    guard let length = UInt32(exactly: record.count - 4) else {
      throw Failure(reason: "the message is larger than 4 GiB")
    }
    for position in 0..<4 {
      record[position] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * position))
    }
  }

  private func add(_ bytes: [UInt8], to record: inout [UInt8]) throws(Failure) {
    guard let compressor else {
      record.append(contentsOf: bytes)
      return
    }
    do throws(CodecError) {
      try compressor.compress(bytes.span, to: &record)
    } catch {
      throw Failure(reason: "zstd failed: \(error)")
    }
  }

  private func json(_ batch: Batch, to output: inout [UInt8]) throws(Failure) {
    do {
      try OTLPJSONWriter.append(batch.signal.request, batch.bytes.span, to: &output)
    } catch {
      throw Failure(reason: "the batch has no JSON form: \(error)")
    }
  }

  private func clear(_ buffer: inout [UInt8]) {
    buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptCapacity)
  }
}

extension Signal {
  fileprivate var request: OTLPMessage {
    switch self {
    case .traces: .exportTraceServiceRequest
    case .metrics: .exportMetricsServiceRequest
    case .logs: .exportLogsServiceRequest
    }
  }
}
