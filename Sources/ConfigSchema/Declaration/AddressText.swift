/// Looks at addresses and URLs without resolving them.
enum AddressText {
  /// What is wrong with a `host:port`, or nil.
  static func hostPortProblem(_ text: String) -> String? {
    if text.isEmpty { return "it is empty" }
    if text.contains("://") { return "it starts with a scheme" }
    if text.utf8.contains(where: { $0 <= 0x20 }) { return "it contains a space" }
    guard let colon = text.lastIndex(of: ":") else { return "the port is missing" }
    let host = text[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]") else { return "the closing bracket after the IPv6 address is missing" }
    } else if host.contains(":") {
      return "an IPv6 address must stand in brackets, such as [::1]:4317"
    }
    return portProblem(text[text.index(after: colon)...])
  }

  /// What is wrong with an absolute URL, or nil.
  static func urlProblem(_ text: String, schemes: [String]) -> String? {
    if text.isEmpty { return "it is empty" }
    if text.utf8.contains(where: { $0 <= 0x20 }) { return "it contains a space" }
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return "the scheme is missing" }
    let scheme = parts[0].lowercased()
    guard schemes.contains(scheme) else {
      return "the scheme is \(scheme), not \(schemes.joined(separator: " or "))"
    }
    var authority = parts[1].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    if authority.isEmpty { return "the host is missing" }
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else {
        return "the closing bracket after the IPv6 address is missing"
      }
      let rest = authority[authority.index(after: close)...]
      if rest.isEmpty { return nil }
      return rest.hasPrefix(":") ? portProblem(rest.dropFirst()) : "the port is malformed"
    }
    guard let colon = authority.firstIndex(of: ":") else { return nil }
    if colon == authority.startIndex { return "the host is missing" }
    return portProblem(authority[authority.index(after: colon)...])
  }

  private static func portProblem(_ port: Substring) -> String? {
    if port.isEmpty { return "the port is missing" }
    guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return "the port is not a number" }
    return UInt16(port) == nil ? "the port is larger than 65535" : nil
  }
}
