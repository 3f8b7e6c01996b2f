internal import TelemetryData
internal import WireFormat

/// What a stream of data points, or of equal log records, is found by: a seeded hash of all that it is.
///
/// 128 bits of which nobody outside knows the seed: no two streams are taken for one, and what they are need not be
/// kept to be compared.
struct StreamID: Hashable, Sendable {
  var high: UInt64
  var low: UInt64
}

/// Where the hashes of a table begin.
struct StreamSeed: Sendable {
  let high: UInt64
  let low: UInt64

  /// - Parameter unit: a source of numbers from 0 up to 1.
  init(_ unit: () -> Double) {
    func word() -> UInt64 { UInt64(unit() * 0x1p32) << 32 | UInt64(unit() * 0x1p32) }
    high = word() ^ 0x243F_6A88_85A3_08D3
    low = word() ^ 0x1319_8A2E_0370_7344
  }
}

/// A hash under way: two lanes of folded multiplications.
struct StreamDigest: Sendable {
  private var high: UInt64
  private var low: UInt64
  private let seed: StreamSeed

  init(_ seed: StreamSeed) {
    self.seed = seed
    high = seed.high
    low = seed.low
  }

  /// A hash that goes on where another ended.
  init(_ seed: StreamSeed, from id: StreamID) {
    self.seed = seed
    high = id.high
    low = id.low
  }

  var id: StreamID {
    StreamID(
      high: Self.fold(high ^ seed.low, 0xC2B2_AE3D_27D4_EB4F),
      low: Self.fold(low ^ seed.high, 0x9E37_79B1_85EB_CA87))
  }

  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  mutating func add(_ word: UInt64) {
    let before = high
    high = Self.fold(high ^ word ^ seed.high, 0xD6E8_FEB8_6659_FD93) &+ low
    low = Self.fold(low ^ word ^ seed.low, 0xA076_1D64_78BD_642F) ^ before
  }

  mutating func add(_ id: StreamID) {
    add(id.high)
    add(id.low)
  }

  mutating func add(_ bytes: Span<UInt8>) {
    let count = bytes.count
    add(UInt64(truncatingIfNeeded: count))
    var position = 0
    while position &+ 8 <= count {
      add(bytes.loadUInt64(at: position))
      position &+= 8
    }
    if position == count { return }
    var rest: UInt64 = 0
    while position < count {
      rest = rest << 8 | UInt64(bytes[position])
      position &+= 1
    }
    add(rest)
  }

  mutating func add(_ text: BytesView) { add(text.span) }

  /// Adds attributes, whatever their order.
  mutating func add(_ attributes: AttributesView, depth: Int = 0) {
    var (count, high, low): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var iterator = attributes.makeIterator()
    while let attribute = iterator.next() {
      var one = StreamDigest(seed)
      one.add(attribute.key)
      one.add(attribute.value, depth: depth)
      let id = one.id
      high &+= id.high
      low &+= id.low
      count &+= 1
    }
    add(count)
    add(high)
    add(low)
  }

  /// Adds a value; what is nested deeper than 64 levels does not count.
  mutating func add(_ value: AnyValueView, depth: Int = 0) {
    add(UInt64(value.kind.rawValue))
    switch value.kind {
    case .empty: break
    case .string, .bytes: add(value.bytes)
    case .bool: add(value.bool ? 1 : 0)
    case .int: add(UInt64(bitPattern: value.int))
    case .double: add(value.double.bitPattern)
    case .stringIndex: add(UInt64(truncatingIfNeeded: value.stringIndex))
    case .keyValueList: if depth < 64 { add(value.keyValueList, depth: depth + 1) }
    case .array:
      if depth == 64 { return }
      var count: UInt64 = 0
      var iterator = value.array.makeIterator()
      while let element = iterator.next() {
        add(element, depth: depth + 1)
        count &+= 1
      }
      add(count)
    }
  }
}
