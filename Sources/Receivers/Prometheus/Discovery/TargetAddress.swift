import ConfigSchema

/// The address of a target, as `__address__` holds it.
enum TargetAddress {
  /// What is wrong with an address, or nil. Prometheus asks no more of one than that it is no URL.
  static func problem(_ address: String) -> CheckProblem? {
    if address.isEmpty { return CheckProblem("an address is empty") }
    if address.contains("/") {
      return CheckProblem(
        "\"\(address)\" is not an address: it holds a slash",
        help: "write host:port; the path belongs into metrics_path, and https into scheme")
    }
    if address.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
      return CheckProblem("\"\(address)\" is not an address: it holds a space")
    }
    return nil
  }
}

/// A domain name to ask DNS for.
enum DNSName {
  /// What is wrong with a name, or nil: its parts are 1 to 63 bytes long and all of it at most 253 (RFC 1035, §2.3.4).
  static func problem(_ name: String) -> String? {
    let whole = name.hasSuffix(".") ? name.dropLast() : name[...]
    if whole.isEmpty { return "is empty" }
    if whole.utf8.count > 253 { return "is longer than 253 bytes" }
    let labels = whole.split(separator: ".", omittingEmptySubsequences: false)
    if labels.contains(where: \.isEmpty) { return "has an empty part between dots" }
    if labels.contains(where: { $0.utf8.count > 63 }) { return "has a part longer than 63 bytes" }
    if whole.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { return "holds a space" }
    return nil
  }
}

/// Where a Docker engine answers.
struct DockerAddress: Sendable, Equatable {
  /// The beginning of its URLs, without a slash at the end.
  let base: String

  /// Reads `unix:///path`, `tcp://host:port`, `http://…` or `https://…`.
  init?(_ text: String) {
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty else { return nil }
    switch parts[0] {
    case "unix":
      guard parts[1].hasPrefix("/") else { return nil }
      base = "http+unix://\(URLText.encoded(parts[1]))"
    case "tcp", "http": base = "http://\(Self.withoutSlash(parts[1]))"
    case "https": base = "https://\(Self.withoutSlash(parts[1]))"
    default: return nil
    }
  }

  private static func withoutSlash(_ text: Substring) -> Substring {
    text.hasSuffix("/") ? text.dropLast() : text
  }
}

/// Percent-encoding of parts of URLs.
enum URLText {
  /// With everything but letters, digits and `-._~` encoded (RFC 3986, §2.3); a space as `+` where a query asks for it.
  static func encoded(_ text: some StringProtocol, spaceAsPlus: Bool = false) -> String {
    encoded(text, spaceAsPlus: spaceAsPlus) { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
      default: false
      }
    }
  }

  /// A path with what paths may hold left as it is (RFC 3986, §3.3).
  static func encodedPath(_ text: String) -> String {
    encoded(text, spaceAsPlus: false) { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: Array("-._~!$&'()*+,;=:@/".utf8).contains(byte)
      }
    }
  }

  private static func encoded(
    _ text: some StringProtocol, spaceAsPlus: Bool, isKept: (UInt8) -> Bool
  ) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      if isKept(byte) {
        out.append(byte)
      } else if byte == 0x20, spaceAsPlus {
        out.append(0x2b)
      } else {
        out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
