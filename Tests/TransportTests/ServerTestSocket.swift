import Glibc
import Synchronization

/// A plain blocking socket: shares no code with the server under test.
final class ServerTestSocket {
  struct Closed: Error {}
  struct TimedOut: Error {}

  let descriptor: CInt
  private var buffered: [UInt8] = []

  /// - Parameter address: `127.0.0.1:port`, `[::1]:port`, or the path of a socket file.
  init(_ address: String, timeout seconds: Int = 10) throws {
    if address.hasPrefix("/") {
      descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address.utf8) }
      try Self.connect(descriptor, &name)
    } else {
      guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...])
      else { throw Closed() }
      descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      name.sin_addr.s_addr = inet_addr("127.0.0.1")
      try Self.connect(descriptor, &name)
    }
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func connect<Name>(_ descriptor: CInt, _ name: inout Name) throws {
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
      }
    }
    if result != 0 { throw Closed() }
  }

  deinit { close(descriptor) }

  /// Lets a thread of its own send. It has a descriptor of its own too: the number of this one may belong to the socket of
  /// another test before the thread is done.
  func onThread(_ work: @escaping @Sendable (_ descriptor: CInt) -> Void) {
    let descriptor = dup(descriptor)
    TransportTests.onThread {
      work(descriptor)
      close(descriptor)
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count <= 0 { throw Closed() }
      sent += count
    }
  }

  func endSending() { shutdown(descriptor, CInt(SHUT_WR)) }

  private func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    if count < 0, errno == EAGAIN { throw TimedOut() }
    if count <= 0 { throw Closed() }
    buffered += chunk[..<count]
  }

  func read(_ count: Int) throws -> [UInt8] {
    while buffered.count < count { try fill() }
    defer { buffered.removeFirst(count) }
    return Array(buffered[..<count])
  }

  func readLine() throws -> String {
    while true {
      if let end = buffered.firstIndex(of: 10) {
        let line = String(decoding: buffered[..<end], as: UTF8.self)
        buffered.removeFirst(end + 1)
        return line.hasSuffix("\r") ? String(line.dropLast()) : line
      }
      try fill()
    }
  }

  /// Whether the peer has closed; fails the wait after the time limit.
  var isClosedByPeer: Bool {
    do {
      while true {
        buffered = []
        try fill()
      }
    } catch {
      return error is Closed
    }
  }

  struct Reply {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// Reads one HTTP/1.1 answer.
  func reply(toHead: Bool = false) throws -> Reply {
    let status = Int(try readLine().split(separator: " ")[1]) ?? 0
    var headers: [String: String] = [:]
    while true {
      let line = try readLine()
      if line.isEmpty { break }
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
    }
    let length = toHead ? 0 : Int(headers["content-length"] ?? "0") ?? 0
    return Reply(status: status, headers: headers, body: try read(length))
  }

  /// Sends a POST with a body and reads the answer.
  func post(_ path: String, _ body: [UInt8], headers: [String] = []) throws -> Reply {
    try send(Self.head("POST", path, ["Content-Length: \(body.count)"] + headers))
    try send(body)
    return try reply()
  }

  static func head(_ method: String, _ path: String, _ headers: [String]) -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: test\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n"
  }
}
