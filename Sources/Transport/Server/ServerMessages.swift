/// A whole HTTP request: its body was received, decompressed and found within the limit.
package struct ServerRequest: Sendable {
  /// `POST`, in the case the client sent.
  package let method: String
  /// The path without the query, percent-encoding left as it was.
  package let path: String
  /// What followed `?`, or nil.
  package let query: String?
  /// The Content-Type as it was sent.
  package let contentType: String?
  /// The decompressed body.
  package var body: [UInt8]
  /// The client's address: `127.0.0.1:51724`, or empty for a unix socket.
  package let peer: String
  /// The request headers by lower-case name, if `include_metadata` is set, and what else is wanted, see
  /// `RequestInterest`.
  package let metadata: [String: [String]]
  let headers: HeaderFields

  /// The first value of a header, found by name in any case.
  package func header(_ name: String) -> String? { headers.first(name) }
}

/// What a handler answers to an HTTP request.
package struct HTTPAnswer: Sendable {
  /// 200…599.
  package var status: Int
  /// Empty: no Content-Type is sent.
  package var contentType: String
  package var body: [UInt8]
  /// Further headers, such as `Retry-After` or `Allow`. Names and values that HTTP forbids are left out.
  package var headers: [(String, String)]

  package init(
    status: Int, contentType: String = "", body: [UInt8] = [], headers: [(String, String)] = []
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
    self.headers = headers
  }

  /// An answer of plain text.
  package static func text(_ status: Int, _ text: String) -> HTTPAnswer {
    HTTPAnswer(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
  }
}

/// What stands behind an HTTP server. Called on event loops: implementations never block.
package protocol HTTPRequestHandler: Sendable {
  /// Cheap checks before the body is read: nil to go on, or the answer.
  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer?

  /// Takes a whole request; answers through the responder, now or later, from any thread.
  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder)

  /// The answer to a request that failed below the handler: too large (413), unknown encoding (415), broken
  /// compression (400), too slow (408), too much under way (503).
  func failure(_ status: Int, _ message: String, contentType: String?) -> HTTPAnswer
}

extension HTTPRequestHandler {
  package func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? { nil }

  package func failure(_ status: Int, _ message: String, contentType: String?) -> HTTPAnswer {
    .text(status, message)
  }
}

/// A whole unary gRPC request: its one message was received, decompressed and found within the limit.
package struct GRPCRequest: Sendable {
  /// `/package.Service/Method`.
  package let path: String
  /// The decompressed message.
  package var message: [UInt8]
  /// The client's address: `127.0.0.1:51724`, or empty for a unix socket.
  package let peer: String
  /// The request metadata by lower-case name, if `include_metadata` is set, and what else is wanted, see
  /// `RequestInterest`.
  package let metadata: [String: [String]]
}

/// What stands behind a gRPC server. Called on event loops: implementations never block.
package protocol GRPCRequestHandler: Sendable {
  /// Whether a path is served; otherwise the answer is UNIMPLEMENTED.
  func admits(path: String) -> Bool

  /// Takes a whole request; answers through the responder, now or later, from any thread.
  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder)

  /// The `google.rpc.Status` bytes sent along with a refusal because too much is under way, so that clients
  /// see a RetryInfo; nil sends the code and the message alone.
  func overloadDetails(_ message: String) -> [UInt8]?
}

extension GRPCRequestHandler {
  package func overloadDetails(_ message: String) -> [UInt8]? { nil }
}
