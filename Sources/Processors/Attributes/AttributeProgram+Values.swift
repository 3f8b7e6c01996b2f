internal import NativeCodecs
internal import TelemetryData

extension AttributeProgram {
  /// Puts the SHA-256 of a value in its place, as hexadecimal digits.
  ///
  /// Text is hashed as it is, numbers as eight bytes with the least significant first, booleans as one byte; of other
  /// kinds, and of an empty text, the result is empty.
  static func hash(_ position: Int, of sheet: inout AttributeSheet) {
    let bytes = hashedBytes(of: sheet.value(at: position))
    let digest = bytes.isEmpty ? "" : MessageDigest.sha256.hexDigest(of: bytes.span)
    sheet.set(.string(digest), at: position)
  }

  private static func hashedBytes(of value: AnyValueView) -> [UInt8] {
    switch value.kind {
    case .string: value.bytes.array
    case .bool: [value.bool ? 1 : 0]
    case .int: littleEndian(UInt64(bitPattern: value.int))
    case .double: littleEndian(value.double.bitPattern)
    default: []
    }
  }

  private static func littleEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  /// Makes another type of a value; what cannot be read as one stays as it is.
  static func convert(_ position: Int, _ type: ConvertedType, of sheet: inout AttributeSheet) {
    if let value = converted(sheet.value(at: position), to: type) { sheet.set(value, at: position) }
  }

  private static func converted(_ value: AnyValueView, to type: ConvertedType) -> AnyValue? {
    switch (type, value.kind) {
    case (.string, .int): .string(String(value.int))
    case (.string, .double): .string(GoNumber.text(of: value.double))
    case (.string, .bool): .string(value.bool ? "true" : "false")
    case (.int, .double): .int(truncated(value.double))
    case (.int, .bool): .int(value.bool ? 1 : 0)
    case (.int, .string): Int64(value.string).map { .int($0) }
    case (.double, .int): .double(Double(value.int))
    case (.double, .bool): .double(value.bool ? 1 : 0)
    case (.double, .string): Double(value.string).map { .double($0) }
    default: nil
    }
  }

  /// The whole part; the nearest number where it is out of range, 0 for NaN.
  private static func truncated(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    return Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
  }
}
