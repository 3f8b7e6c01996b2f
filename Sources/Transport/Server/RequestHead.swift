/// The head of a request as ``HTTPRequestReader`` found it.
///
/// Keeps its bytes, and where in them its parts are: most of them nobody asks for.
struct RequestHead {
  /// How the end of the body is found.
  enum Framing: Equatable {
    /// So many bytes; zero for a request that says nothing of a body.
    case length(Int)
    case chunked
  }

  private var methodEnd = 0
  private var targetEnd = 0
  private(set) var isHTTP10 = false
  private(set) var headers = HeaderFields()
  /// Bytes; nil when the request says none.
  private(set) var contentLength: Int?
  private var isChunked = false
  /// What `Connection` says.
  private var saysClose = false
  private var saysKeepAlive = false

  var framing: Framing { isChunked ? .chunked : .length(contentLength ?? 0) }

  /// Whether the client wants to send another request after this one (RFC 9112 §9.3).
  var keepsAlive: Bool { !saysClose && (!isHTTP10 || saysKeepAlive) }

  var method: String { headers.text(0..<methodEnd) }
  var target: String { headers.text(methodEnd + 1..<targetEnd) }

  // MARK: Reading

  /// Takes the request line: `METHOD target HTTP/1.1`.
  mutating func setRequestLine(_ bytes: Span<UInt8>, end: Int) throws(HTTPRequestReader.Failure) {
    let space = HTTPRequestReader.Byte.space
    methodEnd = 0
    while methodEnd < end, bytes[methodEnd] != space { methodEnd += 1 }
    targetEnd = methodEnd + 1
    while targetEnd < end, bytes[targetEnd] > space { targetEnd += 1 }
    guard targetEnd > methodEnd + 1, targetEnd < end, bytes[targetEnd] == space,
      Self.begins(bytes, targetEnd + 1..<end, with: "HTTP/")
    else {
      throw .malformed("this is no request line of HTTP/1.1")
    }
    let version = targetEnd + 6..<end
    isHTTP10 = Self.begins(bytes, version, with: "1.0")
    guard version.count == 3, isHTTP10 || Self.begins(bytes, version, with: "1.1") else {
      throw .malformed("only HTTP/1.1 and HTTP/1.0 are spoken here; gRPC has a port of its own")
    }
  }

  private static func begins(_ bytes: Span<UInt8>, _ range: Range<Int>, with text: String) -> Bool {
    range.count >= text.utf8.count && zip(range, text.utf8).allSatisfy { bytes[$0] == $1 }
  }

  /// Takes the next field.
  mutating func add(_ field: HeaderFields.Place, in bytes: Span<UInt8>) throws(HTTPRequestReader.Failure) {
    headers.append(field)
    switch field.name.count {
    case 10 where HeaderFields.matches(bytes, field.name, "connection"): addConnection(field, in: bytes)
    case 14 where HeaderFields.matches(bytes, field.name, "content-length"):
      guard contentLength == nil else { throw .malformed("Content-Length is there twice") }
      contentLength = try Self.length(bytes, field.value)
    case 17 where HeaderFields.matches(bytes, field.name, "transfer-encoding"):
      guard !isChunked, HeaderFields.matches(bytes, field.value, "chunked") else {
        throw .malformed("the only Transfer-Encoding that is understood is chunked, and only once")
      }
      isChunked = true
    default: break
    }
  }

  /// Checks that the fields fit together, and keeps the bytes.
  mutating func finish(_ bytes: [UInt8]) throws(HTTPRequestReader.Failure) {
    if isChunked, contentLength != nil { throw .malformed("there are Content-Length and Transfer-Encoding") }
    if isChunked, isHTTP10 { throw .malformed("there is no Transfer-Encoding in HTTP/1.0") }
    headers.keep(bytes)
  }

  private static func length(_ bytes: Span<UInt8>, _ digits: Range<Int>) throws(HTTPRequestReader.Failure)
    -> Int
  {
    var length = 0
    for at in digits {
      let digit = Int(bytes[at]) - 0x30
      guard digit >= 0, digit <= 9 else { throw .malformed("Content-Length is no number") }
      let (tens, isMore) = length.multipliedReportingOverflow(by: 10)
      let (sum, isTooMuch) = tens.addingReportingOverflow(digit)
      if isMore || isTooMuch { throw .malformed("Content-Length is too large a number") }
      length = sum
    }
    if digits.isEmpty { throw .malformed("Content-Length is no number") }
    return length
  }

  private mutating func addConnection(_ field: HeaderFields.Place, in bytes: Span<UInt8>) {
    var start = field.value.lowerBound
    while start < field.value.upperBound {
      var end = start
      while end < field.value.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
      let option = HeaderFields.trimmed(bytes, start..<end)
      if HeaderFields.matches(bytes, option, "close") { saysClose = true }
      if HeaderFields.matches(bytes, option, "keep-alive") { saysKeepAlive = true }
      start = end + 1
    }
  }
}
