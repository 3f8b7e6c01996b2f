import Foundation
import SeededRandom
import TelemetryData
import Testing
import WireFormat

@Suite struct OTLPJSONWriterTests {
  @Test func `there are fixtures of every kind`() {
    #expect(OTLPJSONFixture.all.count == 21)
    #expect(OTLPJSONFixture.ordered.count == 12)
  }

  @Test(arguments: OTLPJSONFixture.all)
  func `a request is written as an independent encoder writes it`(_ fixture: OTLPJSONFixture) throws {
    let batch = try Batch(bytes: fixture.protobuf, signal: fixture.signal)
    #expect(try canonical(batch.json()) == canonical(fixture.json))
  }

  @Test func `text is appended to what is there`() throws {
    var json = Array("first\n".utf8)
    try Batch(signal: .logs).writeJSON(into: &json)
    #expect(json == Array("first\n{}".utf8))
  }

  /// The JSON of a log record whose body is an AnyValue of the given bytes.
  private func body(_ write: (inout WireWriter) -> Void) throws -> String {
    var writer = WireWriter()
    writer.message(1) { writer in
      writer.message(2) { writer in
        writer.message(2) { writer in
          writer.message(5) { write(&$0) }
        }
      }
    }
    let json = try Batch(bytes: writer.finish(), signal: .logs).json()
    let text = String(decoding: json, as: UTF8.self)
    let before = #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"#
    let after = "}]}]}]}"
    try #require(text.hasPrefix(before) && text.hasSuffix(after))
    return String(text.dropFirst(before.count).dropLast(after.count))
  }

  @Test func `an empty value differs from members that hold their default`() throws {
    #expect(try body { _ in } == "{}")
    #expect(try body { $0.stringField(1, "") } == #"{"stringValue":""}"#)
    #expect(try body { $0.boolField(2, false) } == #"{"boolValue":false}"#)
    #expect(try body { $0.intField(3, 0) } == #"{"intValue":"0"}"#)
    #expect(try body { $0.doubleField(4, 0) } == #"{"doubleValue":0}"#)
    #expect(try body { $0.message(5) { _ in } } == #"{"arrayValue":{}}"#)
    #expect(try body { $0.message(6) { _ in } } == #"{"kvlistValue":{}}"#)
    #expect(try body { $0.bytesField(7, []) } == #"{"bytesValue":""}"#)
  }

  @Test(arguments: [
    (Int64.min, "-9223372036854775808"), (Int64.max, "9223372036854775807"), (-1, "-1"),
    (99_999_999, "99999999"), (100_000_000, "100000000"), (9_999_999_999_999_999, "9999999999999999"),
    (10_000_000_000_000_000, "10000000000000000"), (1_000_000_007, "1000000007"),
  ])
  func `integers are exact`(_ value: Int64, _ text: String) throws {
    #expect(try body { $0.intField(3, value) } == #"{"intValue":"\#(text)"}"#)
  }

  @Test(arguments: [
    (Double.nan, #""NaN""#), (.infinity, #""Infinity""#), (-.infinity, #""-Infinity""#), (-0.0, "-0.0"),
    (1.0, "1"), (-250.0, "-250"), (0.1, "0.1"), (1e23, "1e+23"),
    (.leastNonzeroMagnitude, "5e-324"), (9_007_199_254_740_994, "9.007199254740994e+15"),
  ])
  func `doubles are as short as they can be`(_ value: Double, _ text: String) throws {
    #expect(try body { $0.doubleField(4, value) } == #"{"doubleValue":\#(text)}"#)
  }

  @Test func `strings are escaped where JSON asks for it and nowhere else`() throws {
    let text = "\"\\/\u{8}\u{9}\u{A}\u{C}\u{D}\u{0}\u{1F}\u{7F}é€😀\u{2028}"
    let json = try body { $0.stringField(1, text) }
    #expect(json == #"{"stringValue":"\"\\/\b\t\n\f\r\u0000\u001f\#u{7F}é€😀\#u{2028}"}"#)
  }

  @Test(arguments: 0..<40)
  func `a character to escape is found at every place`(_ place: Int) throws {
    let text = String(repeating: "a", count: place) + "\"" + String(repeating: "!", count: 40 - place)
    let json = try body { $0.stringField(1, text) }
    #expect(json == #"{"stringValue":""# + text.replacing("\"", with: "\\\"") + #""}"#)
  }

  @Test func `bytes are base64 with padding`() throws {
    #expect(try body { $0.bytesField(7, [0xFB]) } == #"{"bytesValue":"+w=="}"#)
    #expect(try body { $0.bytesField(7, [0xFB, 0xFF]) } == #"{"bytesValue":"+/8="}"#)
    #expect(try body { $0.bytesField(7, [0xFB, 0xFF, 0xFE]) } == #"{"bytesValue":"+//+"}"#)
  }

  @Test func `unknown fields are left out`() throws {
    let json = try body { writer in
      writer.stringField(100, "future")
      writer.stringField(1, "known")
      writer.varintField(31, 7)
    }
    #expect(json == #"{"stringValue":"known"}"#)
  }

  @Test func `several values of a field count as protobuf says`() throws {
    #expect(
      try body {
        $0.stringField(1, "first"); $0.intField(3, 7)
      } == #"{"intValue":"7"}"#)
    #expect(
      try body {
        $0.intField(3, 7); $0.intField(3, 8)
      } == #"{"intValue":"8"}"#)
    let merged = try body { writer in
      for value in ["a", "b"] { writer.message(5) { $0.message(1) { $0.stringField(1, value) } } }
    }
    #expect(merged == #"{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}"#)
    let cleared = try body { writer in
      writer.message(5) { $0.message(1) { $0.stringField(1, "gone") } }
      writer.boolField(2, true)
      writer.message(5) { $0.message(1) { $0.stringField(1, "here") } }
    }
    #expect(cleared == #"{"arrayValue":{"values":[{"stringValue":"here"}]}}"#)
  }

  @Test func `nested lists that are out of order at every level cost no more than their size`() throws {
    // Were every level written twice, 60 levels would never end.
    var value: [UInt8] = [0x10, 0x01]
    for _ in 0..<60 {
      var list = WireWriter()
      list.bytesField(1, value)
      var outer = WireWriter()
      outer.bytesField(5, list.finish())
      outer.message(5) { _ in }
      value = outer.finish()
    }
    let json = try body { $0.write(value.span) }
    #expect(json.components(separatedBy: "arrayValue").count == 61)
  }

  @Test func `malformed bytes are an error and leave the text as it was`() throws {
    // A span whose name is longer than the span.
    let batch = try Batch(
      bytes: [0x0A, 0x06, 0x12, 0x04, 0x12, 0x02, 0x2A, 0x09], signal: .traces, validation: .framing)
    var json = Array("kept".utf8)
    #expect(throws: WireError(.lengthBeyondEnd, at: 7)) { try batch.writeJSON(into: &json) }
    #expect(json == Array("kept".utf8))
  }

  @Test func `damaged requests never trap, and what passes the check can be written`() throws {
    var random = SeededGenerator(7)
    for fixture in OTLPJSONFixture.all {
      for _ in 0..<60 {
        var bytes = fixture.protobuf
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        if let batch = try? Batch(bytes: bytes, signal: fixture.signal) {
          _ = try canonical(batch.json())
        } else if let batch = try? Batch(bytes: bytes, signal: fixture.signal, validation: .framing) {
          var json: [UInt8] = []
          try? batch.writeJSON(into: &json)
        }
      }
    }
  }
}
