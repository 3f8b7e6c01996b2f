import Testing
import WireFormat

struct WireCursorTests {
  /// What reading all fields of some bytes throws, or nil.
  func error(_ bytes: [UInt8]) -> WireError? {
    var cursor = WireCursor(bytes.span)
    do throws(WireError) {
      while try cursor.readField() != nil {}
      return nil
    } catch {
      return error
    }
  }

  @Test func `fields of every wire type are read with their ranges`() throws {
    let bytes: [UInt8] =
      [0x08, 0x96, 0x01] + [0x11, 1, 0, 0, 0, 0, 0, 0, 0] + [0x1A, 2, 0x68, 0x69] + [0x25, 7, 0, 0, 0]
    var cursor = WireCursor(bytes.span)
    let first = try #require(try cursor.readField())
    #expect(first.tag == .varint(1) && first.number == 150 && first.range == WireRange(0, 3))
    let second = try #require(try cursor.readField())
    #expect(second.tag == .fixed64(2) && second.number == 1 && second.value == WireRange(4, 12))
    let third = try #require(try cursor.readField())
    #expect(third.tag == .lengthDelimited(3) && third.value == WireRange(14, 16) && third.start == 12)
    let fourth = try #require(try cursor.readField())
    #expect(fourth.tag == .fixed32(4) && fourth.number == 7)
    #expect(try cursor.readField() == nil)
  }

  @Test(arguments: [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 32, 1 << 62, UInt64.max])
  func `varints of all lengths survive`(value: UInt64) throws {
    var writer = WireWriter()
    writer.writeVarint(value)
    #expect(writer.count == Varint.length(value))
    let bytes = writer.finish()
    var cursor = WireCursor(bytes.span)
    #expect(try cursor.readVarint() == value)
    let isAtEnd = cursor.isAtEnd
    #expect(isAtEnd)
  }

  @Test func `a truncated varint reports its offset`() {
    #expect(error([0x08, 0x01, 0x10, 0x80, 0x80]) == WireError(.truncated, at: 3))
  }

  @Test func `a varint of eleven bytes or more than 64 bits is refused`() {
    #expect(error([0x08] + [UInt8](repeating: 0x80, count: 10) + [1]) == WireError(.varintTooLong, at: 1))
    #expect(error([0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x7F]) == WireError(.varintTooLong, at: 1))
    #expect(error([0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01]) == nil)
  }

  @Test func `unknown wire types and field numbers are refused`() {
    #expect(error([0x0E]) == WireError(.badWireType, at: 0))
    #expect(error([0x0F]) == WireError(.badWireType, at: 0))
    #expect(error([0x00, 0x00]) == WireError(.badFieldNumber, at: 0))
    #expect(error([0x80, 0x80, 0x80, 0x80, 0x10, 0x00]) == WireError(.badFieldNumber, at: 0))
    #expect(error([0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0x00]) == nil)
  }

  @Test func `a length beyond the end is refused where it stands`() {
    #expect(error([0x08, 0x01, 0x1A, 0x03, 0, 0]) == WireError(.lengthBeyondEnd, at: 3))
    let huge: [UInt8] = [0x1A] + [UInt8](repeating: 0xFF, count: 9) + [0x01]
    #expect(error(huge) == WireError(.lengthBeyondEnd, at: 1))
  }

  @Test func `fixed numbers need all their bytes`() {
    #expect(error([0x11, 1, 2, 3]) == WireError(.truncated, at: 1))
    #expect(error([0x25, 1, 2, 3]) == WireError(.truncated, at: 1))
  }

  @Test func `groups are stepped over with what is in them`() throws {
    let bytes: [UInt8] = [0x0B, 0x10, 0x05, 0x1B, 0x1C, 0x1A, 1, 0xFF, 0x0C, 0x08, 0x2A]
    var cursor = WireCursor(bytes.span)
    let group = try #require(try cursor.readField())
    #expect(group.tag.type == .startGroup && group.range == WireRange(0, 9))
    #expect(try cursor.readField()?.number == 42)
  }

  @Test func `groups must be balanced and not too deep`() {
    #expect(error([0x0B, 0x08, 0x01])?.reason == .truncated)
    #expect(error([0x0B, 0x14])?.reason == .unbalancedGroup)
    #expect(error([0x0C])?.reason == .unbalancedGroup)
    #expect(error([UInt8](repeating: 0x0B, count: 10_000))?.reason == .tooDeep)
  }

  @Test func `a nested cursor reports offsets of the whole buffer and ends where its message ends`() throws {
    let bytes: [UInt8] = [0x0A, 0x02, 0x08, 0x80, 0x01]
    var cursor = WireCursor(bytes.span)
    let tag = try cursor.nextTag()
    #expect(tag == .lengthDelimited(1))
    var nested = try cursor.readMessage()
    var thrown: WireError?
    do throws(WireError) { _ = try nested.readField() } catch { thrown = error }
    #expect(thrown == WireError(.truncated, at: 3))
  }

  @Test func `reading without errors stops for good at malformed bytes`() {
    let bytes: [UInt8] = [0x08, 0x01, 0x1A, 0x7F, 0x08, 0x02]
    var cursor = WireCursor(bytes.span)
    #expect(cursor.nextField()?.number == 1)
    #expect(cursor.nextField() == nil)
    #expect(cursor.nextField() == nil)
    var other = WireCursor(bytes.span)
    #expect(other.nextNumber(of: .varint(1)) == 1)
    #expect(other.nextNumber(of: .varint(1)) == nil)
    var third = WireCursor(bytes.span)
    #expect(third.nextPayload(of: .lengthDelimited(3)) == nil)
  }

  @Test func `a range outside of the buffer is cut to fit`() {
    let bytes: [UInt8] = [0x08, 0x01]
    var cursor = WireCursor(bytes.span, in: WireRange(5, 90))
    let isAtEnd = cursor.isAtEnd
    #expect(isAtEnd)
    #expect(cursor.nextField() == nil)
  }

  @Test func `random bytes never trap`() {
    var state: UInt64 = 42
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      for _ in 0..<Int(state >> 59) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(UInt8(truncatingIfNeeded: state >> 40) & (state >> 62 == 0 ? 0xFF : 0x1F))
      }
      if let error = error(bytes) { #expect((0...bytes.count).contains(error.offset)) }
    }
  }

  @Test func `errors read as sentences`() {
    #expect(
      String(describing: WireError(.lengthBeyondEnd, at: 17))
        == "malformed protobuf at byte 17: a length points beyond the end of its message")
  }
}
