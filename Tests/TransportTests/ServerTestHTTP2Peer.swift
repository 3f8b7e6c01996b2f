import NIOCore
import NIOHPACK

@testable import Transport

/// A small HTTP/2 client over a plain socket, which can also break the rules.
///
/// Writes headers as literals without compression; only reading uses the library's HPACK decoder.
final class ServerTestHTTP2Peer {
  struct Answer {
    var headers: [String: String] = [:]
    var trailers: [String: String] = [:]
    var data: [UInt8] = []
    var isEnded = false
    /// The error code of RST_STREAM.
    var reset: UInt32?

    /// From the trailers, or from the head of an answer that is an error.
    var status: String? { trailers["grpc-status"] ?? headers["grpc-status"] }
    var statusMessage: String? { trailers["grpc-message"] ?? headers["grpc-message"] }
    /// The message without its five-byte prefix.
    var message: [UInt8] { Array(data.dropFirst(5)) }
  }

  let socket: ServerTestSocket
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  private(set) var answers: [UInt32: Answer] = [:]
  private(set) var settings: [UInt16: UInt32] = [:]
  /// Error code and last stream of each GOAWAY.
  private(set) var goAways: [(code: UInt32, last: UInt32, text: String)] = []
  private(set) var pings: [(data: [UInt8], isAck: Bool)] = []
  var answersPings = true
  private var connectionWindow = 65_535
  private var streamWindows: [UInt32: Int] = [:]
  private var initialWindow = 65_535
  private var nextStream: UInt32 = 1

  init(_ address: String, preface: Bool = true) throws {
    socket = try ServerTestSocket(address)
    if preface {
      try socket.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      try send(type: 4, flags: 0, stream: 0, [])
    }
  }

  func send(type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) throws {
    try socket.send(Self.frame(type, flags, stream, payload))
  }

