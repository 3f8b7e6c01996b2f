internal import WireFormat

/// The table of strings of a Remote Write 2.0 request, as it will stand in it.
struct SymbolTable: ~Copyable {
  /// The encoded `symbols` fields, the empty string first.
  private(set) var encoded: [UInt8] = []
  private var places: [WireRange] = []
  /// Numbers of symbols by hash, plus one; 0 is free. A power of two of places, at most half of them taken.
  private var slots: [UInt32]
  /// The generation changes when numbers lose their meaning.
  private(set) var generation: UInt64 = 0

  init() {
    slots = Array(repeating: 0, count: 1024)
    removeAll()
  }

  var size: Int { encoded.count }

  mutating func removeAll() {
    generation &+= 1
    encoded.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    for index in slots.indices { slots[index] = 0 }
    encoded.append(contentsOf: [0x22, 0x00])
    places.append(WireRange(start: 2, end: 2))
  }

  /// The number of a text, which gets one if it has none.
  mutating func number(of text: Span<UInt8>) -> UInt32 {
    if text.isEmpty { return 0 }
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: text.byteHash(seed: 0)) & mask
    while slots[slot] != 0 {
      let number = slots[slot] &- 1
      let place = places[Int(number)]
      if place.count == text.count, encoded.span.extracting(place.range).hasSameBytes(as: text) {
        return number
      }
      slot = (slot &+ 1) & mask
    }
    let number = UInt32(truncatingIfNeeded: places.count)
    slots[slot] = number &+ 1
    encoded.append(0x22)
    encoded.append(varint: text.count)
    let start = encoded.count
    encoded.append(text)
    places.append(WireRange(start, encoded.count))
    if places.count * 2 > slots.count { grow() }
    return number
  }

  private mutating func grow() {
    let mask = slots.count * 4 - 1
    var slots: [UInt32] = Array(repeating: 0, count: mask + 1)
    for number in 1..<places.count {
      let text = encoded.span.extracting(places[number].range)
      var slot = Int(truncatingIfNeeded: text.byteHash(seed: 0)) & mask
      while slots[slot] != 0 { slot = (slot &+ 1) & mask }
      slots[slot] = UInt32(truncatingIfNeeded: number) &+ 1
    }
    self.slots = slots
  }
}
