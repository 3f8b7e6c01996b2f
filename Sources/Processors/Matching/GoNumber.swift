/// Numbers as the Collector writes them where it makes text of them.
enum GoNumber {
  /// The shortest text that reads back as the same number, without an exponent (Go's `'f'` format).
  static func text(of value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let text = "\(value)"
    guard let mark = text.firstIndex(of: "e") else {
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    guard let exponent = Int(text[text.index(after: mark)...]) else { return text }
    let mantissa = text[..<mark]
    let sign = mantissa.hasPrefix("-") ? "-" : ""
    let digits = mantissa.filter { $0 != "-" && $0 != "." }
    let whole = mantissa.split(separator: ".").first.map { $0.filter { $0 != "-" }.count } ?? 1
    var place = whole + exponent
    var trimmed = digits[...]
    while trimmed.count > 1, trimmed.hasSuffix("0"), trimmed.count > max(place, 1) { trimmed.removeLast() }
    if place <= 0 {
      let zeros = String(repeating: "0", count: -place)
      return "\(sign)0.\(zeros)\(trimmed)"
    }
    if trimmed.count <= place {
      place -= trimmed.count
      return sign + trimmed + String(repeating: "0", count: place)
    }
    return "\(sign)\(trimmed.prefix(place)).\(trimmed.dropFirst(place))"
  }
}
