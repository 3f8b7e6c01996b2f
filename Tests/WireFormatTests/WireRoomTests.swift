import Testing
import WireFormat

struct WireRoomTests {
  @Test func `varints of every length are in their shortest form`() {
    var numbers: [UInt64] = [0, .max]
    for bits in 0..<64 as Range<UInt64> {
      let power: UInt64 = 1 << bits
      numbers += [power, power - 1, power + power / 3]
    }
    var writer = WireWriter(capacity: 0)
    var expected = WireWriter()
    writer.withRoom(10 * numbers.count) { room in
      for number in numbers { room.varint(number) }
    }
    for number in numbers { expected.writeVarint(number) }
    let (bytes, others) = (writer.finish(), expected.finish())
    #expect(bytes == others)
  }

  @Test(arguments: 0...70)
  func `parts of a buffer are copied exactly, at its end too`(count: Int) {
    let source = (0..<100).map { UInt8($0) }
    for start in [0, 1, 30, 100 - count] {
      for spare in [0, 1, 40] {
        var writer = WireWriter(capacity: 0)
        writer.writeByte(7)
        writer.withRoom(count + spare) { $0.copy(source.span, at: start, count: count) }
        writer.writeByte(9)
        let bytes = writer.finish()
        #expect(bytes == [7] + source[start..<start + count] + [9])
      }
    }
  }

  @Test func `numbers are written from either end, and short messages get their length`() {
    var writer = WireWriter(capacity: 0)
    writer.writeByte(1)
    writer.withRoom(64) { room in
      room.write(0x0302 as UInt16)
      room.write(leading: 3, of: 0x0405_06FF_FFFF_FFFF)
      let place = room.beginShort()
      room.write(0x0807 as UInt16)
      room.endShort(place)
    }
    writer.withRoom(0) { _ in }
    writer.writeByte(9)
    let bytes = writer.finish()
    #expect(bytes == [1, 2, 3, 4, 5, 6, 2, 7, 8, 9])
  }

  @Test func `short fields of one kind are stepped over until another comes, or one that is cut off`() {
    var writer = WireWriter()
    for size in [0, 3, 127, 128] { writer.bytesField(9, [UInt8](repeating: 1, count: size)) }
    let bytes = writer.finish()
    var cursor = WireCursor(bytes.span)
    #expect(cursor.skipShort(9 << 3 | 2) == 3)
    #expect(cursor.offset == 2 + 5 + 129)
    #expect(cursor.skipShort(9 << 3 | 2) == 0)
    let cut: [UInt8] = [0x4A, 1, 0, 0x4A, 2, 0]
    var other = WireCursor(cut.span)
    #expect(other.skipShort(9 << 3 | 2) == 1)
    #expect(other.offset == 3)
  }
}
