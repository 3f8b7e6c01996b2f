internal import NIOHTTP1

/// What the server looks at in the head of a request.
struct RequestLine {
  var method = ""
  var path = ""
  var query: String?
  var contentType: String?
  var contentEncoding: String?
  /// Bytes; nil when the length is not known before the body ends.
  var contentLength: Int?
  var expectsContinue = false
  var hasUnknownExpectation = false
  var isHTTP10 = false
  /// Whether the connection serves another request after this one.
  var keepsAlive = false
  /// Whether nothing of the body is still to come.
  var bodyIsRead = false
  var headers = HeaderFields(fields: HTTPHeaders())
  /// Bytes of names and values.
  private(set) var headerBytes = 0

  /// The state before the first request: a failure then ends the connection.
  init() {}

  /// Reads a head in one pass over its fields.
  init(_ head: HTTPRequestHead, keepsAlive: Bool) {
    method = head.method.rawValue
    isHTTP10 = head.version.major == 1 && head.version.minor == 0
    self.keepsAlive = keepsAlive && head.isKeepAlive && head.method != .CONNECT
    var offersUpgrade = false
    headers = HeaderFields(fields: head.headers)
    for (name, value) in head.headers {
      headerBytes += name.utf8.count + value.utf8.count
      switch name.utf8.count {
      case 12 where contentType == nil && HTTPToken.equal(name, "content-type"): contentType = value
      case 16 where contentEncoding == nil && HTTPToken.equal(name, "content-encoding"):
        contentEncoding = HTTPToken.trimmed(value[...])
      case 14 where HTTPToken.equal(name, "content-length"): contentLength = Int(value)
      case 7 where HTTPToken.equal(name, "upgrade"): offersUpgrade = true
      case 6 where HTTPToken.equal(name, "expect"):
        if HTTPToken.equal(value, "100-continue") {
          expectsContinue = true
        } else {
          hasUnknownExpectation = true
        }
      default: break
      }
    }
    // An upgrade is never taken, but the decoder reads nothing after a request that offers one.
    if offersUpgrade { self.keepsAlive = false }
    (path, query) = Self.target(head.uri)
  }

  /// Splits a request target; the absolute form, which proxies use, loses scheme and host (RFC 9112 §3.2).
  private static func target(_ uri: String) -> (path: String, query: String?) {
    var rest = uri[...]
    if let afterScheme = Self.afterScheme(rest) {
      rest = afterScheme.drop { $0 != "/" && $0 != "?" }
      if rest.isEmpty || rest.hasPrefix("?") { return ("/", rest.isEmpty ? nil : String(rest.dropFirst())) }
    }
    guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (String(rest), nil) }
    return (String(rest[..<mark]), String(rest[rest.utf8.index(after: mark)...]))
  }

  /// What follows `http://` or `https://`; nil when the target starts otherwise.
  private static func afterScheme(_ target: Substring) -> Substring? {
    guard target.utf8.first != UInt8(ascii: "/") else { return nil }
    for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
      return target.dropFirst(scheme.count)
    }
    return nil
  }
}
