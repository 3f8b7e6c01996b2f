internal import WireFormat

/// A JSON number taken apart: `significand * 10^exponent`, without loss where 64 bits suffice.
package struct JSONNumber {
  package var isNegative = false
  package var significand: UInt64 = 0
  package var exponent = 0
  /// Whether digits other than zero did not fit into the significand.
  package var isInexact = false
  /// The offset behind the number.
  package var end: Int

  /// Reads the number at an offset (RFC 8259 §6).
  ///
  /// - Parameter leadingZeros: Whether `007` is taken; in a JSON string it is, as other readers do.
  package init(
    _ text: Span<UInt8>, at start: Int, allowingLeadingZeros leadingZeros: Bool
  ) throws(JSONFault) {
    end = start
    if end < text.count, text[end] == 0x2D {
      isNegative = true
      end += 1
    }
    let whole = end
    readDigits(text, shifting: 0)
    if end == whole || (!leadingZeros && end > whole + 1 && text[whole] == 0x30) {
      throw JSONFault(.invalidNumber, at: start)
    }
    if end < text.count, text[end] == 0x2E {
      end += 1
      let fraction = end
      readDigits(text, shifting: -1)
      if end == fraction { throw JSONFault(.invalidNumber, at: start) }
    }
    if end < text.count, text[end] | 0x20 == 0x65 {
      try readExponent(text, start)
    }
  }

  private mutating func readDigits(_ text: Span<UInt8>, shifting shift: Int) {
    while end < text.count, JSONCharacters.isDigit(text[end]) {
      let digit = UInt64(text[end] &- 0x30)
      let (tenfold, overflows) = significand.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tenfold.addingReportingOverflow(digit)
      if isInexact || overflows || carries {
        // The value keeps its size through the exponent; from the first lost digit on, all are.
        if digit != 0 { isInexact = true }
        exponent += 1 + shift
      } else {
        significand = sum
        exponent += shift
      }
      end += 1
    }
  }

  private mutating func readExponent(_ text: Span<UInt8>, _ start: Int) throws(JSONFault) {
    end += 1
    var isDown = false
    if end < text.count, text[end] == 0x2B || text[end] == 0x2D {
      isDown = text[end] == 0x2D
      end += 1
    }
    let digits = end
    var value = 0
    while end < text.count, JSONCharacters.isDigit(text[end]) {
      value = min(value * 10 + Int(text[end] - 0x30), 1_000_000_000)
      end += 1
    }
    if end == digits { throw JSONFault(.invalidNumber, at: start) }
    exponent += isDown ? -value : value
  }

  /// The magnitude of an integer, or nil when it has a fraction or more than 64 bits.
  ///
  /// `1e3` and `5.0` are integers, as in protobuf's JSON form.
  package var magnitude: UInt64? {
    if significand == 0 { return isInexact ? nil : 0 }
    if isInexact { return nil }
    var value = significand
    var power = exponent
    while power < 0 {
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
      if remainder != 0 { return nil }
      value = quotient
      power += 1
    }
    while power > 0 {
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      if overflows { return nil }
      value = product
      power -= 1
    }
    return value
  }

  /// Whether a number without a ``magnitude`` has a fraction, rather than being too large.
  var hasFraction: Bool { exponent < 0 }

  /// The nearest double; infinite when the number is too large for one.
  ///
  /// - Parameters:
  ///   - text: What the number was read from, for the cases that need more than one exact operation.
  ///   - start: Where it started.
  package func double(_ text: Span<UInt8>, from start: Int) -> Double {
    if !isInexact, let value = DecimalDouble.nearest(significand: significand, exponent: exponent) {
      return isNegative ? -value : value
    }
    return DecimalDouble.read(text, from: start, to: end)
  }
}
