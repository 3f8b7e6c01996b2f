import Logging
import NIOCore
import NIOEmbedded

@testable import ConfigSchema
@testable import NativeCodecs
@testable import Transport

/// What must hold for any bytes that arrive at the HTTP/1.1 server.
///
/// The first byte chooses how the rest is cut into chunks, and when the handler answers.
enum HTTPOracle {
  static func check(_ input: [UInt8]) throws {
    guard let control = input.first else { return }
    let bytes = Array(input.dropFirst())
    try HTTPReaderOracle.check(bytes)
    let timing = AnswerTiming.allCases[Int(control >> 2) % AnswerTiming.allCases.count]
    var chunks = Chunks(seed: UInt64(control))
    let parts = try serve(chunks.cut(bytes), timing, endsInput: control & 0x20 != 0)
    if timing != .atOnce { return }
    // A handler that answers at once makes the answers a function of the bytes.
    let whole = try serve([bytes[...]], timing, endsInput: control & 0x20 != 0)
    // What a decompressor holds at a time follows from what it was given at a time.
    if (whole + parts).contains(where: { $0.hasPrefix("HTTP/1.1 503") }) { return }
    try require(
      whole == parts,
      "the answers depend on how the requests are cut:\n\(whole.joined(separator: "\n"))\nand\n"
        + parts.joined(separator: "\n"))
  }

  /// Runs one connection; gives its answers without what differs from run to run.
  private static func serve(
    _ chunks: [ArraySlice<UInt8>], _ timing: AnswerTiming, endsInput: Bool
  ) throws -> [String] {
    let handler = NumberingHTTPHandler(timing)
    let server = HTTPServer(config: config, handler: handler, logger: logger)
    let channel = EmbeddedChannel()
    try HTTPServer.addHandlers(server.shared, to: channel)
    _ = try? channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 4318)).wait()
    var sent: [UInt8] = []
    for chunk in chunks where channel.isActive {
      _ = try? channel.writeInbound(ByteBuffer(bytes: chunk))
      if timing == .afterEachChunk { handler.answerAll() }
      channel.embeddedEventLoop.run()
      take(channel, &sent)
    }
    if endsInput, channel.isActive {
      channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
    if channel.isActive {
      handler.answerAll()
      channel.embeddedEventLoop.run()
    }
    take(channel, &sent)
    let answers = try Answers(sent, heads: handler.heads)
    // Each answer carries the number of its request: none is missing before the last, none twice, none out of order.
    try require(
      answers.numbers == Array(0..<answers.numbers.count), "answers in the order \(answers.numbers)")
    try require(
      answers.numbers.count == handler.answered,
      "\(answers.numbers.count) answers to \(handler.answered) answered requests")
    _ = try? channel.finish(acceptAlreadyClosed: true)
    handler.answerAll()
    channel.embeddedEventLoop.run()
    try require(server.heldBytes == 0, "\(server.heldBytes) bytes are held after the end")
    return answers.texts
  }

  private static func take(_ channel: EmbeddedChannel, _ sent: inout [UInt8]) {
    while let buffer = try? channel.readOutbound(as: ByteBuffer.self) { sent += buffer.readableBytesView }
  }

  private static let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

  private static let config: HTTPServerConfig = {
    var config = HTTPServerConfig()
    config.maxRequestBodySize = ByteCount(2048)
    config.includeMetadata = true
    config.limits.maxInflightBytes = .kibibytes(96)
    var cors = CORSConfig()
    cors.allowedOrigins = ["http://*.example"]
    cors.maxAge = 60
    config.cors = cors
    return config
  }()

  static let seeds: [[UInt8]] = {
    let gzip = (try? Compressor(.gzip).compress(Array("hello hello hello".utf8))) ?? []
    let zstd = (try? Compressor(.zstd).compress([UInt8](repeating: 65, count: 3000))) ?? []
    let post = "POST /v1/logs HTTP/1.1\r\nHost: a\r\n"
    let texts: [(String, [UInt8])] = [
      (post + "Content-Length: 5\r\n\r\nhello", []),
      (
        post
          + "Content-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        []
      ),
      (post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n", []),
      (post + "Content-Encoding: gzip\r\nContent-Length: \(gzip.count)\r\n\r\n", gzip),
      (post + "Content-Encoding: zstd\r\nContent-Length: \(zstd.count)\r\n\r\n", zstd),
      (post + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\nhi", []),
      (post + "Content-Length: 9999\r\n\r\n", [UInt8](repeating: 66, count: 3000)),
      (post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", []),
      ("POST http://a/b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", []),
      (
        "OPTIONS /v1/logs HTTP/1.1\r\nHost: a\r\nOrigin: http://b.example\r\n"
          + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type, x\r\n\r\n",
        []
      ),
      ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nxx", []),
      ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nmore", []),
    ]
    return texts.enumerated().map { [UInt8($0)] + Array($1.0.utf8) + $1.1 }
  }()
}

/// When a handler answers.
enum AnswerTiming: CaseIterable {
  case atOnce
  case afterEachChunk
  /// The responders are let go of without an answer.
  case never
}

/// Answers each request with its number and nothing else.
final class NumberingHTTPHandler: HTTPRequestHandler, @unchecked Sendable {
  private let timing: AnswerTiming
  private var waiting: [(HTTPResponder, Int)] = []
  /// How many requests came and were answered while their connection was open.
  private(set) var answered = 0
  /// For each request, whether its answer has no body.
  private(set) var heads: [Bool] = []

  init(_ timing: AnswerTiming) { self.timing = timing }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let number = heads.count
    heads.append(request.method == "HEAD")
    _ = request.header("x")
    waiting.append((responder, number))
    if timing != .afterEachChunk { answerAll() }
  }

  func answerAll() {
    while !waiting.isEmpty {
      let (responder, number) = waiting.removeFirst()
      // `never`: the responder is dropped here and answers for itself.
      guard timing != .never else { continue }
      answered += 1
      responder.respond(HTTPAnswer(status: 200, headers: [("X-Number", "\(number)")]))
    }
  }

  func failure(_ status: Int, _ message: String, contentType: String?) -> HTTPAnswer {
    HTTPAnswer(status: status, headers: [("X-Failure", message)])
  }
}

/// The answers that a server wrote, read without its own code.
struct Answers {
  private(set) var texts: [String] = []
  /// The numbers of the answers that the handler gave.
  private(set) var numbers: [Int] = []

  init(_ bytes: [UInt8], heads: [Bool]) throws {
    var rest = String(decoding: bytes, as: UTF8.self)[...]
    let dropped = "the request was dropped"
    while !rest.isEmpty {
      guard let end = rest.firstRange(of: "\r\n\r\n") else {
        throw OracleFailure(description: "cut: \(rest)")
      }
      let lines = rest[..<end.lowerBound].split(separator: "\r\n")
      rest = rest[end.upperBound...]
      guard let first = lines.first, first.hasPrefix("HTTP/1.1 "),
        let status = Int(first.dropFirst(9).prefix(3))
      else { throw OracleFailure(description: "no status line: \(lines)") }
      texts.append(lines.filter { !$0.hasPrefix("Date: ") }.joined(separator: "|"))
      let length = lines.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
      try require(
        status == 100 || status == 204 || lines.contains { $0.hasPrefix("Content-Length") }, "no length")
      if let number = lines.first(where: { $0.hasPrefix("X-Number: ") }).flatMap({ Int($0.dropFirst(10)) }) {
        numbers.append(number)
      }
      if length > 0, rest.hasPrefix(dropped) { rest = rest.dropFirst(dropped.count) }
    }
  }
}
