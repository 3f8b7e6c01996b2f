import NIOCore
import Testing

@testable import Transport

@Suite struct HTTPRequestReaderTests {
  private enum Read: Equatable {
    case head(String, [String], keepsAlive: Bool)
    case body([UInt8])
    case end
    case failed(HTTPRequestReader.Failure)
  }

  /// What is read of pieces that come one after the other; neighbouring pieces of a body together.
  private static func read(_ pieces: [[UInt8]], _ limits: ServerLimits = ServerLimits()) -> [Read] {
    var reader = HTTPRequestReader(limits)
    var buffer = ByteBuffer()
    var reads: [Read] = []
    do throws(HTTPRequestReader.Failure) {
      for piece in pieces {
        buffer.writeBytes(piece)
        while let part = try reader.next(from: &buffer) {
          switch part {
          case .head(let head):
            let fields = head.headers.indices.map {
              "\(head.headers.name(at: $0))=\(head.headers.value(at: $0))"
            }
            reads.append(.head("\(head.method) \(head.target)", fields, keepsAlive: head.keepsAlive))
          case .body(let bytes):
            if case .body(let before)? = reads.last {
              reads[reads.count - 1] = .body(before + bytes.readableBytesView)
            } else {
              reads.append(.body(Array(bytes.readableBytesView)))
            }
          case .end: reads.append(.end)
          }
        }
      }
    } catch {
      reads.append(.failed(error))
    }
    return reads
  }

  private static func read(_ text: String, _ limits: ServerLimits = ServerLimits()) -> [Read] {
    read([Array(text.utf8)], limits)
  }

  private static let requests =
    "\r\nPOST /v1/traces?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Empty:\r\nX-Blank: \t v w \t\r\n\r\nhello"
    + "GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n"
    + "PUT * HTTP/1.0\r\nconnection: keep-alive\r\nCONTENT-LENGTH: 0\r\n\r\n"
    + "POST /c HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n"
    + "5\r\nhel\r\n\r\n00A;a=\"b \\\"c\";d;e=f\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\nGET /last HTTP/1.1\r\n\r\n"

  private static let expected: [Read] = [
    .head(
      "POST /v1/traces?x=1", ["Host=a", "Content-Length=5", "X-Empty=", "X-Blank=v w"], keepsAlive: true),
    .body(Array("hello".utf8)), .end,
    .head("GET /", ["Connection=x, Close"], keepsAlive: false), .end,
    .head("PUT *", ["connection=keep-alive", "CONTENT-LENGTH=0"], keepsAlive: true), .end,
    .head("POST /c", ["transfer-encoding=Chunked"], keepsAlive: true),
    .body(Array("hel\r\n0123456789".utf8)), .end,
    .head("GET /last", [], keepsAlive: true), .end,
  ]

  @Test func `requests are the same wherever their bytes are cut`() {
    let bytes = Array(Self.requests.utf8)
    #expect(Self.read([bytes]) == Self.expected)
    #expect(Self.read(bytes.map { [$0] }) == Self.expected)
    for cut in bytes.indices {
      #expect(Self.read([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected, "cut at \(cut)")
    }
  }

  struct Mistake: CustomTestStringConvertible {
    let text: String
    let reason: String
    var testDescription: String { text.debugDescription }
  }

