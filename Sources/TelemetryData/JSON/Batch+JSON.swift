public import WireFormat

extension Batch {
  /// Appends the OTLP-JSON form of the export request, on one line (OTLP specification, "JSON Protobuf
  /// Encoding").
  ///
  /// - Throws: ``WireError`` when an item is malformed, which cannot be after the check of
  ///   ``BatchValidation/structure``; the array is then as it was before.
  public func writeJSON(into json: inout [UInt8]) throws(WireError) {
    try OTLPJSONWriter.append(.exportRequest(of: signal), bytes.span, to: &json)
  }

  /// A batch from an export request in OTLP-JSON.
  ///
  /// - Throws: ``OTLPJSONError`` with the place and the path of the first fault.
  public init(json: Span<UInt8>, signal: Signal) throws(OTLPJSONError) {
    let bytes = try OTLPJSONReader.read(.exportRequest(of: signal), json)
    do throws(WireError) {
      // The reader writes nothing that the structural check would refuse.
      try self.init(bytes: bytes, signal: signal, validation: .framing)
    } catch {
      throw OTLPJSONError(JSONFault(.tooLarge, at: json.count), path: "", in: json)
    }
  }

  /// A batch from an export request in OTLP-JSON.
  public init(json: [UInt8], signal: Signal) throws(OTLPJSONError) {
    try self.init(json: json.span, signal: signal)
  }
}
