import PipelineKit

/// Request metadata as bytes: key and values, each a length in four bytes (little endian) and UTF-8, key by key in
/// order, the number of values before them.
enum MetadataCodec {
  /// Keys whose values let somebody in: never written to disk.
  static let credentials: Set<String> = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token",
    "x-amz-security-token",
  ]

  /// The bytes; empty for no metadata, and for none that may be stored.
  static func encode(_ metadata: RequestMetadata?) -> [UInt8] {
    guard let metadata else { return [] }
    var bytes: [UInt8] = []
    for (key, values) in metadata.entries.sorted(by: { $0.key < $1.key }) where !credentials.contains(key) {
      append(key, to: &bytes)
      append(UInt32(clamping: values.count), to: &bytes)
      for value in values { append(value, to: &bytes) }
    }
    return bytes
  }

  /// The metadata; nil for none, and for bytes that are not metadata.
  static func decode(_ bytes: [UInt8]) -> RequestMetadata? {
    var rest = bytes[...]
    var entries: [String: [String]] = [:]
    while !rest.isEmpty {
      guard let key = text(&rest), let count = number(&rest), count <= rest.count else { return nil }
      var values: [String] = []
      for _ in 0..<count {
        guard let value = text(&rest) else { return nil }
        values.append(value)
      }
      entries[key] = values
    }
    return entries.isEmpty ? nil : RequestMetadata(entries)
  }

  private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
    }
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    append(UInt32(clamping: text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard rest.count >= 4 else { return nil }
    defer { rest = rest.dropFirst(4) }
    return rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
    guard let count = number(&rest), count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return String(decoding: rest.prefix(count), as: UTF8.self)
  }
}
