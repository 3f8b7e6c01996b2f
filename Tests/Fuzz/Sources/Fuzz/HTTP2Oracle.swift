import Logging
import NIOCore
import NIOEmbedded
import NIOHPACK

@testable import Transport

/// What must hold for any bytes that arrive at the gRPC server.
///
/// The first byte chooses whether the rest is the bytes of a connection or a script of frames, how they are cut into
/// chunks, and when the handler answers. A script is mutated into whole frames more often than bytes are.
enum HTTP2Oracle {
  static func check(_ input: [UInt8]) throws {
    guard let control = input.first else { return }
    let rest = Array(input.dropFirst())
    let bytes = control & 0x40 == 0 ? FrameScript.frames(rest) : rest
    let timing = AnswerTiming.allCases[Int(control >> 2) % AnswerTiming.allCases.count]
    var cuts = Chunks(seed: UInt64(control))
    try serve(cuts.cut(FrameScript.preface + bytes), timing)
  }

  private static func serve(_ chunks: [ArraySlice<UInt8>], _ timing: AnswerTiming) throws {
    let handler = NumberingGRPCHandler(timing)
    var config = GRPCServerConfig()
    config.maxRecvMsgSizeMiB = 1
    config.includeMetadata = true
    config.maxConcurrentStreams = 8
    config.limits.shared.maxInflightBytes = .mebibytes(2)
    let server = GRPCServer(config: config, handler: handler, logger: logger)
    let channel = EmbeddedChannel()
    try GRPCServer.addHandlers(server.shared, to: channel)
    _ = try? channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 4317)).wait()
    channel.embeddedEventLoop.run()
    var sent: [UInt8] = []
    for chunk in chunks where channel.isActive {
      _ = try? channel.writeInbound(ByteBuffer(bytes: chunk))
      if timing == .afterEachChunk { handler.answerAll() }
      channel.embeddedEventLoop.run()
      take(channel, &sent)
    }
    handler.answerAll()
    channel.embeddedEventLoop.run()
    take(channel, &sent)
    try checkFrames(sent, handled: handler.count)
    _ = try? channel.finish(acceptAlreadyClosed: true)
    handler.answerAll()
    channel.embeddedEventLoop.run()
    try require(server.heldBytes == 0, "\(server.heldBytes) bytes are held after the end")
  }

  private static let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

  private static func take(_ channel: EmbeddedChannel, _ sent: inout [UInt8]) {
    while let data = try? channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let buffer) = data { sent += buffer.readableBytesView }
    }
  }

  /// What the server sent is whole frames, and no stream ends twice.
  private static func checkFrames(_ bytes: [UInt8], handled: Int) throws {
    var rest = bytes[...]
    var ended: Set<Int> = []
    var messages = 0
    while !rest.isEmpty {
      let head = Array(rest.prefix(9))
      try require(head.count == 9, "a frame is cut")
      let length = head.prefix(3).reduce(0) { $0 << 8 | Int($1) }
      try require(rest.count >= 9 + length, "a frame of type \(head[3]) is cut")
      let stream = head[5...].reduce(0) { $0 << 8 | Int($1) }
      if head[3] == 0 { messages += 1 }
      if head[3] <= 1, head[4] & 1 != 0 {
        try require(ended.insert(stream).inserted, "stream \(stream) ended twice")
      } else if head[3] <= 1 {
        try require(!ended.contains(stream), "stream \(stream) went on after its end")
      }
      rest = rest.dropFirst(9 + length)
    }
    try require(messages <= handled, "\(messages) messages to \(handled) requests")
  }

  static let seeds: [[UInt8]] = FrameScript.seeds
}

