internal import Glibc

/// Reads small files whole. Blocks: never on an event loop.
package enum FileBytes {
  /// Why a file could not be read, in words.
  package struct Failure: Error { package let reason: String }

  /// The content of a file.
  /// - Parameter limit: more bytes are refused.
  package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw Failure(reason: SystemErrors.text(errno)) }
    defer { _ = close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure(reason: SystemErrors.text(errno)) }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      if bytes.count > limit { throw Failure(reason: "it is larger than \(limit) bytes") }
    }
  }
}