  static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    let head: [UInt8] = [
      UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags,
      UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255),
    ]
    return head + payload
  }

  /// The block of an ordinary request's head.
  static let head = block([
    (":method", "POST"), (":scheme", "http"), (":path", "/t.S/Echo"), (":authority", "test"),
    ("content-type", "application/grpc"), ("te", "trailers"),
  ])

  /// Sends as much as the server takes, and reads until it closes.
  func flood(_ bytes: [UInt8]) -> Bool {
    try? socket.send(bytes)
    return isClosedByPeer
  }

  static func block(_ fields: [(String, String)]) -> [UInt8] {
    var out: [UInt8] = []
    func text(_ text: String) {
      let count = text.utf8.count
      if count < 127 {
        out.append(UInt8(count))
      } else {
        out.append(127)
        var rest = count - 127
        while rest >= 128 {
          out.append(UInt8(rest & 127 | 128))
          rest >>= 7
        }
        out.append(UInt8(rest))
      }
      out += text.utf8
    }
    for (name, value) in fields {
      out.append(0)
      text(name)
      text(value)
    }
    return out
  }

  /// Opens a stream with a gRPC head; fields given replace or, with an empty value, remove the usual ones.
  @discardableResult
  func open(_ path: String = "/t.S/Echo", _ fields: [(String, String)] = [], end: Bool = false) throws
    -> UInt32
  {
    let stream = nextStream
    nextStream += 2
    var all: [(String, String)] = [
      (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
      ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    for (name, value) in fields {
      if let index = all.firstIndex(where: { $0.0 == name }) {
        if value.isEmpty { all.remove(at: index) } else { all[index].1 = value }
      } else {
        all.append((name, value))
      }
    }
    streamWindows[stream] = initialWindow
    let block = Self.block(all)
    var rest = block[...]
    var type: UInt8 = 1
    repeat {
      let part = rest.prefix(16_384)
      rest = rest.dropFirst(part.count)
      try send(
        type: type, flags: (rest.isEmpty ? 4 : 0) | (type == 1 && end ? 1 : 0), stream: stream, Array(part))
      type = 9
    } while !rest.isEmpty
    return stream
  }

  static func framed(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    let count = UInt32(message.count)
    return [flag, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
      + message
  }

  /// Sends data within the windows that the server allows.
  func data(_ bytes: [UInt8], on stream: UInt32, end: Bool = true) throws {
    var rest = bytes[...]
    repeat {
      while !rest.isEmpty, min(connectionWindow, streamWindows[stream] ?? 0) <= 0 { try readFrame() }
      let part = rest.prefix(min(16_384, max(0, min(connectionWindow, streamWindows[stream] ?? 0))))
      rest = rest.dropFirst(part.count)
      connectionWindow -= part.count
      streamWindows[stream, default: 0] -= part.count
      try send(type: 0, flags: end && rest.isEmpty ? 1 : 0, stream: stream, Array(part))
    } while !rest.isEmpty
  }

  /// A whole unary call.
  func call(_ path: String, _ message: [UInt8], _ fields: [(String, String)] = [], flag: UInt8 = 0)
    throws -> Answer
  {
    let stream = try open(path, fields)
    try data(Self.framed(message, flag: flag), on: stream)
    return try answer(stream)
  }

  /// A call of the method that answers with the message.
  func echo(_ message: [UInt8], _ fields: [(String, String)] = []) throws -> Answer {
    try call("/t.S/Echo", message, fields)
  }

  /// Reads until a stream has ended.
  func answer(_ stream: UInt32) throws -> Answer {
    while true {
      if let answer = answers[stream], answer.isEnded || answer.reset != nil { return answer }
      try readFrame()
    }
  }

  func readUntil(_ condition: () -> Bool) throws {
    while !condition() { try readFrame() }
  }

  /// Reads frames until the server closes; what came before is kept.
  var isClosedByPeer: Bool {
    do {
      while true { try readFrame() }
    } catch {
      return error is ServerTestSocket.Closed
    }
  }

  func readFrame() throws {
    let head = try socket.read(9)
    let payload = try socket.read(Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2]))
    let flags = head[4]
    let stream = Self.number(head[5...]) & 0x7FFF_FFFF
    switch head[3] {
    case 0:
      answers[stream, default: Answer()].data += payload
      if flags & 1 != 0 { answers[stream]?.isEnded = true }
    case 1:
      var buffer = ByteBuffer(bytes: payload)
      let fields = try decoder.decodeHeaders(from: &buffer)
      var answer = answers[stream] ?? Answer()
      let isTrailer = !answer.headers.isEmpty
      for (name, value, _) in fields {
        if isTrailer { answer.trailers[name] = value } else { answer.headers[name] = value }
      }
      if flags & 1 != 0 { answer.isEnded = true }
      answers[stream] = answer
    case 3: answers[stream, default: Answer()].reset = Self.number(payload[...])
    case 4 where flags & 1 == 0:
      for start in stride(from: 0, to: payload.count, by: 6) {
        let id = UInt16(payload[start]) << 8 | UInt16(payload[start + 1])
        settings[id] = Self.number(payload[(start + 2)...])
      }
      if let window = settings[4] {
        for key in streamWindows.keys { streamWindows[key, default: 0] += Int(window) - initialWindow }
        initialWindow = Int(window)
      }
      try send(type: 4, flags: 1, stream: 0, [])
    case 6:
      pings.append((payload, flags & 1 != 0))
      if flags & 1 == 0, answersPings { try send(type: 6, flags: 1, stream: 0, payload) }
    case 7:
      goAways.append(
        (
          Self.number(payload[4...]), Self.number(payload[...]),
          String(decoding: payload[8...], as: UTF8.self)
        ))
    case 8:
      let increment = Int(Self.number(payload[...]))
      if stream == 0 { connectionWindow += increment } else { streamWindows[stream, default: 0] += increment }
    default: break
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
