import Testing
import WireFormat

struct WireWriterTests {
  @Test func `fields are written as the protobuf encoding has them`() {
    var writer = WireWriter(capacity: 0)
    writer.varintField(1, 150)
    writer.stringField(2, "testing")
    writer.sintField(3, -2)
    writer.doubleField(4, 1)
    writer.fixed32Field(5, 0x0102_0304)
    writer.intField(6, -1)
    writer.boolField(16, true)
    #expect(
      writer.finish()
        == [0x08, 0x96, 0x01, 0x12, 7] + Array("testing".utf8) + [
          0x18, 3, 0x21, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F,
        ]
        + [0x2D, 4, 3, 2, 1, 0x30] + [UInt8](repeating: 0xFF, count: 9) + [1, 0x80, 1, 1])
  }

  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
  func `nested messages of any size get the shortest length`(size: Int) throws {
    var writer = WireWriter()
    writer.varintField(1, 7)
    writer.message(2) { outer in
      outer.message(3) { $0.write([UInt8](repeating: 0x5A, count: size).span) }
    }
    writer.varintField(4, 9)
    let inner = Varint.fieldLength(3, payload: size)
    let bytes = writer.finish()
    #expect(bytes.count == 2 + Varint.fieldLength(2, payload: inner) + 2)
    var cursor = WireCursor(bytes.span)
    #expect(try cursor.readField()?.number == 7)
    let outer = try #require(try cursor.readField())
    #expect(outer.value.count == inner)
    var nested = WireCursor(bytes.span, in: outer.value)
    let field = try #require(try nested.readField())
    #expect(field.value.count == size)
    #expect(bytes[field.value.range].allSatisfy { $0 == 0x5A })
    #expect(try cursor.readField()?.number == 9)
  }

  @Test func `a cancelled message leaves nothing behind`() {
    var writer = WireWriter()
    writer.varintField(1, 1)
    let mark = writer.beginMessage(200)
    writer.stringField(1, "gone")
    writer.cancelMessage(mark, 200)
    writer.varintField(2, 2)
    #expect(writer.finish() == [0x08, 1, 0x10, 2])
  }

  @Test func `packed fields are written, and left out when empty`() {
    var writer = WireWriter()
    writer.packedFixed64Field(1, [])
    writer.packedVarintField(1, [])
    writer.packedDoubleField(1, [])
    writer.packedVarintField(2, [1, 300])
    writer.packedFixed64Field(3, [1])
    #expect(writer.finish() == [0x12, 3, 1, 0xAC, 2, 0x1A, 8, 1, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func `a pair is written as its messages are`() {
    let letters = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
    var pairs = WireWriter(capacity: 16)
    var messages = WireWriter(capacity: 16)
    for (keyCount, valueCount) in (0...70).map({ ($0, 70 - $0) }) + [
      (3, 120), (5, 122), (128, 3), (9, 20_000),
    ] {
      let (key, value) = (Array(letters[..<keyCount]), Array(letters[..<valueCount]))
      for number: UInt32 in [1, 6, 300] {
        pairs.pairField(number, key: key.span, 7, value.span)
        messages.message(number) { message in
          if !key.isEmpty { message.bytesField(1, key) }
          message.message(2) { $0.bytesField(7, value) }
        }
      }
    }
    let (found, expected) = (pairs.finish(), messages.finish())
    #expect(found == expected)
  }

  @Test(arguments: [0, 1, -1, 2, Int64.max, Int64.min])
  func `zigzag maps small magnitudes to small numbers and back`(value: Int64) {
    #expect(ZigZag.decode(ZigZag.encode(value)) == value)
    if value.magnitude < 100 { #expect(ZigZag.encode(value) <= 2 * value.magnitude) }
  }
}
