internal import TimeFormats

/// The answer to an HTTP request, whatever its status.
package struct HTTPReply: Sendable {
  package var status: Int
  /// As they came, names in any case.
  package var headers: [(name: String, value: String)]
  /// At most ``HTTPClient/keptReplySize`` bytes, or as many as were asked for; the rest is dropped.
  package var body: [UInt8]
  /// Whether `body` is only the beginning.
  package var isBodyCut: Bool

  package init(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], isBodyCut: Bool = false
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.isBodyCut = isBodyCut
  }

  /// The first value of a header, found in any case.
  package func header(_ name: String) -> String? {
    headers.first { HTTPToken.equal($0.name, name) }?.value
  }

  /// The media type without parameters, in lower case; empty when there is none.
  package var contentType: String {
    let value = header("content-type") ?? ""
    return HTTPToken.trimmed(value.prefix { $0 != ";" }).lowercased()
  }

  /// How long `Retry-After` asks to wait: seconds, or until a date (RFC 9110 §10.2.3); nil when absent or malformed.
  package var retryAfter: Duration? { retryAfter(now: SystemErrors.secondsSinceEpoch()) }

  func retryAfter(now: Int) -> Duration? {
    guard let text = header("retry-after").map({ HTTPToken.trimmed($0[...]) }) else { return nil }
    if !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
      return .seconds(min(Int(text) ?? .max, 1_000_000_000))
    }
    return HTTPDate.secondsSinceEpoch(text).map { .seconds(max(0, $0 - now)) }
  }
}
