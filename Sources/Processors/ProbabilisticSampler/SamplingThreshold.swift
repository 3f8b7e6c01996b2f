/// How many of the 2^56 values of randomness are rejected: the `th` of OpenTelemetry's tracestate.
///
/// Source: OpenTelemetry specification, "TraceState: Probability Sampling". Where it leaves a choice (how a probability
/// is rounded), the Collector's is taken, so that both make the same decisions.
struct SamplingThreshold: Hashable, Comparable, Sendable {
  /// From 0, which keeps everything, to 2^56, which keeps nothing.
  let rejected: UInt64

  /// The number of values that randomness can have.
  static let space: UInt64 = 1 << 56
  static let always = SamplingThreshold(rejected: 0)
  static let never = SamplingThreshold(rejected: space)
  /// Hexadecimal digits of a value without rounding.
  static let digits = 14

  init(rejected: UInt64) { self.rejected = rejected }

  /// Reads 1 to 14 hexadecimal digits; zeros at the end may be left out.
  init?(_ text: Span<UInt8>) {
    guard 1...Self.digits ~= text.count, let value = Hexadecimal.value(of: text) else { return nil }
    rejected = value << UInt64(4 * (Self.digits - text.count))
  }

  /// The threshold that keeps a fraction of all items.
  ///
  /// - Parameters:
  ///   - probability: from 2^-56 to 1; nil for others.
  ///   - precision: how many digits are kept besides leading `0` and `f`, 1 to 14.
  init?(probability: Double, precision: Int) {
    guard probability >= 1 / Double(Self.space), probability <= 1 else { return nil }
    if probability == 1 {
      self = .always
      return
    }
    // Near 0 and near 1 the first digits are all `f` or all `0` and say little: each adds one more.
    let leading = max(Self.leadingDigits(probability), Self.leadingDigits(1 - probability))
    let kept = min(Self.digits, precision + leading)
    let accepted = UInt64((probability * Double(Self.space)).rounded(.toNearestOrAwayFromZero))
    var value = Self.space - accepted
    let shift = UInt64(4 * (Self.digits - kept))
    if shift > 0 { value = ((value + 1 << (shift - 1)) >> shift) << shift }
    rejected = value
  }

  /// How often 16 fits into the distance of a fraction from 1.
  private static func leadingDigits(_ fraction: Double) -> Int { max(0, -(Int(fraction.exponent) + 1)) / 4 }

  /// The fraction of items that is kept.
  var probability: Double { Double(Self.space - rejected) / Double(Self.space) }

  func keeps(_ randomness: UInt64) -> Bool { rejected <= randomness }

  static func < (a: Self, b: Self) -> Bool { a.rejected < b.rejected }

  /// Writes the digits, without zeros at the end; nothing for a threshold that keeps nothing.
  func write(to output: inout [UInt8]) {
    if self == .never { return }
    if self == .always { return output.append(0x30) }
    Hexadecimal.write(rejected, to: &output)
    while output.last == 0x30 { output.removeLast() }
  }
}

/// Hexadecimal digits of 56-bit numbers.
enum Hexadecimal {
  /// The number that 1 to 14 digits of either case spell; nil when they do not.
  static func value(of text: Span<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for index in text.indices {
      let digit: UInt8
      switch text[index] {
      case 0x30...0x39: digit = text[index] - 0x30
      case 0x41...0x46: digit = text[index] - 0x37
      case 0x61...0x66: digit = text[index] - 0x57
      default: return nil
      }
      value = value << 4 | UInt64(digit)
    }
    return value
  }

  /// Writes 14 digits in lower case.
  static func write(_ value: UInt64, to output: inout [UInt8]) {
    var shift: UInt64 = 56
    while shift > 0 {
      shift -= 4
      let digit = UInt8(truncatingIfNeeded: value >> shift) & 15
      output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }
}
