public import WireFormat

/// What a receiver answers when it took a request but not every item in it (OTLP specification, "Partial
/// Success").
///
/// It stands in an `ExportTraceServiceResponse`, `ExportMetricsServiceResponse` or
/// `ExportLogsServiceResponse`. Their protobuf bytes are the same for every signal; in JSON the count has a
/// name of its own for each.
public struct PartialSuccess: Hashable, Sendable {
  /// The number of spans, data points or log records that were rejected; zero makes the message a warning.
  public var rejected: Int64
  /// Why they were, or what the sender should know, in English for developers.
  public var message: String

  public init(rejected: Int64, message: String) {
    self.rejected = rejected
    self.message = message
  }

  /// The protobuf bytes of an export response; without a partial success, which is the full one, there are
  /// none.
  public static func encodeResponse(_ partialSuccess: PartialSuccess?) -> [UInt8] {
    guard let partialSuccess else { return [] }
    var writer = WireWriter(capacity: partialSuccess.message.utf8.count + 32)
    let mark = writer.beginMessage(1)
    if partialSuccess.rejected != 0 { writer.intField(1, partialSuccess.rejected) }
    if !partialSuccess.message.isEmpty { writer.stringField(2, partialSuccess.message) }
    writer.endMessage(mark)
    return writer.finish()
  }

  /// The partial success of an export response, or nil when everything was taken.
  ///
  /// A message that rejects nothing and says nothing is none, as the specification has it.
  public static func decodeResponse(_ bytes: Span<UInt8>) throws(WireError) -> PartialSuccess? {
    var result = PartialSuccess(rejected: 0, message: "")
    var response = WireCursor(bytes)
    while let tag = try response.nextTag() {
      if tag != .lengthDelimited(1) {
        try response.skip(tag)
        continue
      }
      var cursor = try response.readMessage()
      while let tag = try cursor.nextTag() {
        switch tag {
        case .varint(1): result.rejected = Int64(bitPattern: try cursor.readVarint())
        case .lengthDelimited(2):
          result.message = String(wire: bytes, try cursor.readLengthDelimited())
        default: try cursor.skip(tag)
        }
      }
    }
    return result.rejected == 0 && result.message.isEmpty ? nil : result
  }

  /// The JSON form of an export response; `{}` without a partial success.
  public static func encodeJSONResponse(_ partialSuccess: PartialSuccess?, signal: Signal) -> [UInt8] {
    var json: [UInt8] = []
    do throws(WireError) {
      try OTLPJSONWriter.append(.exportResponse(of: signal), encodeResponse(partialSuccess).span, to: &json)
    } catch {
      assertionFailure("an encoded response cannot be read: \(error)")
      json = Array("{}".utf8)
    }
    return json
  }

  /// The partial success of an export response in JSON, or nil when everything was taken.
  public static func decodeJSONResponse(
    _ json: Span<UInt8>, signal: Signal
  ) throws(OTLPJSONError) -> PartialSuccess? {
    let bytes = try OTLPJSONReader.read(.exportResponse(of: signal), json)
    do throws(WireError) {
      return try decodeResponse(bytes.span)
    } catch {
      assertionFailure("a response read from JSON cannot be decoded: \(error)")
      return nil
    }
  }
}

extension String {
  /// The text of a string field; bytes that are not UTF-8 become U+FFFD.
  init(wire bytes: Span<UInt8>, _ range: WireRange) {
    var text: [UInt8] = []
    text.reserveCapacity(range.count)
    for index in range.range { text.append(bytes[index]) }
    self.init(decoding: text, as: UTF8.self)
  }
}
