internal import TelemetryData
internal import WireFormat

/// The forms in which Zipkin's clients send spans.
package enum ZipkinMessage: Sendable, CaseIterable {
  /// A list of spans in Zipkin's second JSON format.
  case json
  /// `zipkin.proto3.ListOfSpans`.
  case protobuf
}

/// Reads what Zipkin's clients send into OTLP.
package enum ZipkinReader {
  /// Reads one request.
  ///
  /// - Parameter parsesTags: whether tags that read like numbers or booleans become such (`parse_string_tags`).
  /// - Throws: ``TraceFormatError`` with the place of the first fault; nothing is taken then.
  package static func read(
    _ message: ZipkinMessage, _ bytes: [UInt8], parsesTags: Bool = false, limit: Int = 1 << 30
  ) throws(TraceFormatError) -> TraceReading {
    let assembly = SpanAssembly(capacity: bytes.count + 256, limit: limit)
    var writer = ZipkinSpanWriter(assembly: assembly, parsesTags: parsesTags)
    switch message {
    case .json:
      var reader = ZipkinJSONReader()
      try reader.read(bytes.span, into: &writer)
    case .protobuf:
      var reader = ZipkinProtoReader()
      try reader.read(bytes.span, into: &writer)
    }
    return TraceReading(batch: try assembly.finish(), faults: writer.faults)
  }
}
