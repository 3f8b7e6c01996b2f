package import ConfigSchema

/// A duration as Prometheus writes it: `1m30s`, `1d`, `500ms`, `0`.
///
/// Source: `model.ParseDuration`: whole numbers with the units y, w, d, h, m, s and ms, each once and in this order; a
/// year has 365 days.
package struct PrometheusDuration: Sendable, Hashable, Comparable {
  /// In milliseconds, never negative.
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func seconds(_ count: Int64) -> Self { Self(milliseconds: count * 1000) }

  package var duration: Duration { .milliseconds(milliseconds) }

  private static let units: [(name: String, size: Int64)] = [
    ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
    ("s", 1000), ("ms", 1),
  ]

  /// Nil when the text is no such duration, or longer than 64 bits of nanoseconds hold.
  package init?(_ text: String) {
    if text == "0" {
      milliseconds = 0
      return
    }
    var rest = Substring(text)
    var units = Self.units[...]
    var sum: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0 >= "0" && $0 <= "9" }
      let name = rest.dropFirst(digits.count).prefix { $0 >= "a" && $0 <= "z" }
      rest = rest.dropFirst(digits.count + name.count)
      guard let count = Int64(digits), let index = units.firstIndex(where: { $0.name == name }) else {
        return nil
      }
      let (part, isTooLong) = count.multipliedReportingOverflow(by: units[index].size)
      let (total, overflows) = sum.addingReportingOverflow(part)
      if isTooLong || overflows { return nil }
      sum = total
      units = units[(index + 1)...]
    }
    guard !text.isEmpty, sum <= .max / 1_000_000 else { return nil }
    milliseconds = sum
  }

  package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

extension PrometheusDuration: CustomStringConvertible {
  /// As Prometheus prints it: years, weeks and days only where nothing smaller is left.
  package var description: String {
    if milliseconds == 0 { return "0s" }
    var rest = milliseconds
    var text = ""
    for (name, size) in Self.units where rest >= size {
      let isExactOnly = ["y", "w", "d"].contains(name)
      if isExactOnly, rest % size != 0 { continue }
      text += "\(rest / size)\(name)"
      rest %= size
    }
    return text
  }
}

extension PrometheusDuration: ConfigValue {
  package static var configType: ConfigType { .duration }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    if let text = node.text, node.scalar != nil, let value = Self(text) { return value }
    let isNumber = node.text.map { !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } } ?? false
    context.mismatch(
      node, expected: "a duration such as 30s, 1m30s or 1d",
      help: isNumber
        ? node.text.map { "write \($0)s for seconds" }
        : "whole numbers with the units y, w, d, h, m, s and ms, in this order")
    return nil
  }

  package var literal: ConfigLiteral { .string(description) }
}

/// A size as Prometheus writes it: `10MB`, `512KiB`, `0`. All units are powers of 1024, those without an `i` too.
package struct PrometheusByteCount: Sendable, Hashable, Comparable {
  package let bytes: Int

  package init(bytes: Int) { self.bytes = bytes }

  /// Nil when the text is no size, or larger than 63 bits.
  package init?(_ text: String) {
    guard text != "0" else {
      bytes = 0
      return
    }
    let number = text.prefix { $0 >= "0" && $0 <= "9" || $0 == "." }
    var unit = text.dropFirst(number.count).uppercased()
    if unit.hasSuffix("IB") { unit = unit.dropLast(2) + "B" }
    guard let power = ["B", "KB", "MB", "GB", "TB", "PB", "EB"].firstIndex(of: unit) else { return nil }
    let size = 1 << (10 * power)
    if let whole = Int(number) {
      let (product, overflows) = whole.multipliedReportingOverflow(by: size)
      if overflows { return nil }
      bytes = product
    } else if let fraction = Double(number), let product = Int(exactly: (fraction * Double(size)).rounded()) {
      bytes = product
    } else {
      return nil
    }
  }

  package static func < (a: Self, b: Self) -> Bool { a.bytes < b.bytes }
}

extension PrometheusByteCount: ConfigValue {
  package static var configType: ConfigType { .byteCount }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    if let text = node.text, node.scalar != nil, let value = Self(text) { return value }
    context.mismatch(
      node, expected: "a size with a unit such as 10MB",
      help: "the units are B, KB, MB, GB and TB, powers of 1024")
    return nil
  }

  package var literal: ConfigLiteral {
    for (name, shift) in [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)]
    where bytes != 0 && bytes & ((1 << shift) - 1) == 0 { return .string("\(bytes >> shift)\(name)") }
    return .string(bytes == 0 ? "0" : "\(bytes)B")
  }
}
