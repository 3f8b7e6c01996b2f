internal import Glibc

extension DecimalDouble {
  /// The value of a number written as in C (`-1.5e300`), infinite when it is too large for a double.
  ///
  /// For the few numbers that ``nearest(significand:exponent:)`` leaves. `strtod` wants a closed C string, hence the copy,
  /// on the stack where it fits; the process never leaves the C locale, whose decimal point is a point.
  package static func read(_ text: Span<UInt8>, from start: Int, to end: Int) -> Double {
    let digits = text.extracting(start..<end)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: digits.count + 1) { copy in
      for index in digits.indices { unsafe copy[index] = CChar(bitPattern: digits[index]) }
      unsafe copy[digits.count] = 0
      guard let base = copy.baseAddress else { return .nan }
      return unsafe strtod(base, nil)
    }
  }
}
