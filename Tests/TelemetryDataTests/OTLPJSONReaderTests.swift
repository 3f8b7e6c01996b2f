import SeededRandom
import TelemetryData
import Testing

@Suite struct OTLPJSONReaderTests {
  @Test(arguments: OTLPJSONFixture.ordered)
  func `what an independent encoder wrote is read into the bytes it came from`(
    _ fixture: OTLPJSONFixture
  ) throws {
    let batch = try Batch(json: fixture.json, signal: fixture.signal)
    let original = try Batch(bytes: fixture.protobuf, signal: fixture.signal)
    let isEqual = batch.bytes == original.bytes
    #expect(isEqual)
    #expect(batch.itemCount == original.itemCount)
  }

  @Test(arguments: OTLPJSONFixture.all)
  func `reading keeps the value`(_ fixture: OTLPJSONFixture) throws {
    let batch = try Batch(json: fixture.json, signal: fixture.signal)
    #expect(try canonical(batch.json()) == canonical(fixture.json))
  }

  /// A log record with one field, as the request it stands in.
  static func record(_ fields: String) -> String {
    #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{\#(fields)}]}]}]}"#
  }

  /// A data point of an exponential histogram.
  static func point(_ fields: String) -> String {
    let metric = #"{"exponentialHistogram":{"dataPoints":[{\#(fields)}]}}"#
    return #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[\#(metric)]}]}]}"#
  }