/// A short notation of HTTP/2 frames, in which most changes give frames that are still well formed.
enum FrameScript {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private static let paths = ["/a/B", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/", ""]
  private static let encodings = ["identity", "gzip", "zstd", "snappy", "br", ""]

  /// Each step: what, flags, stream, a number, then so many bytes of payload where the step has one.
  static func frames(_ script: [UInt8]) -> [UInt8] {
    var rest = script[...]
    var bytes = frame(4, 0, 0, [])
    while rest.count >= 4 {
      let step = Array(rest.prefix(4))
      rest = rest.dropFirst(4)
      let stream = Int(step[2])
      let number = Int(step[3])
      switch step[0] {
      case 0x10..<0x40:
        bytes += frame(1, step[1] | 4, stream, headers(number))
      case 0x40..<0x80:
        let message = Array(rest.prefix(number))
        rest = rest.dropFirst(message.count)
        let prefix: [UInt8] = [step[0] & 1, 0, 0, 0, UInt8(message.count)]
        bytes += frame(0, step[1] & 1, stream, prefix + message)
      case 0x80..<0xA0:
        // A header block in two frames.
        let block = headers(number)
        bytes += frame(1, step[1] & 1, stream, Array(block.prefix(7)))
        bytes += frame(9, 4, stream, Array(block.dropFirst(7)))
      case 0xA0..<0xB0: bytes += frame(8, 0, stream, [0, 0, UInt8(number), 255])
      case 0xB0..<0xC0:
        bytes += frame(4, step[1] & 1, 0, [0, step[1] >> 1 & 7, 0, 0, step[2], UInt8(number)])
      default:
        let payload = Array(rest.prefix(number))
        rest = rest.dropFirst(payload.count)
        bytes += frame(step[0] & 15, step[1], stream, payload)
      }
    }
    return bytes
  }

  private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: Int, _ payload: [UInt8]) -> [UInt8] {
    let length = UInt32(payload.count)
    var bytes: [UInt8] = []
    for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
    bytes += [type, flags, 0, 0, 0, UInt8(truncatingIfNeeded: stream)]
    return bytes + payload
  }

  /// A gRPC request's head as HPACK literals, varied by the bits of a number.
  private static func headers(_ number: Int) -> [UInt8] {
    var fields = [
      (":method", number & 0x80 == 0 ? "POST" : "GET"), (":scheme", "http"), (":path", paths[number & 3]),
      (":authority", "a"), ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    if number & 0x04 != 0 { fields.append(("grpc-encoding", encodings[(number >> 3) % encodings.count])) }
    if number & 0x40 != 0 { fields.append(("grpc-timeout", number & 0x20 != 0 ? "1S" : "99999999H")) }
    var block: [UInt8] = []
    for (name, value) in fields {
      block.append(0)
      block.append(UInt8(name.utf8.count))
      block.append(contentsOf: name.utf8)
      block.append(UInt8(value.utf8.count))
      block.append(contentsOf: value.utf8)
    }
    return block
  }

  static let seeds: [[UInt8]] = [
    [0, 0x10, 0, 1, 0, 0x40, 1, 1, 5, 72, 101, 108, 108, 111, 0x10, 0, 3, 1, 0x40, 1, 3, 0],
    [5, 0x80, 0, 1, 0x44, 0x40, 0, 1, 2, 1, 2, 0xC3, 0, 1, 4, 0, 0, 0, 8],
    [9, 0x10, 1, 1, 0, 0xC6, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xA0, 0, 0, 9, 0xB0, 7, 0, 0],
    [2, 0x10, 0, 1, 0x80, 0x10, 0, 5, 0x0C, 0x41, 1, 5, 3, 1, 2, 3],
    [0x40] + frames([0x10, 0, 1, 0, 0x40, 1, 1, 1, 7]),
  ]
}

/// Answers each request with an empty message.
final class NumberingGRPCHandler: GRPCRequestHandler, @unchecked Sendable {
  private let timing: AnswerTiming
  private var waiting: [GRPCResponder] = []
  private(set) var count = 0

  init(_ timing: AnswerTiming) { self.timing = timing }

  func admits(path: String) -> Bool { path.utf8.count > 1 }

  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder) {
    count += 1
    waiting.append(responder)
    if timing != .afterEachChunk { answerAll() }
  }

  func answerAll() {
    while !waiting.isEmpty {
      let responder = waiting.removeFirst()
      if timing != .never { responder.respond([]) }
    }
  }

  func overloadDetails(_ message: String) -> [UInt8]? { [1, 2, 3] }
}
