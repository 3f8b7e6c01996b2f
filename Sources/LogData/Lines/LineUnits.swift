internal import NativeCodecs

/// How the characters that matter to framing look in an encoding: line feed, carriage return, tab and space.
///
/// Every unit has one width: one byte in UTF-8 and the encodings of one or more bytes that keep these characters apart,
/// two in UTF-16, four in UTF-32.
package struct LineUnits: Sendable, Hashable {
  /// Bytes of a unit: 1, 2 or 4.
  package let width: Int
  /// The units as numbers, their first byte lowest.
  package let lineFeed: UInt32
  package let carriageReturn: UInt32
  package let tab: UInt32
  package let space: UInt32
  /// A byte of the line feed that is rare, and its place within the unit.
  let markByte: UInt8
  let markPlace: Int

  /// - Parameter encoded: the bytes of line feed, carriage return, tab and space, in this order and of equal width.
  package init?(encoded: [UInt8]) {
    guard [4, 8, 16].contains(encoded.count) else { return nil }
    let width = encoded.count / 4
    self.width = width
    func unit(_ number: Int) -> UInt32 {
      encoded[(number * width)..<((number + 1) * width)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    lineFeed = unit(0)
    carriageReturn = unit(1)
    tab = unit(2)
    space = unit(3)
    markPlace = encoded[..<width].firstIndex { $0 != 0 } ?? 0
    markByte = encoded[markPlace]
  }

  /// Asks the C library for the units of an encoding; nil when it does not know it, or writes them in ways that a search
  /// for line feeds could not follow.
  init?(of name: String) {
    let characters = "\n\r\t "
    // Some encodings put a mark in front of every text.
    let single = characters.map { TextConverter.encode(String($0), in: name) ?? [] }
    guard let together = TextConverter.encode(characters, in: name), single.flatMap(\.self) == together,
      Set(single.map(\.count)).count == 1
    else { return nil }
    self.init(encoded: together)
  }

  private init(width: Int, shift: UInt32) {
    self.width = width
    lineFeed = 0x0A << shift
    carriageReturn = 0x0D << shift
    tab = 0x09 << shift
    space = 0x20 << shift
    markByte = 0x0A
    markPlace = Int(shift / 8)
  }

  /// ASCII, UTF-8 and all encodings in which these characters are the bytes of ASCII.
  package static let bytes = LineUnits(width: 1, shift: 0)
  package static let utf16LittleEndian = LineUnits(width: 2, shift: 0)
  package static let utf16BigEndian = LineUnits(width: 2, shift: 8)

  /// The unit at an offset; the caller knows that it is whole.
  @inline(__always)
  func unit(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
    if width == 1 { return UInt32(bytes[offset]) }
    var value: UInt32 = 0
    var place = width
    while place > 0 {
      place -= 1
      value = value << 8 | UInt32(bytes[offset + place])
    }
    return value
  }

  @inline(__always)
  func isWhitespace(_ unit: UInt32) -> Bool {
    unit == space || unit == carriageReturn || unit == lineFeed || unit == tab
  }

  /// The first line feed within `from..<to`, among units that are counted from `start`; nil when there is none.
  func firstLineFeed(in bytes: Span<UInt8>, start: Int, from: Int, to end: Int) -> Int? {
    if width == 1 { return bytes.firstOffset(of: markByte, from: from, to: end) }
    var position = from
    while let found = bytes.firstOffset(of: markByte, from: position, to: end) {
      let place = found - markPlace
      if place >= from, (place - start) % width == 0, place + width <= end, unit(bytes, at: place) == lineFeed
      {
        return place
      }
      position = found + 1
    }
    return nil
  }
}
