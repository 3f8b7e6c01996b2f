import TelemetryData
import Testing

@Suite struct ResponseTests {
  // Bytes and texts made with the PyPI packages protobuf and googleapis-common-protos.
  private static let status = RPCStatus(
    code: 14, message: "queue \"full\"", retryDelay: .seconds(1) + .milliseconds(500))
  private static let statusBytes: [UInt8] =
    [0x08, 0x0E, 0x12, 0x0C] + Array("queue \"full\"".utf8) + [0x1A, 0x36, 0x0A, 0x28]
    + Array("type.googleapis.com/google.rpc.RetryInfo".utf8)
    + [0x12, 0x0A, 0x0A, 0x08, 0x08, 0x01, 0x10, 0x80, 0xCA, 0xB5, 0xEE, 0x01]
  private static let statusText =
    #"{"code":14,"message":"queue \"full\"","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","#
    + #""retryDelay":"1.500s"}]}"#

  @Test func `a status is protobuf and JSON`() throws {
    #expect(Self.status.encode() == Self.statusBytes)
    #expect(try RPCStatus(decoding: Self.statusBytes.span) == Self.status)
    #expect(Self.status.encodeJSON() == Array(Self.statusText.utf8))
    #expect(try RPCStatus(json: Self.statusText.utf8.span) == Self.status)
    #expect(Self.status.retryDelay == .milliseconds(1500))
  }

  @Test(arguments: [
    (Duration.zero, "0s"), (.seconds(30), "30s"), (.milliseconds(1), "0.001s"),
    (.microseconds(1), "0.000001s"),
    (.nanoseconds(1), "0.000000001s"), (.seconds(2) + .nanoseconds(123_456_789), "2.123456789s"),
  ])
  func `the time to wait is exact`(_ delay: Duration, _ text: String) throws {
    let status = RPCStatus(code: 8, message: "", retryDelay: delay)
    let json = status.encodeJSON()
    #expect(String(decoding: json, as: UTF8.self).contains(#""retryDelay":"\#(text)""#))
    #expect(try RPCStatus(json: json.span).retryDelay == delay)
    #expect(try RPCStatus(decoding: status.encode().span).retryDelay == delay)
  }

  @Test func `a status without a time to wait has none`() throws {
    #expect(RPCStatus(code: 3, message: "no").retryDelay == nil)
    #expect(RPCStatus(code: 3, message: "no", retryDelay: nil).details.isEmpty)
    #expect(RPCStatus(code: 3, message: "no").encodeJSON() == Array(#"{"code":3,"message":"no"}"#.utf8))
  }

  @Test func `details of other types keep their bytes`() throws {
    let detail = RPCStatus.Detail(typeURL: "type.googleapis.com/google.rpc.Help", value: [1, 2, 3])
    let status = RPCStatus(code: 5, message: "é", details: [detail])
    #expect(try RPCStatus(decoding: status.encode().span) == status)
    #expect(try RPCStatus(json: status.encodeJSON().span) == status)
  }

  @Test func `a status in JSON may hold more than is known`() throws {
    let text = #" {"error":[],"code":"7","details":[{"@type":"x/y","reason":"z"},{}],"message":null} "#
    #expect(try RPCStatus(json: text.utf8.span) == RPCStatus(code: 7, message: ""))
  }

  @Test(arguments: [
    ("", "line 1, column 1 (byte 0): the text ends too early"),
    (#"{"code":"x"}"#, "line 1, column 9 (byte 8): not a valid number"),
    (#"{"message":1}"#, "line 1, column 12 (byte 11): expected a string, found '1'"),
    (#"{"details":[{"retryDelay":"1m"}]}"#, "line 1, column 27 (byte 26): not a valid number"),
    (#"{} {}"#, "line 1, column 4 (byte 3): text after the end of the message"),
  ])
  func `a status that cannot be read tells where`(_ text: String, _ description: String) {
    let error = #expect(throws: OTLPJSONError.self) { _ = try RPCStatus(json: text.utf8.span) }
    #expect(error?.description == description)
  }

  @Test(arguments: [
    (Signal.traces, "rejectedSpans"), (.metrics, "rejectedDataPoints"), (.logs, "rejectedLogRecords"),
  ])
  func `a partial success is protobuf and JSON`(_ signal: Signal, _ name: String) throws {
    let partial = PartialSuccess(rejected: 300, message: "old")
    let bytes: [UInt8] = [0x0A, 0x08, 0x08, 0xAC, 0x02, 0x12, 0x03, 0x6F, 0x6C, 0x64]
    let text = #"{"partialSuccess":{"\#(name)":"300","errorMessage":"old"}}"#
    #expect(PartialSuccess.encodeResponse(partial) == bytes)
    #expect(try PartialSuccess.decodeResponse(bytes.span) == partial)
    #expect(PartialSuccess.encodeJSONResponse(partial, signal: signal) == Array(text.utf8))
    #expect(try PartialSuccess.decodeJSONResponse(text.utf8.span, signal: signal) == partial)
  }

  @Test func `a full success is empty`() throws {
    #expect(PartialSuccess.encodeResponse(nil) == [])
    #expect(PartialSuccess.encodeJSONResponse(nil, signal: .logs) == Array("{}".utf8))
    for bytes in [[], [0x0A, 0x00], [0x0A, 0x02, 0x08, 0x00], [0x28, 0x01]] as [[UInt8]] {
      #expect(try PartialSuccess.decodeResponse(bytes.span) == nil)
    }
    for text in ["{}", #"{"partialSuccess":{}}"#, #"{"partialSuccess":null}"#] {
      #expect(try PartialSuccess.decodeJSONResponse(text.utf8.span, signal: .logs) == nil)
    }
  }
}
