internal import ConfigSchema
internal import NIOCore

/// Writes answers as HTTP/1.1 bytes (RFC 9112 §4), head and body in one buffer.
struct HTTPAnswerWriter: Sendable {
  /// The configured `response_headers`, ready to be sent.
  private let fixedFields: [UInt8]

  init(responseHeaders: ConfigMap<Secret>) {
    var lines = ""
    for header in responseHeaders {
      let value = header.value.reveal()
      if HTTPToken.isName(header.key), HTTPToken.isValue(value) { lines += "\(header.key): \(value)\r\n" }
    }
    fixedFields = Array(lines.utf8)
  }

  /// The bytes of an answer.
  ///
  /// - Parameters:
  ///   - extra: header fields besides the answer's own.
  ///   - date: the value of the Date field.
  ///   - omitsBody: for HEAD, whose answer has the length of a body but no body.
  ///   - closes: whether the connection closes afterwards.
  ///   - saysKeepAlive: whether a client of HTTP/1.0 must be told that it does not.
  func bytes(
    _ answer: HTTPAnswer, extra: [(String, String)], date: String, omitsBody: Bool, closes: Bool,
    saysKeepAlive: Bool, allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var out = allocator.buffer(capacity: 256 + fixedFields.count + (omitsBody ? 0 : answer.body.count))
    out.writeStaticString("HTTP/1.1 ")
    if answer.status == 200 {
      out.writeStaticString("200 OK\r\n")
    } else {
      out.writeString("\(answer.status) \(Self.reason(answer.status))\r\n")
    }
    if !answer.contentType.isEmpty { Self.field("Content-Type", answer.contentType, to: &out) }
    out.writeStaticString("Date: ")
    out.writeString(date)
    out.writeStaticString("\r\n")
    for (name, value) in answer.headers { Self.field(name, value, to: &out) }
    for (name, value) in extra { Self.field(name, value, to: &out) }
    out.writeBytes(fixedFields)
    if closes { out.writeStaticString("Connection: close\r\n") }
    if saysKeepAlive { out.writeStaticString("Connection: keep-alive\r\n") }
    if answer.status != 204 && answer.status != 304 && answer.status >= 200 {
      out.writeStaticString("Content-Length: ")
      out.writeString(String(answer.body.count))
      out.writeStaticString("\r\n\r\n")
      if !omitsBody { out.writeBytes(answer.body) }
    } else {
      out.writeStaticString("\r\n")
    }
    return out
  }

  private static func field(_ name: String, _ value: String, to out: inout ByteBuffer) {
    guard HTTPToken.isName(name), HTTPToken.isValue(value) else { return }
    out.writeString(name)
    out.writeStaticString(": ")
    out.writeString(value)
    out.writeStaticString("\r\n")
  }

  /// The reason phrase of a status (RFC 9110 §15).
  static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status"
    }
  }
}
