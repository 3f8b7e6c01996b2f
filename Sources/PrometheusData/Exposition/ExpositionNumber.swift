internal import WireFormat

/// A floating-point number as Go's `ParseFloat` reads it, less hexadecimal digits and underscores: what Prometheus takes
/// for a value, in text and in OpenMetrics.
struct ExpositionNumber {
  var value: Double
  /// The offset behind the number.
  var end: Int

  /// Reads the number at an offset, or returns nil when there is none, or one too large for a double.
  ///
  /// It stops behind the number; what may follow is for the caller to say.
  @inline(__always)
  init?(_ text: Span<UInt8>, at start: Int) {
    var place = start
    var isNegative = false
    if place < text.count, text[place] == 0x2D {
      isNegative = true
      place &+= 1
    }
    let first = place
    var significand: UInt64 = 0
    while place < text.count, ExpositionCharacters.isDigit(text[place]) {
      significand = significand &* 10 &+ UInt64(text[place] &- 0x30)
      place &+= 1
    }
    var digits = place &- first
    var exponent = 0
    if place < text.count, text[place] == 0x2E {
      place &+= 1
      let fraction = place
      while place < text.count, ExpositionCharacters.isDigit(text[place]) {
        significand = significand &* 10 &+ UInt64(text[place] &- 0x30)
        place &+= 1
      }
      exponent = fraction &- place
      digits &-= exponent
    }
    if place < text.count, text[place] | 0x20 == 0x65 {
      place &+= 1
      guard let power = Self.exponent(text, &place) else { return nil }
      exponent &+= power
    }
    // Nineteen digits, zeros in front among them, cannot overflow.
    if digits > 0, digits <= 19,
      let magnitude = DecimalDouble.nearest(significand: significand, exponent: exponent)
    {
      value = isNegative ? -magnitude : magnitude
      end = place
      return
    }
    guard let number = Self.unusual(text, from: start, to: place, digits: digits) else { return nil }
    self = number
  }

  private init(value: Double, end: Int) {
    self.value = value
    self.end = end
  }

  @inline(__always)
  private static func exponent(_ text: Span<UInt8>, _ place: inout Int) -> Int? {
    var isDown = false
    if place < text.count, text[place] == 0x2B || text[place] == 0x2D {
      isDown = text[place] == 0x2D
      place &+= 1
    }
    let first = place
    var value = 0
    while place < text.count, ExpositionCharacters.isDigit(text[place]) {
      value = min(value &* 10 &+ Int(text[place] &- 0x30), 1_000_000_000)
      place &+= 1
    }
    if place == first { return nil }
    return isDown ? -value : value
  }

  /// Numbers of many digits or far from one, those with a plus sign, infinity and NaN.
  @inline(never)
  private static func unusual(
    _ text: Span<UInt8>, from start: Int, to end: Int, digits: Int
  ) -> ExpositionNumber? {
    if digits > 0 {
      let value = DecimalDouble.read(text, from: start, to: end)
      return value.isInfinite ? nil : ExpositionNumber(value: value, end: end)
    }
    if start < text.count, text[start] == 0x2B {
      // Not a second sign behind it.
      if start + 1 < text.count, text[start + 1] == 0x2B || text[start + 1] == 0x2D { return nil }
      guard let number = ExpositionNumber(text, at: start + 1), !number.value.isNaN else { return nil }
      return number
    }
    let isNegative = start < text.count && text[start] == 0x2D
    let word = isNegative ? start + 1 : start
    if let end = endOfWord("infinity", text, word) ?? endOfWord("inf", text, word) {
      return ExpositionNumber(value: isNegative ? -.infinity : .infinity, end: end)
    }
    if !isNegative, let end = endOfWord("nan", text, word) {
      return ExpositionNumber(value: normalNaN, end: end)
    }
    return nil
  }

  /// The one NaN that Prometheus stores as a value, apart from ``StaleMarker``.
  static let normalNaN = Double(bitPattern: 0x7ff8_0000_0000_0001)

  private static func endOfWord(_ word: StaticString, _ text: Span<UInt8>, _ start: Int) -> Int? {
    var place = start
    for byte in word.description.utf8 {
      if place >= text.count || text[place] | 0x20 != byte { return nil }
      place += 1
    }
    return place
  }
}