  /// Texts that mean the same as others.
  static let spellings: [(Signal, String, String)] = [
    // Names as in the .proto file, escaped, with space around.
    (
      .logs, record(#""time_unix_nano":"1","trace_id":"00112233445566778899aabbccddeeff""#),
      record(#""timeUnixNano":"1","traceId":"00112233445566778899aabbccddeeff""#)
    ),
    (.logs, record(#""event\u004eame":"x""#), record(#""eventName":"x""#)),
    (.logs, " \t\r\n" + record(" \"eventName\" :\n\"x\" ") + "\n", record(#""eventName":"x""#)),
    // Ids in either case.
    (
      .logs, record(#""traceId":"00112233445566778899AABBCCDDEEFF","spanId":"0123456789aBcDeF""#),
      record(#""traceId":"00112233445566778899aabbccddeeff","spanId":"0123456789abcdef""#)
    ),
    (.logs, record(#""traceId":"""#), record("")),
    // 64-bit numbers.
    (.logs, record(#""timeUnixNano":1785000000123456789"#), record(#""timeUnixNano":"1785000000123456789""#)),
    (.logs, record(#""timeUnixNano":1e3"#), record(#""timeUnixNano":"1000""#)),
    (.logs, record(#""timeUnixNano":1.0"#), record(#""timeUnixNano":"1""#)),
    (.logs, record(#""timeUnixNano":12.5E1"#), record(#""timeUnixNano":"125""#)),
    (
      .logs, record(#""timeUnixNano":"18446744073709551615""#),
      record(#""timeUnixNano":18446744073709551615"#)
    ),
    (.logs, record(#""timeUnixNano":-0"#), record("")),
    (
      .logs, record(#""body":{"intValue":-9223372036854775808}"#),
      record(#""body":{"intValue":"-9223372036854775808"}"#)
    ),
    // Doubles.
    (.logs, record(#""body":{"doubleValue":"1.5"}"#), record(#""body":{"doubleValue":15e-1}"#)),
    (
      .logs, record(#""body":{"doubleValue":0.1000000000000000055511151231257827021181583404541015625}"#),
      record(#""body":{"doubleValue":0.1}"#)
    ),
    // Enumerations.
    (.logs, record(#""severityNumber":"SEVERITY_NUMBER_ERROR2""#), record(#""severityNumber":18"#)),
    (.logs, record(#""severityNumber":"9""#), record(#""severityNumber":9"#)),
    // Base64 of either alphabet.
    (.logs, record(#""body":{"bytesValue":"-_8"}"#), record(#""body":{"bytesValue":"+/8="}"#)),
    // Absent, unknown and repeated fields.
    (.logs, record(#""eventName":null,"attributes":null,"body":null,"flags":null"#), record("")),
    (
      .logs, record(#""next":{"a":[1,-2.5e-3,"x\n",true,false,null,{}],"b":[]},"eventName":"x""#),
      record(#""eventName":"x""#)
    ),
    (.logs, record(#""attributes":[]"#), record("")),
    (
      .metrics, point(#""scale":"-3","count":4294967296,"positive":{"bucketCounts":["1",2,3e0]}"#),
      point(#""scale":-3,"count":"4294967296","positive":{"bucketCounts":["1","2","3"]}"#)
    ),
    // Defaults written out.
    (.logs, record(#""timeUnixNano":"0","severityNumber":0,"severityText":"","flags":0"#), record("")),
    // Strings.
    (.logs, record(#""eventName":"\u00e9\ud83d\ude00\/\u0041""#), record(#""eventName":"é😀/A""#)),
    (.logs, record(#""eventName":"\ud83dx\ude00""#), record(#""eventName":"�x�""#)),
  ]

  @Test(arguments: spellings)
  func `other spellings mean the same`(_ signal: Signal, _ text: String, _ plain: String) throws {
    let batch = try Batch(json: Array(text.utf8), signal: signal)
    let expected = try Batch(json: Array(plain.utf8), signal: signal)
    #expect(batch.bytes == expected.bytes)
  }

  /// Texts with a field given more than once, and what they mean.
  static let repetitions: [(String, String)] = [
    (record(#""severityNumber":9,"severityNumber":0"#), record("")),
    (record(#""eventName":"a","eventName":"b""#), record(#""eventName":"b""#)),
    (record(#""eventName":"a","eventName":"""#), record("")),
    (record(#""body":{"stringValue":"a","intValue":"0"}"#), record(#""body":{"intValue":"0"}"#)),
    (
      record(#""attributes":[{"key":"a"}],"flags":1,"attributes":[{"key":"b"}]"#),
      record(#""attributes":[{"key":"a"},{"key":"b"}],"flags":1"#)
    ),
  ]

  @Test(arguments: repetitions)
  func `of a field that is given twice the last value counts`(_ text: String, _ plain: String) throws {
    let batch = try Batch(json: Array(text.utf8), signal: .logs)
    #expect(try canonical(batch.json()) == canonical(Array(plain.utf8)))
  }

  @Test(arguments: ["NaN", "Infinity", "-Infinity"])
  func `numbers that JSON does not have come back`(_ name: String) throws {
    let text = Self.record(#""body":{"doubleValue":"\#(name)"}"#)
    let batch = try Batch(json: Array(text.utf8), signal: .logs)
    #expect(try batch.json() == Array(text.utf8))
  }

  @Test func `values 64 lists deep are read and written`() throws {
    let value =
      String(repeating: #"{"arrayValue":{"values":["#, count: 64) + #"{"boolValue":true}"#
      + String(repeating: "]}}", count: 64)
    let text = Self.record(#""body":\#(value)"#)
    let batch = try Batch(json: Array(text.utf8), signal: .logs)
    #expect(try batch.json() == Array(text.utf8))
    _ = try Batch(bytes: batch.bytes, signal: .logs, validation: .structure)
  }

  @Test(arguments: [
    (#"{"arrayValue":{"values":["#, "]}}"), (#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}"),
  ])
  func `reader, structural check and writer agree how deep is too deep`(
    _ opening: String, _ closing: String
  ) throws {
    for inner in [
      #"{"stringValue":"x"}"#, #"{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}"#,
    ] {
      var depths: Set<Bool> = []
      for depth in 30...80 {
        let value =
          String(repeating: opening, count: depth) + inner + String(repeating: closing, count: depth)
        let text = Array(Self.record(#""body":"# + value).utf8)
        let batch = try? Batch(json: text, signal: .logs)
        depths.insert(batch == nil)
        guard let batch else { continue }
        #expect(try batch.json() == text)
        #expect(throws: Never.self) { try Batch(bytes: batch.bytes, signal: .logs, validation: .structure) }
      }
      #expect(depths == [true, false])
    }
  }

  @Test func `whatever is read passes the structural check, and damaged text never traps`() throws {
    var random = SeededGenerator(42)
    var accepted = 0
    for fixture in OTLPJSONFixture.all {
      for _ in 0..<60 {
        var text = fixture.json
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: 0..<text.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: text[place] = .random(in: 0...255, using: &random)
          case 1: text[place] = Array(#"{}[]",:\0-e.tn"#.utf8).randomElement(using: &random) ?? 0
          case 2: text.removeSubrange(place..<min(place + .random(in: 1...30, using: &random), text.count))
          default: text.insert(contentsOf: text[place..<min(place + 20, text.count)], at: place)
          }
          if text.isEmpty { text = [0x7B] }
        }
        guard let batch = try? Batch(json: text, signal: fixture.signal) else { continue }
        accepted += 1
        #expect(throws: Never.self) { try Batch(bytes: batch.bytes, signal: fixture.signal) }
        _ = try batch.json()
      }
    }
    #expect(accepted > 50)
  }
}
