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
  var headers = HeaderFields()
  /// Bytes of names and values.
  private(set) var headerBytes = 0

  /// The state before the first request: a failure then ends the connection.
  init() {}

  /// Reads a head in one pass over its fields.
  init(_ head: RequestHead, keepsAlive: Bool) {
    method = head.method
    isHTTP10 = head.isHTTP10
    // What follows a request for a tunnel is not HTTP.
    self.keepsAlive = keepsAlive && head.keepsAlive && method != "CONNECT"
    contentLength = head.contentLength
    headers = head.headers
    headerBytes = headers.size
    for index in headers.indices {
      switch headers.nameLength(at: index) {
      case 12 where contentType == nil && headers.isNamed("content-type", at: index):
        contentType = headers.value(at: index)
      case 16 where contentEncoding == nil && headers.isNamed("content-encoding", at: index):
        contentEncoding = headers.value(at: index)
      case 6 where headers.isNamed("expect", at: index):
        if headers.hasValue("100-continue", at: index) {
          expectsContinue = true
        } else {
          hasUnknownExpectation = true
        }
      default: break
      }
    }
    (path, query) = Self.target(head.target)
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
