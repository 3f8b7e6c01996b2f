internal import Glibc

/// Reads small files that hold credentials, through the C library.
package enum CredentialFile {
  /// The most bytes that such a file may have.
  package static let limit = 1 << 20

  /// What tells one content of a file from the next without reading it.
  ///
  /// Kubernetes swaps a link to another directory, editors rename a new file over the old one: the inode shows both.
  package struct Version: Equatable, Sendable {
    let device: UInt
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  /// The present version; nil when there is no such file.
  package static func version(of path: String) -> Version? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Version(
      device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  /// Why a file could not be read, such as `no such file`.
  package struct ReadError: Error { package let reason: String }

  /// The text of a file.
  package static func text(of path: String) throws(ReadError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw lastError() }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw lastError()
      }
      if count == 0 { break }
      guard bytes.count + count <= limit else { throw ReadError(reason: "it is larger than 1MiB") }
      bytes.append(contentsOf: chunk[..<count])
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ReadError(reason: "it is not UTF-8 text")
    }
    return text
  }

  private static func lastError() -> ReadError {
    let code = errno
    guard let text = unsafe strerror(code) else { return ReadError(reason: "error \(code)") }
    return ReadError(reason: unsafe String(cString: text).lowercased())
  }
}
