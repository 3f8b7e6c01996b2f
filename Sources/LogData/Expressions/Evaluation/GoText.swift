/// Numbers as Go writes them.
enum GoText {
  /// A float in the fewest digits that mean it: as `%v` writes it, with an exponent below -4 and from 6 or
  /// more, or as `encoding/json` does, below -6 and from 21.
  static func append(_ value: Double, isJSON: Bool, to bytes: inout [UInt8]) {
    guard value.isFinite else {
      bytes.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf").utf8)
      return
    }
    if value.sign == .minus { bytes.append(UInt8(ascii: "-")) }
    let (digits, point) = shortest(value.magnitude)
    let exponent = point - 1
    let usesExponent =
      isJSON ? value != 0 && (exponent < -6 || exponent >= 21) : exponent < -4 || exponent >= 6
    if usesExponent {
      bytes.append(digits[0])
      if digits.count > 1 {
        bytes.append(UInt8(ascii: "."))
        bytes.append(contentsOf: digits[1...])
      }
      bytes.append(contentsOf: (exponent < 0 ? "e-" : "e+").utf8)
      let size = exponent.magnitude
      // Go writes two digits at least, but JSON's encoder drops a zero before the one of a negative exponent.
      if size < 10, !(isJSON && exponent < 0) { bytes.append(UInt8(ascii: "0")) }
      bytes.append(contentsOf: "\(size)".utf8)
    } else if point <= 0 {
      bytes.append(contentsOf: "0.".utf8)
      bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
      bytes.append(contentsOf: digits)
    } else {
      bytes.append(contentsOf: digits.prefix(point))
      bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, point - digits.count)))
      if digits.count > point {
        bytes.append(UInt8(ascii: "."))
        bytes.append(contentsOf: digits[point...])
      }
    }
  }

  /// A duration as Go's `String` shows it: `1h30m0s`, `1.5s`, `2ms`, `0s`; from a second on with each smaller
  /// unit.
  static func duration(_ nanoseconds: Int64) -> String {
    let size = nanoseconds.magnitude
    let sign = nanoseconds < 0 ? "-" : ""
    switch size {
    case 0: return "0s"
    case ..<1_000: return "\(sign)\(size)ns"
    case ..<1_000_000: return sign + decimal(size, unit: 1_000) + "µs"
    case ..<1_000_000_000: return sign + decimal(size, unit: 1_000_000) + "ms"
    default: break
    }
    let (hours, rest) = size.quotientAndRemainder(dividingBy: 3_600_000_000_000)
    let (minutes, seconds) = rest.quotientAndRemainder(dividingBy: 60_000_000_000)
    let lead = hours > 0 ? "\(hours)h\(minutes)m" : minutes > 0 ? "\(minutes)m" : ""
    return sign + lead + decimal(seconds, unit: 1_000_000_000) + "s"
  }

  private static func decimal(_ value: UInt64, unit: UInt64) -> String {
    var fraction = String(String(unit + value % unit).dropFirst())
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(value / unit)" + (fraction.isEmpty ? "" : ".\(fraction)")
  }

  /// The fewest digits that mean a number, and how many of them stand before the point.
  private static func shortest(_ value: Double) -> (digits: [UInt8], point: Int) {
    if value == 0 { return ([UInt8(ascii: "0")], 1) }
    // Swift writes the same digits in another layout.
    var digits: [UInt8] = []
    var point = 0
    var hasPoint = false
    var exponent = 0
    let text = Array(value.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      }
      if byte == UInt8(ascii: ".") {
        hasPoint = true
      } else {
        digits.append(byte)
        if !hasPoint { point += 1 }
      }
    }
    let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(zeros)
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, point - zeros + exponent)
  }
}
