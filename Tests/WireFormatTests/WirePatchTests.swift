import Testing
import WireFormat

struct WirePatchTests {
  /// field 1 { field 1: "aaaa", field 2 { field 1: "bb" } }, field 2: 5
  static func sample() -> [UInt8] {
    var writer = WireWriter()
    writer.message(1) { outer in
      outer.stringField(1, "aaaa")
      outer.message(2) { $0.stringField(1, "bb") }
    }
    writer.varintField(2, 5)
    return writer.finish()
  }

  static func expected(a: String?, b: String?, extra: Bool) -> [UInt8] {
    var writer = WireWriter()
    writer.message(1) { outer in
      if let a { outer.stringField(1, a) }
      outer.message(2) { inner in
        if let b { inner.stringField(1, b) }
        if extra { inner.varintField(9, 1) }
      }
    }
    writer.varintField(2, 5)
    return writer.finish()
  }

  enum Order: CaseIterable { case ascending, descending }

  @Test(
    arguments: Order.allCases,
    [nil, "", "c", String(repeating: "x", count: 126), String(repeating: "y", count: 20_000)])
  func `replacements recompute the lengths around them`(order: Order, text: String?) throws {
    let source = Self.sample()
    // 0A len, 0A 04 aaaa at 2..<8, 12 len at 8, 0A 02 bb at 10..<14
    var patch = WirePatch()
    let outer = patch.frame(lengthStart: 1, payload: WireRange(2, 14), in: .root)
    let inner: WirePatch.Frame
    func write(_ patch: inout WirePatch, _ text: String?) -> WirePatch.Piece {
      let start = patch.pieces.count
      if let text { patch.pieces.stringField(1, text) }
      return patch.piece(from: start)
    }
    switch order {
    case .ascending:
      let a = write(&patch, text)
      patch.replace(WireRange(2, 8), with: a, in: outer)
      inner = patch.frame(lengthStart: 9, payload: WireRange(10, 14), in: outer)
      let b = write(&patch, text)
      patch.replace(WireRange(10, 14), with: b, in: inner)
    case .descending:
      inner = patch.frame(lengthStart: 9, payload: WireRange(10, 14), in: outer)
      let b = write(&patch, text)
      patch.replace(WireRange(10, 14), with: b, in: inner)
      let a = write(&patch, text)
      patch.replace(WireRange(2, 8), with: a, in: outer)
    }
    let start = patch.pieces.count
    patch.pieces.varintField(9, 1)
    let extra = patch.piece(from: start)
    patch.insert(extra, at: 14, in: inner)
    #expect(try patch.apply(to: source) == Self.expected(a: text, b: text, extra: true))
  }

  @Test func `insertions at one place go to inner messages first`() throws {
    let source = Self.sample()
    var patch = WirePatch()
    let outer = patch.frame(lengthStart: 1, payload: WireRange(2, 14), in: .root)
    let start = patch.pieces.count
    patch.pieces.varintField(8, 3)
    let piece = patch.piece(from: start)
    patch.insert(piece, at: 14, in: outer)
    let inner = patch.frame(lengthStart: 9, payload: WireRange(10, 14), in: outer)
    patch.insert(piece, at: 14, in: inner)
    var expected = WireWriter()
    expected.message(1) { outer in
      outer.stringField(1, "aaaa")
      outer.message(2) { inner in
        inner.stringField(1, "bb")
        inner.varintField(8, 3)
      }
      outer.varintField(8, 3)
    }
    expected.varintField(2, 5)
    #expect(try patch.apply(to: source) == expected.finish())
  }

  @Test func `an empty patch gives the source and a revised one its last state`() throws {
    let source = Self.sample()
    #expect(try WirePatch().apply(to: source) == source)
    var patch = WirePatch()
    let outer = patch.frame(lengthStart: 1, payload: WireRange(2, 14), in: .root)
    patch.pieces.stringField(1, "first")
    let first = patch.piece(from: 0)
    patch.replace(WireRange(2, 8), with: first, in: outer)
    var position = -1
    patch.forEachReplacement(in: outer) { at, range, piece in
      #expect(range == WireRange(2, 8) && piece == first)
      position = at
    }
    patch.revise(at: position, with: .nothing)
    #expect(try patch.apply(to: source) == Self.expected(a: nil, b: "bb", extra: false))
  }

  @Test func `neighbouring deletions become one and keep lengths right`() throws {
    let source = Self.sample()
    var patch = WirePatch()
    let outer = patch.frame(lengthStart: 1, payload: WireRange(2, 14), in: .root)
    patch.delete(WireRange(2, 8), in: outer)
    patch.delete(WireRange(8, 14), in: outer)
    patch.delete(WireRange(14, 16), in: .root)
    #expect(try patch.apply(to: source) == [0x0A, 0])
  }
}