  static let mistakes = [
    Mistake(text: "GET /\r\n\r\n", reason: "this is no request line of HTTP/1.1"),
    Mistake(text: "GET  / HTTP/1.1\r\n\r\n", reason: "this is no request line of HTTP/1.1"),
    Mistake(text: "GET / http/1.1\r\n\r\n", reason: "this is no request line of HTTP/1.1"),
    Mistake(text: "GET / x HTTP/1.1\r\n\r\n", reason: "this is no request line of HTTP/1.1"),
    Mistake(text: "GE\u{7}T", reason: "this is no request line of HTTP/1.1"),
    Mistake(text: "\u{16}\u{3}\u{1}", reason: "this is no request line of HTTP/1.1"),
    Mistake(
      text: "PRI * HTTP/2.0\r\n",
      reason: "only HTTP/1.1 and HTTP/1.0 are spoken here; gRPC has a port of its own"),
    Mistake(
      text: "GET / HTTP/1.10\r\n",
      reason: "only HTTP/1.1 and HTTP/1.0 are spoken here; gRPC has a port of its own"),
    Mistake(text: "GET / HTTP/1.1\n", reason: "a line ends in LF without CR"),
    Mistake(text: "GET / HTTP/1.1\r\r\n", reason: "a line ends in CR without LF"),
    Mistake(text: "GET / HTTP/1.1\r\nX-A : b\r\n", reason: "a header field has no name and colon"),
    Mistake(text: "GET / HTTP/1.1\r\nX: a\r\n b\r\n", reason: "a header field has no name and colon"),
    Mistake(text: "GET / HTTP/1.1\r\nX: a\u{0}", reason: "a header field holds a control character"),
    Mistake(
      text: "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
      reason: "Content-Length is there twice"),
    Mistake(text: "GET / HTTP/1.1\r\nContent-Length:\r\n", reason: "Content-Length is no number"),
    Mistake(text: "GET / HTTP/1.1\r\nContent-Length: +1\r\n", reason: "Content-Length is no number"),
    Mistake(
      text: "GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n",
      reason: "Content-Length is too large a number"),
    Mistake(
      text: "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
      reason: "the only Transfer-Encoding that is understood is chunked, and only once"),
    Mistake(
      text: "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      reason: "there is no Transfer-Encoding in HTTP/1.0"),
  ]

  @Test(arguments: mistakes) func `a mistake is named as soon as it is there`(_ mistake: Mistake) {
    let failure = [Read.failed(.malformed(mistake.reason))]
    let bytes = Array(mistake.text.utf8)
    #expect(Self.read([bytes]) == failure)
    #expect(Self.read(bytes.map { [$0] }) == failure)
  }

  @Test(arguments: [
    ("G", "the size of a chunk is no hexadecimal number"),
    ("\r\n", "the size of a chunk is no hexadecimal number"),
    ("1 ;\r\n", "the size of a chunk is no hexadecimal number"),
    ("1;\r\n", "a chunk extension is malformed"), ("1;a>\r\n", "a chunk extension is malformed"),
    ("1;a=\"b\\\"\r\n", "a chunk extension is malformed"), ("1;a=b c\r\n", "a chunk extension is malformed"),
    ("100000000000000000\r\n", "the size of a chunk is too large"),
    ("0\r\nContent-Length: 1\r\n", "a trailer says how long the body is"),
    ("0\r\nX: 1\r\ntransfer-encoding: chunked\r\n", "a trailer says how long the body is"),
    ("1\r\nab", "a chunk is longer than its size says"),
    ("1;" + String(repeating: "a", count: 9000), "the chunk extensions are too long"),
  ]) func `a mistake in a chunk is named`(_ text: String, _ reason: String) {
    let bytes = Array(("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + text + "\r\n").utf8)
    #expect(Self.read([bytes]).last == .failed(.malformed(reason)))
    #expect(Self.read(bytes.map { [$0] }).last == .failed(.malformed(reason)))
  }

  @Test func `a head and a trailer may be as large as the limits say and no larger`() {
    var limits = ServerLimits()
    limits.maxHeaderBytes = .kibibytes(1)
    limits.maxHeaderCount = 8
    func requests(_ fields: String) -> [String] {
      [
        "GET / HTTP/1.1\r\n" + fields + "\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + fields + "\r\n",
      ]
    }
    // A field of the trailer counts like one of the head: 24 bytes and one field are taken there.
    let name = "X-A: "
    for (index, spare) in [0, 24].enumerated() {
      let full = name + String(repeating: "v", count: 1024 - 3 - spare) + "\r\n"
      let more = name + String(repeating: "v", count: 1025 - 3 - spare) + "\r\n"
      #expect(Self.read(requests(full)[index], limits).last == .end)
      #expect(Self.read(requests(more)[index], limits).last == .failed(.tooLong))
      let many = String(repeating: "X: 1\r\n", count: 8 - index)
      #expect(Self.read(requests(many)[index], limits).last == .end)
      #expect(Self.read(requests(many + "X: 1\r\n")[index], limits).last == .failed(.tooLong))
    }
    #expect(Self.read("GET /" + String(repeating: "a", count: 1100), limits) == [.failed(.tooLong)])
  }

  @Test func `the limits are for one request at a time`() {
    var limits = ServerLimits()
    limits.maxHeaderCount = 8
    let request = "GET / HTTP/1.1\r\n" + String(repeating: "X: 1\r\n", count: 8) + "\r\n"
    #expect(Self.read(request + request, limits).filter { $0 == .end }.count == 2)
  }

  @Test func `fields are found by name in any case, and bytes that are no text replaced`() throws {
    var reader = HTTPRequestReader(ServerLimits())
    var buffer = ByteBuffer(string: "GET / HTTP/1.1\r\nX-Key: a\r\nx-other: 1\r\nX-KEY: ")
    buffer.writeBytes([0xFF, 0x0D, 0x0A, 0x0D, 0x0A])
    guard case .head(let head)? = try reader.next(from: &buffer) else {
      Issue.record("no head")
      return
    }
    #expect(head.headers.all("x-key") == ["a", "\u{FFFD}"])
    #expect(head.headers.first("X-Other") == "1")
    #expect(head.headers.first("x") == nil)
    #expect(head.headers.grouped == ["x-key": ["a", "\u{FFFD}"], "x-other": ["1"]])
  }
}
