internal import TelemetryData
internal import WireFormat

/// The messages that Jaeger's clients send.
package enum JaegerMessage: Sendable, CaseIterable {
  /// `jaeger.api_v2.PostSpansRequest`.
  case postSpans
  /// A Thrift `Batch` in the binary protocol, the body of `POST /api/traces`.
  case thriftBatch
  /// A datagram to the agent: a call of `emitBatch` in either protocol.
  case emitBatchBinary
  case emitBatchCompact
}

/// Reads what Jaeger's clients send into OTLP.
package enum JaegerReader {
  /// Reads one message.
  ///
  /// - Throws: ``TraceFormatError`` with the place of the first fault; nothing is taken then.
  package static func read(
    _ message: JaegerMessage, _ bytes: [UInt8], limit: Int = 1 << 30
  ) throws(TraceFormatError) -> TraceReading {
    let assembly = SpanAssembly(capacity: bytes.count + 256, limit: limit)
    let faults = try add(message, bytes.span, to: assembly)
    return TraceReading(batch: try assembly.finish(), faults: faults)
  }

  /// Adds the spans of one message to others.
  ///
  /// - Returns: the spans that were left out since they have no valid ids.
  /// - Throws: ``TraceFormatError``; no span of the message is added then.
  package static func add(
    _ message: JaegerMessage, _ bytes: Span<UInt8>, to assembly: SpanAssembly
  ) throws(TraceFormatError) -> SpanDrops {
    let count = assembly.spanCount
    do throws(TraceFormatError) {
      switch message {
      case .postSpans: return try JaegerProtoReader(assembly).read(bytes)
      case .thriftBatch:
        var reader = JaegerThriftReader(assembly)
        return try reader.readBatch(ThriftReader(bytes, .binary))
      case .emitBatchBinary, .emitBatchCompact:
        var reader = JaegerThriftReader(assembly)
        return try reader.readCall(ThriftReader(bytes, message == .emitBatchBinary ? .binary : .compact))
      }
    } catch {
      assembly.removeSpans(after: count)
      throw error
    }
  }
}
