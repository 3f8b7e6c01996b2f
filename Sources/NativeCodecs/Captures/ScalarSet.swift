/// A set of Unicode scalars: ranges in order, none touching another. Surrogates count as RE2 counts them, as scalars.
struct ScalarSet: Hashable, Sendable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let last: UInt32 = 0x10_FFFF
  static let all = ScalarSet([0...last])

  init(_ ranges: [ClosedRange<UInt32>]) {
    self.ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let before = self.ranges.last, range.lowerBound <= before.upperBound + 1 {
        self.ranges[self.ranges.count - 1] = before.lowerBound...max(before.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  var inverted: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= Self.last { result.append(next...Self.last) }
    return ScalarSet(result)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  /// With the letters of the other case; nil beyond ASCII, whose folding is not known here.
  ///
  /// U+017F and U+212A are the only others that fold to letters of ASCII, to `s` and `k`.
  var foldedASCII: ScalarSet? {
    guard let last = ranges.last else { return self }
    guard last.upperBound < 0x80 else { return nil }
    var result = ranges
    for range in ranges {
      for (letters, distance) in [(UInt32(0x41)...0x5A, 32), (0x61...0x7A, -32)] where range.overlaps(letters)
      {
        let both = range.clamped(to: letters)
        let (low, high) = (Int(both.lowerBound) + distance, Int(both.upperBound) + distance)
        result.append(UInt32(low)...UInt32(high))
      }
      if range.contains(0x4B) || range.contains(0x6B) { result.append(0x212A...0x212A) }
      if range.contains(0x53) || range.contains(0x73) { result.append(0x17F...0x17F) }
    }
    return ScalarSet(result)
  }

  /// The UTF-8 sequences of the scalars, each as the ranges of its bytes, in RE2's terms.
  ///
  /// - Important: where a set goes on from U+0080 to the end, RE2 takes every lead byte with the right number of
  ///   continuation bytes, overlong and too large ones too. What follows from that for text which is not UTF-8 is the
  ///   same here.
  var byteSequences: [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    for range in ranges { Self.add(range.lowerBound, range.upperBound, to: &result) }
    return result
  }

  private static func add(_ low: UInt32, _ high: UInt32, to result: inout [[ClosedRange<UInt8>]]) {
    if low == 0x80 && high == last {
      result += [
        [0xC2...0xDF, 0x80...0xBF], [0xE0...0xEF, 0x80...0xBF, 0x80...0xBF],
        [0xF0...0xF4, 0x80...0xBF, 0x80...0xBF, 0x80...0xBF],
      ]
      return
    }
    // Parts of one length.
    for most: UInt32 in [0x7F, 0x7FF, 0xFFFF] where low <= most && most < high {
      add(low, most, to: &result)
      add(most + 1, high, to: &result)
      return
    }
    if high < 0x80 {
      result.append([UInt8(low)...UInt8(high)])
      return
    }
    // Parts whose bytes vary independently.
    for shift in [6, 12, 18] {
      let mask = (UInt32(1) << shift) - 1
      guard low & ~mask != high & ~mask else { continue }
      if low & mask != 0 {
        add(low, low | mask, to: &result)
        add((low | mask) + 1, high, to: &result)
        return
      }
      if high & mask != mask {
        add(low, (high & ~mask) - 1, to: &result)
        add(high & ~mask, high, to: &result)
        return
      }
    }
    result.append(zip(utf8(low), utf8(high)).map { $0...$1 })
  }

  private static func utf8(_ scalar: UInt32) -> [UInt8] {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
    if scalar < 0x80 { return [UInt8(scalar)] }
    if scalar < 0x800 { return [UInt8(0xC0 | scalar >> 6), tail(0)] }
    if scalar < 0x1_0000 { return [UInt8(0xE0 | scalar >> 12), tail(6), tail(0)] }
    return [UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
  }
}

extension ScalarSet {
  static let digits = ScalarSet([0x30...0x39])
  static let spaces = ScalarSet([0x09...0x0A, 0x0C...0x0D, 0x20...0x20])
  static let words = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let lineEnd = ScalarSet([0x0A...0x0A])

  /// The set of `[:name:]`.
  static func posix(_ name: String) -> ScalarSet? {
    switch name {
    case "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A])
    case "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A])
    case "ascii": ScalarSet([0x00...0x7F])
    case "blank": ScalarSet([0x09...0x09, 0x20...0x20])
    case "cntrl": ScalarSet([0x00...0x1F, 0x7F...0x7F])
    case "digit": digits
    case "graph": ScalarSet([0x21...0x7E])
    case "lower": ScalarSet([0x61...0x7A])
    case "print": ScalarSet([0x20...0x7E])
    case "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    case "space": ScalarSet([0x09...0x0D, 0x20...0x20])
    case "upper": ScalarSet([0x41...0x5A])
    case "word": words
    case "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    default: nil
    }
  }
}
