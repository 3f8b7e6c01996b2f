/// Numbers as OpenMetrics and Prometheus 3 write them in `le` and `quantile` labels: the shortest digits that read back
/// as the same double, with an exponent below 10^-4 and from 10^6 on, and `.0` behind a whole number.
package enum ExpositionFloat {
  package static func text(_ value: Double) -> String {
    var text: [UInt8] = []
    append(value, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  package static func append(_ value: Double, to text: inout [UInt8]) {
    if value.isNaN { return text.append(contentsOf: "NaN".utf8) }
    if value.isInfinite { return text.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8) }
    if value == 0 { return text.append(contentsOf: "0.0".utf8) }
    if value < 0 { text.append(0x2D) }
    let (digits, point) = shortest(value.magnitude)
    if point < -3 || point > 6 {
      appendScientific(digits, exponent: point - 1, to: &text)
    } else if point <= 0 {
      text.append(contentsOf: "0.".utf8)
      text.append(contentsOf: repeatElement(0x30, count: -point))
      text.append(contentsOf: digits)
    } else {
      text.append(contentsOf: digits.prefix(point))
      text.append(contentsOf: repeatElement(0x30, count: max(0, point - digits.count)))
      text.append(0x2E)
      text.append(contentsOf: digits.dropFirst(point))
      if digits.count <= point { text.append(0x30) }
    }
  }

  private static func appendScientific(_ digits: [UInt8], exponent: Int, to text: inout [UInt8]) {
    text.append(digits[0])
    if digits.count > 1 {
      text.append(0x2E)
      text.append(contentsOf: digits.dropFirst())
    }
    text.append(contentsOf: (exponent < 0 ? "e-" : "e+").utf8)
    if exponent.magnitude < 10 { text.append(0x30) }
    text.append(contentsOf: String(exponent.magnitude).utf8)
  }

  /// The digits of a positive number, without zeros around them, and how many of them stand before the point.
  private static func shortest(_ value: Double) -> (digits: [UInt8], point: Int) {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    // Swift writes the shortest digits that read back too, with a point or an exponent of its own choice.
    let words = value.description.split(separator: "e")
    for byte in words[0].utf8 {
      if byte == 0x2E { point = digits.count } else { digits.append(byte) }
    }
    if words.count > 1 { exponent = Int(words[1]) ?? 0 }
    let zeros = digits.prefix { $0 == 0x30 }.count
    let whole = (point ?? digits.count) + exponent - zeros
    digits.removeFirst(zeros)
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    return (digits, whole)
  }
}
