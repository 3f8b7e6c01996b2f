/// Attributes of type double as text: the fewest digits that read back as the same number.
package enum AttributeFloat {
  /// Appends a number as OpenTelemetry writes an attribute of type double as text: without an exponent where that is
  /// not long, and without `.0`.
  package static func append(_ value: Double, to output: inout [UInt8]) {
    if appendSpecial(value, to: &output) { return }
    let digits = Digits(value)
    if digits.exponent < -6 || digits.exponent >= 21 {
      digits.appendScientific(to: &output)
    } else {
      digits.appendPlain(to: &output)
    }
  }

  private static func appendSpecial(_ value: Double, to output: inout [UInt8]) -> Bool {
    if value.isNaN {
      output.append(contentsOf: [0x4e, 0x61, 0x4e])
    } else if value.isInfinite {
      output.append(contentsOf: [value > 0 ? 0x2b : 0x2d, 0x49, 0x6e, 0x66])
    } else {
      return false
    }
    return true
  }

  /// The shortest decimal digits of a finite number: 0.d₁d₂… · 10^(exponent + 1).
  private struct Digits {
    var isNegative = false
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var count = 0
    /// Of the first digit, as in scientific notation.
    var exponent = 0

    init(_ value: Double) {
      isNegative = value.sign == .minus
      var seenPoint = false
      var power = 0
      var isPower = false
      var powerIsNegative = false
      var leading = 0
      for byte in value.magnitude.description.utf8 {
        switch byte {
        case UInt8(ascii: "."): seenPoint = true
        case UInt8(ascii: "e"): isPower = true
        case UInt8(ascii: "-"): powerIsNegative = true
        case UInt8(ascii: "+"): break
        default:
          let digit = Int(byte) - 0x30
          if isPower {
            power = power * 10 + digit
          } else if count == 0, digit == 0 {
            if seenPoint { leading += 1 }
          } else {
            if !seenPoint { exponent += 1 }
            if count < 20 {
              digits[count] = byte
              count += 1
            }
          }
        }
      }
      // `exponent` counts the digits before the point; without any, zeros follow the point.
      exponent = exponent - 1 - leading + (powerIsNegative ? -power : power)
      while count > 0, digits[count - 1] == 0x30 { count -= 1 }
      if count == 0 {
        digits[0] = 0x30
        (count, exponent) = (1, 0)
      }
    }

    func appendScientific(to output: inout [UInt8]) {
      if isNegative { output.append(0x2d) }
      output.append(digits[0])
      if count > 1 { output.append(0x2e) }
      for index in 1..<max(count, 1) { output.append(digits[index]) }
      output.append(contentsOf: [0x65, exponent < 0 ? 0x2d : 0x2b])
      output.append(contentsOf: String(exponent.magnitude).utf8)
    }

    func appendPlain(to output: inout [UInt8]) {
      if isNegative { output.append(0x2d) }
      if exponent < 0 {
        output.append(contentsOf: [0x30, 0x2e])
        output.append(contentsOf: repeatElement(0x30, count: -exponent - 1))
        for index in 0..<count { output.append(digits[index]) }
        return
      }
      for index in 0..<max(count, exponent + 1) {
        if index == exponent + 1 { output.append(0x2e) }
        output.append(index < count ? digits[index] : 0x30)
      }
    }
  }
}
