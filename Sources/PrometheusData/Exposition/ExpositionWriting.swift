internal import TelemetryData

/// Writes families as an exposition of one format.
///
/// Sources: Prometheus' text exposition format 0.0.4 and 1.0.0, OpenMetrics 1.0.0, and the delimited
/// `io.prometheus.client.MetricFamily`. What a format has no words for is written as the nearest that it has: in text,
/// a native histogram has its count, its sum and one bucket.
package struct ExpositionWriting {
  /// How names beyond `[a-zA-Z0-9_:]` are written.
  package enum Names: Sendable, Hashable {
    /// Every other character becomes `_`.
    case underscores
    /// As they are, in quotes.
    case utf8
  }

  package let format: ExpositionFormat
  package let names: Names
  /// Whether samples carry their timestamps.
  package var sendsTimestamps = true
  var output: [UInt8] = []
  /// The names of the families that were written.
  private var written: Set<[UInt8]> = []

  package init(_ format: ExpositionFormat, names: Names = .underscores) {
    self.format = format
    self.names = names
  }

  /// Writes a family with all its points; one without points is left out.
  package mutating func write(_ family: ExposedFamily) {
    if family.points.isEmpty { return }
    var family = family
    if names == .underscores { family.name = Self.escaped(family.name, isMetric: true) }
    // Two families can have become one; an exposition has each only once.
    guard written.insert(family.name).inserted else { return }
    switch format {
    case .text: writeText(family)
    case .openMetrics: writeOpenMetrics(family)
    case .protobuf: writeProtobuf(family)
    }
  }

  /// What was written.
  package consuming func finish() -> [UInt8] {
    if format == .openMetrics { output.append(contentsOf: "# EOF\n".utf8) }
    return output
  }

  static func escaped(_ name: [UInt8], isMetric: Bool) -> [UInt8] {
    var isPlain = !name.isEmpty
    for (index, byte) in name.enumerated() where !isPlainByte(byte, isFirst: index == 0, isMetric: isMetric) {
      isPlain = false
    }
    if isPlain { return name }
    var result: [UInt8] = []
    // A character of several bytes becomes one `_`.
    for byte in name where byte & 0xC0 != 0x80 {
      let isKept = isPlainByte(byte, isFirst: result.isEmpty, isMetric: isMetric)
      result.append(isKept ? byte : UInt8(ascii: "_"))
    }
    return result.isEmpty ? [UInt8(ascii: "_")] : result
  }

  static func isPlainByte(_ byte: UInt8, isFirst: Bool, isMetric: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
    case UInt8(ascii: ":"): isMetric
    default: false
    }
  }

  static func isPlain(_ name: ArraySlice<UInt8>, isMetric: Bool) -> Bool {
    guard !name.isEmpty else { return false }
    for (index, byte) in name.enumerated() where !isPlainByte(byte, isFirst: index == 0, isMetric: isMetric) {
      return false
    }
    return true
  }
}

/// Numbers as expositions have them.
package enum ExpositionNumberText {
  /// Appends a value in the fewest digits that read back as the same.
  package static func append(_ value: Double, to output: inout [UInt8]) {
    if value == value.rounded(), value.magnitude < 0x1p53, !(value == 0 && value.sign == .minus) {
      append(Int64(value), to: &output)
    } else if value.isNaN {
      output.append(contentsOf: "NaN".utf8)
    } else if value.isInfinite {
      output.append(contentsOf: (value > 0 ? "+Inf" : "-Inf").utf8)
    } else {
      output.append(contentsOf: value.description.utf8)
    }
  }

  package static func append(_ value: Int64, to output: inout [UInt8]) {
    if value < 0 { output.append(UInt8(ascii: "-")) }
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var count = 0
    var rest = value.magnitude
    repeat {
      digits[count] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
      rest /= 10
      count += 1
    } while rest > 0
    while count > 0 {
      count -= 1
      output.append(digits[count])
    }
  }

  /// Appends a time in milliseconds as seconds.
  package static func append(seconds milliseconds: Int64, to output: inout [UInt8]) {
    if milliseconds < 0 { output.append(UInt8(ascii: "-")) }
    let magnitude = milliseconds.magnitude
    append(Int64(magnitude / 1000), to: &output)
    let rest = magnitude % 1000
    if rest == 0 { return }
    output.append(UInt8(ascii: "."))
    for divisor in [100, 10, 1] as [UInt64] { output.append(0x30 + UInt8(rest / divisor % 10)) }
  }
}
