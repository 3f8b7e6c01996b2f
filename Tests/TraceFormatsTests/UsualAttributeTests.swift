import TelemetryData
import Testing
import WireFormat

@testable import TraceFormats

@Suite struct UsualAttributeTests {
  /// Attributes as they may be laid out, and what they say.
  static let layouts: [(name: String, attribute: [UInt8], usual: [UInt8])] = [
    ("the value before the key", [0x12, 3, 0x0A, 1, 0x76, 0x0A, 1, 0x6B], text),
    ("a field behind that nobody knows", text + [0x28, 1], text),
    ("a key of which the last counts", [0x0A, 1, 0x6C] + text, text),
    ("a value of which the last counts", [0x0A, 1, 0x6B, 0x12, 5, 0x18, 1, 0x0A, 1, 0x76], text),
    ("a value with a field that nobody knows", [0x0A, 1, 0x6B, 0x12, 5, 0x0A, 1, 0x76, 0x48, 1], text),
    ("lengths in more bytes than needed", [0x0A, 0x81, 0, 0x6B, 0x12, 0x84, 0, 0x0A, 0x81, 0, 0x76], text),
    ("a number in more bytes than needed", [0x0A, 1, 0x6B, 0x12, 3, 0x18, 0xFF, 0], number([0x7F])),
    ("a number in more bytes still", [0x0A, 1, 0x6B, 0x12, 4, 0x18, 0xC8, 0x81, 0], number([0xC8, 1])),
    ("no value", [0x0A, 1, 0x6B], [0x0A, 1, 0x6B, 0x12, 2, 0x0A, 0]),
    ("an empty value", [0x0A, 1, 0x6B, 0x12, 0], [0x0A, 1, 0x6B, 0x12, 2, 0x0A, 0]),
    ("no key", [0x12, 3, 0x0A, 1, 0x76], [0x0A, 0, 0x12, 3, 0x0A, 1, 0x76]),
  ]
  static let text: [UInt8] = [0x0A, 1, 0x6B, 0x12, 3, 0x0A, 1, 0x76]
  static func number(_ varint: [UInt8]) -> [UInt8] {
    [0x0A, 1, 0x6B, 0x12, UInt8(1 + varint.count), 0x18] + varint
  }

  /// A span with an attribute between two others, and an event with the same.
  static func batch(_ attribute: [UInt8]) throws -> Batch {
    var writer = WireWriter()
    writer.message(1) { resource in
      resource.message(2) { scope in
        scope.message(2) { span in
          span.bytesField(1, TraceFixture.traceID)
          span.bytesField(2, TraceFixture.spanID)
          span.bytesField(9, number([1]))
          span.bytesField(9, attribute)
          span.stringField(5, "name")
          span.bytesField(9, text)
          span.message(11) { $0.bytesField(3, attribute) }
        }
      }
    }
    return try Batch(bytes: writer.finish(), signal: .traces, validation: .structure)
  }

  @Test(arguments: layouts.indices)
  func `an attribute becomes the same tag in whatever layout`(position: Int) throws {
    let layout = Self.layouts[position]
    let (batch, usual) = (try Self.batch(layout.attribute), try Self.batch(layout.usual))
    let parts = JaegerProtoEncoder().encode(batch).parts
    #expect(parts.map(\.body) == JaegerProtoEncoder().encode(usual).parts.map(\.body), "\(layout.name)")
    #expect(parts.count == 1)
    #expect(
      JaegerThriftEncoder().encode(batch).parts.map(\.body)
        == JaegerThriftEncoder().encode(usual).parts.map(\.body), "\(layout.name)")
  }

  @Test func `the first attribute may have a tag in more bytes than needed`() throws {
    func batch(tag: [UInt8]) throws -> Batch {
      var writer = WireWriter()
      writer.message(1) { resource in
        resource.message(2) { scope in
          scope.message(2) { span in
            span.bytesField(1, TraceFixture.traceID)
            span.bytesField(2, TraceFixture.spanID)
            span.write((tag + [UInt8(Self.text.count)] + Self.text).span)
          }
        }
      }
      return try Batch(bytes: writer.finish(), signal: .traces, validation: .structure)
    }
    let requests = JaegerThriftEncoder().encode(try batch(tag: [0xCA, 0]))
    #expect(
      requests.parts.map(\.body) == JaegerThriftEncoder().encode(try batch(tag: [0x4A])).parts.map(\.body))
  }

  @Test(arguments: layouts.indices)
  func `only the usual layout is read as such`(position: Int) {
    let layout = Self.layouts[position]
    for (attribute, isUsual) in [(layout.attribute, false), (layout.usual, true)] {
      let bytes: [UInt8] = [0x4A, UInt8(attribute.count)] + attribute
      var cursor = WireCursor(bytes.span)
      #expect((cursor.usualAttribute(0x4A) != nil) == isUsual, "\(layout.name)")
      #expect(cursor.offset == (isUsual ? bytes.count : 0))
    }
  }

  @Test func `no attribute is read beyond the end of its message`() {
    let bytes: [UInt8] = [0x4A, UInt8(Self.text.count)] + Self.text
    for end in bytes.indices {
      var cursor = WireCursor(bytes.span, in: WireRange(0, end))
      #expect(cursor.usualAttribute(0x4A) == nil)
    }
  }

  @Test(arguments: JaegerRoundTripTests.Form.allCases)
  func `keys, texts and numbers of every length come back`(form: JaegerRoundTripTests.Form) throws {
    let batch = TraceFixture.full { span in
      span.attributes = []
      for length in 1..<140 {
        let word = String(repeating: "w", count: length)
        span.attributes.append(word, .string(String(repeating: "v", count: 140 - length)))
        span.attributes.append("short \(length)", .string(word))
        span.attributes.append("number \(length)", .int(Int64(bitPattern: 1 &<< UInt64(length % 64)) &- 1))
      }
    }
    #expect(
      TraceFixture.json(try JaegerRoundTripTests.roundTrip(batch, form).batch) == TraceFixture.json(batch))
  }
}
