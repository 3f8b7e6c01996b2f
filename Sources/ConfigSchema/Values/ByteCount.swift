/// A number of bytes, written as a number or with a unit: `1048576`, `1MiB`, `64 KiB`, `20MB`.
///
/// KiB, MiB, GiB and TiB are powers of 1024; KB, MB, GB and TB are powers of 1000.
public struct ByteCount: Sendable, Hashable, Comparable, ExpressibleByIntegerLiteral {
  /// The number of bytes.
  public var bytes: Int

  public init(_ bytes: Int) { self.bytes = bytes }
  public init(integerLiteral bytes: Int) { self.bytes = bytes }

  public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(count << 10) }
  public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(count << 20) }

  public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

  private static let units: [(name: String, size: Int)] = [
    ("", 1), ("b", 1), ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
  ]

  /// Reads a number with an optional unit; nil when it is neither, or negative, or too large.
  public init?(_ text: String) {
    let digits = text.prefix { ($0 >= "0" && $0 <= "9") || $0 == "." }
    let name = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    guard let size = Self.units.first(where: { $0.name == name })?.size else { return nil }
    if let whole = Int(digits) {
      let (bytes, overflow) = whole.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      self.bytes = bytes
    } else {
      guard let number = Double(digits), let bytes = Int(exactly: (number * Double(size)).rounded()) else {
        return nil
      }
      self.bytes = bytes
    }
  }
}

extension ByteCount: CustomStringConvertible {
  /// The number with the largest binary unit that divides it: `20MiB`.
  public var description: String {
    for (name, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
    where bytes != 0 && bytes & ((1 << shift) - 1) == 0 {
      return "\(bytes >> shift)\(name)"
    }
    return "\(bytes)"
  }
}

extension ByteCount: ConfigValue {
  public static var configType: ConfigType { .byteCount }

  public static func decode(_ node: ConfigNode, base: ByteCount?, context: inout ConfigContext) -> ByteCount?
  {
    let expected = "a number of bytes such as 1048576 or 1MiB"
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: expected)
      return nil
    }
    if node.isEmptyExpansion { return base ?? 0 }
    if case .integer(let number) = node.meaning, number >= 0 { return ByteCount(Int(number)) }
    if let count = ByteCount(text) { return count }
    context.mismatch(node, expected: expected, help: "the units are KiB, MiB, GiB and KB, MB, GB")
    return nil
  }

  public var literal: ConfigLiteral {
    bytes >= 1024 && bytes & 1023 == 0 ? .string(description) : .integer(Int64(bytes))
  }
}
