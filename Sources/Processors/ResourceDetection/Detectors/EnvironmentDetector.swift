internal import TelemetryData

/// `env`: the attributes in `OTEL_RESOURCE_ATTRIBUTES`, `key=value` with commas between, values percent-encoded.
struct EnvironmentDetector: ResourceDetector {
  let surroundings: DetectorSurroundings
  private static let longest = 256

  func detect() async throws -> [Attribute] {
    let text = surroundings.variable("OTEL_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE")?.trimmingSpaces ?? ""
    if text.isEmpty { return [] }
    var parts = text.split(separator: ",", omittingEmptySubsequences: false)
    if parts.count > 1, parts.last?.trimmingSpaces.isEmpty ?? false { parts.removeLast() }
    return try parts.map(Self.attribute)
  }

  private static func attribute(_ part: Substring) throws -> Attribute {
    let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard pair.count == 2, case let key = pair[0].trimmingSpaces, case let value = pair[1].trimmingSpaces,
      1...longest ~= key.utf8.count, value.utf8.count <= longest, part.utf8.allSatisfy({ $0 < 0x80 }),
      let decoded = decoded(value)
    else {
      throw DetectionFailure(
        "OTEL_RESOURCE_ATTRIBUTES: \"\(part.trimmingSpaces)\" is not key=value in ASCII, values percent-encoded"
      )
    }
    return Attribute(key, .string(decoded))
  }

  /// Percent-encoded bytes and `+` for a space, as in the query of a URL; nil when malformed.
  private static func decoded(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case 0x25:
        guard rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
          rest.first != 0x2B
        else { return nil }
        rest.removeFirst(2)
        bytes.append(code)
      case 0x2B: bytes.append(0x20)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
