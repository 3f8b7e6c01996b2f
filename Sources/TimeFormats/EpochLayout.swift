/// A time as a number since 1 January 1970: `layout_type: epoch` of the Collector.
///
/// Where it differs: digits behind the dot are a decimal fraction, so that `1700000000.5` is half a second past in every
/// layout with a fraction; the Collector takes them as a count of the layout's unit. A number without a dot is fine.
package enum EpochLayout: String, Sendable, CaseIterable {
  case seconds = "s"
  case milliseconds = "ms"
  case microseconds = "us"
  case nanoseconds = "ns"
  case secondsAndMilliseconds = "s.ms"
  case secondsAndMicroseconds = "s.us"
  case secondsAndNanoseconds = "s.ns"

  /// How many of the unit make a second.
  private var unitsPerSecond: Int64 {
    switch self {
    case .milliseconds: 1_000
    case .microseconds: 1_000_000
    case .nanoseconds: 1_000_000_000
    default: 1
    }
  }

  /// How many digits of the fraction count; nil when there can be no fraction.
  private var fractionDigits: Int? {
    switch self {
    case .secondsAndMilliseconds: 3
    case .secondsAndMicroseconds: 6
    case .secondsAndNanoseconds: 9
    default: nil
    }
  }

  /// Nanoseconds since the epoch.
  package func nanoseconds(ofInteger value: Int64) throws(TimeTextError) -> Int64 {
    let (product, overflow) = value.multipliedReportingOverflow(by: 1_000_000_000 / unitsPerSecond)
    if overflow { throw TimeTextError(.range, at: 0) }
    return product
  }

  /// Nanoseconds since the epoch; layouts without a fraction leave it out, the others round it to their unit.
  package func nanoseconds(of value: Double) throws(TimeTextError) -> Int64 {
    // Beyond this, nanoseconds do not fit for sure, and the conversions below would trap.
    guard value > -9.3e18, value < 9.2e18 else { throw TimeTextError(.range, at: 0) }
    guard let digits = fractionDigits else { return try nanoseconds(ofInteger: Int64(value)) }
    let whole = value.rounded(.down)
    let units = Self.powers[digits]
    let fraction = Int64(((value - whole) * Double(units)).rounded())
    let (sum, overflow) = try nanoseconds(ofInteger: Int64(whole))
      .addingReportingOverflow(fraction * (1_000_000_000 / units))
    if overflow { throw TimeTextError(.range, at: 0) }
    return sum
  }

  private static let powers: [Int64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  ]

  /// Nanoseconds since the epoch, from digits that fill the whole text.
  package func nanoseconds(of text: Span<UInt8>) throws(TimeTextError) -> Int64 {
    var position = 0
    let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
    if isNegative || !text.isEmpty && text[0] == UInt8(ascii: "+") { position = 1 }
    let start = position
    // Negative numbers reach one further, so all are counted downwards.
    var value: Int64 = 0
    while position < text.count, text.digit(position) <= 9 {
      let (product, first) = value.multipliedReportingOverflow(by: 10)
      let (sum, second) = product.subtractingReportingOverflow(Int64(text.digit(position)))
      if first || second { throw TimeTextError(.range, at: 0) }
      value = sum
      position &+= 1
    }
    if position == start { throw TimeTextError(.number, at: position) }
    var fraction: Int64 = 0
    if let digits = fractionDigits, position < text.count, text[position] == UInt8(ascii: ".") {
      position &+= 1
      let start = position
      while position < text.count, text.digit(position) <= 9 {
        if position &- start < digits { fraction = fraction * 10 + Int64(text.digit(position)) }
        position &+= 1
      }
      if position == start { throw TimeTextError(.fraction, at: position) }
      fraction *= Self.powers[9 &- Swift.min(position &- start, digits)]
    }
    if position < text.count { throw TimeTextError(.surplus, at: position) }
    if !isNegative {
      let (negated, overflow) = Int64(0).subtractingReportingOverflow(value)
      if overflow { throw TimeTextError(.range, at: 0) }
      value = negated
    }
    let (sum, overflow) = try nanoseconds(ofInteger: value)
      .addingReportingOverflow(isNegative ? -fraction : fraction)
    if overflow { throw TimeTextError(.range, at: 0) }
    return sum
  }
}
