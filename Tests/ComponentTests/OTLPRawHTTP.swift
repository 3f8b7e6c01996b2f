import Foundation

/// A request over a plain socket, so that it may be as wrong as a test wants it to be.
enum RawHTTP {
  struct Reply: Sendable {
    var status = 0
    /// Header values by lower-case name.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
  }

  static func send(
    _ method: String = "POST", _ path: String, to address: String, contentType: String? = nil,
    body: [UInt8] = [],
    headers: [String] = []
  ) async throws -> Reply {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
    if let contentType { head += "Content-Type: \(contentType)\r\n" }
    for header in headers { head += header + "\r\n" }
    head += "Content-Length: \(body.count)\r\n\r\n"
    let bytes = Array(head.utf8) + body
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try parse(exchange(bytes, address)) })
      }
    }
  }

  private struct Failure: Error { let message: String }

  /// Sends the bytes and reads until the server closes.
  private static func exchange(_ bytes: [UInt8], _ address: String) throws -> [UInt8] {
    guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw Failure(message: "no port in \(address)")
    }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &target) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(message: "cannot connect to \(address)") }
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { break }
      sent += count
    }
    var reply: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { break }
      reply += buffer[..<count]
    }
    return reply
  }

  private static func parse(_ bytes: [UInt8]) throws -> Reply {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
      throw Failure(message: "no HTTP reply in \(bytes.count) bytes")
    }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var reply = Reply()
    reply.status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      reply.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    reply.body = Array(bytes[end.upperBound...])
    return reply
  }
}
