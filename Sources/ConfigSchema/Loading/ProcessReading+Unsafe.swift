#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads files and variables of this process through the C library.
///
/// Foundation would do, but costs more resident memory than the whole configuration.
enum ProcessReading {
  /// The value of an environment variable.
  static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// The bytes of a file of at most `limit` bytes.
  static func bytes(ofFile path: String, limit: Int) -> Result<[UInt8], ConfigEnvironment.ReadError> {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(error(errno)) }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe read(descriptor, buffer.baseAddress, buffer.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        return .failure(error(errno))
      }
      if count == 0 { return .success(bytes) }
      if bytes.count + count > limit { return .failure(.tooLarge) }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  private static func error(_ code: Int32) -> ConfigEnvironment.ReadError {
    switch code {
    case ENOENT, ENOTDIR: return .notFound
    case EACCES, EPERM: return .notAllowed
    case EISDIR: return .isDirectory
    default:
      guard let text = unsafe strerror(code) else { return .system("error \(code)") }
      return .system(unsafe String(cString: text))
    }
  }
}
