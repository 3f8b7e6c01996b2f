extension String.StringInterpolation {
  /// A number with leading zeros up to `width` digits.
  package mutating func appendInterpolation(_ value: Int, width: Int) {
    let digits = String(value)
    appendLiteral(String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits)
  }
}

/// Decimal digits in bytes.
enum DecimalText {
  /// Appends a number with leading `padding` up to `width` digits; a minus sign comes first.
  static func append(
    _ value: Int, width: Int, padding: UInt8 = UInt8(ascii: "0"), to bytes: inout [UInt8]
  ) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    var divisor: UInt = 1
    var digits = 1
    while magnitude / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    for _ in 0..<max(0, width - digits) { bytes.append(padding) }
    while divisor > 0 {
      bytes.append(UInt8(truncatingIfNeeded: magnitude / divisor % 10) + 48)
      divisor /= 10
    }
  }

  /// The first `digits` digits of the nine of a nanosecond, with all zeros.
  static func appendFraction(_ nanosecond: Int, digits: Int, to bytes: inout [UInt8]) {
    var divisor = 100_000_000
    for _ in 0..<digits {
      bytes.append(divisor == 0 ? 48 : UInt8(truncatingIfNeeded: nanosecond / divisor % 10) + 48)
      divisor /= 10
    }
  }
}

extension Span<UInt8> {
  /// The value of the digit at an index; more than 9 when there is none, or no such index.
  @inline(__always)
  func digit(_ index: Int) -> Int {
    index < count ? Int(self[index] &- 48) : 255
  }

  /// The number in two digits at an index; negative when there are none.
  @inline(__always)
  func twoDigits(_ index: Int) -> Int {
    guard index &+ 1 < count else { return -1 }
    let tens = Int(self[index] &- 48)
    let ones = Int(self[index &+ 1] &- 48)
    return tens > 9 || ones > 9 ? -1 : tens &* 10 &+ ones
  }
}
