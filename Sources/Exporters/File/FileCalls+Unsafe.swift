#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A file operation that failed: what, where and why.
package struct FileError: Error, CustomStringConvertible, Equatable {
  package let operation: String
  package let path: String
  /// The C library's error number.
  package let code: Int32

  package init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  package var description: String { "cannot \(operation) \(path): \(Self.text(of: code))" }

  /// The C library's words for an error number. Its buffer is thread-local in glibc and Darwin.
  static func text(of code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}

/// What tests replace to see disks fail.
package protocol FileCalls: Sendable {
  /// Writes some of `bytes` at the end of the file; gives how many, or the error number.
  func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Result<Int, FileCallFailure>
  /// Makes what was written survive a power cut.
  func sync(_ descriptor: Int32) -> Result<Void, FileCallFailure>
}

/// The error number of a failed call.
package struct FileCallFailure: Error {
  package let code: Int32
  package init(code: Int32) { self.code = code }
}

/// The operating system's file calls.
package struct SystemFileCalls: FileCalls {
  package init() {}

  package func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Result<Int, FileCallFailure> {
    unsafe bytes.withUnsafeBytes { buffer in
      while true {
        #if canImport(Glibc)
          let count = unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
          let count = unsafe Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
        if count >= 0 { return .success(count) }
        let code = errno
        if code != EINTR { return .failure(FileCallFailure(code: code)) }
      }
    }
  }

  package func sync(_ descriptor: Int32) -> Result<Void, FileCallFailure> {
    #if canImport(Glibc)
      let result = fdatasync(descriptor)
    #else
      let result = fsync(descriptor)
    #endif
    let code = errno
    // Pipes and terminals have nothing to sync.
    if result == 0 || code == EINVAL || code == ENOTSUP || code == EROFS { return .success(()) }
    return .failure(FileCallFailure(code: code))
  }
}

/// Calls about files that need no stand-in.
enum FilePrimitives {
  /// Opens `path` for writing, created with mode 0644 where it is missing.
  static func openForWriting(_ path: String, truncating: Bool) throws(FileError) -> Int32 {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncating ? O_TRUNC : 0)
    let descriptor = unsafe open(path, flags, 0o644)
    if descriptor < 0 { throw FileError("open", path, code: errno) }
    return descriptor
  }

  static func close(_ descriptor: Int32) {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
  }

  /// A second descriptor of the same file; nil when there are too many.
  static func duplicate(_ descriptor: Int32) -> Int32? {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    return copy < 0 ? nil : copy
  }

  /// The size in bytes; nil for what is no regular file (pipe, terminal).
  static func size(of descriptor: Int32) -> Int? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// The last byte of the file; nil when it is empty or cannot be read.
  static func lastByte(of path: String) -> UInt8? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    guard let size = size(of: descriptor), size > 0 else { return nil }
    var byte: UInt8 = 0
    return unsafe pread(descriptor, &byte, 1, off_t(size - 1)) == 1 ? byte : nil
  }

  /// Cuts the file off; false when that failed.
  static func truncate(_ descriptor: Int32, to size: Int) -> Bool { ftruncate(descriptor, off_t(size)) == 0 }

  static func rename(_ path: String, to newPath: String) throws(FileError) {
    #if canImport(Glibc)
      let result = unsafe Glibc.rename(path, newPath)
    #else
      let result = unsafe Darwin.rename(path, newPath)
    #endif
    if result != 0 { throw FileError("rename", path, code: errno) }
  }

  static func remove(_ path: String) throws(FileError) {
    if unsafe unlink(path) != 0 { throw FileError("remove", path, code: errno) }
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Creates a directory and those above it.
  static func createDirectories(_ path: String, permissions: UInt32) throws(FileError) {
    if path.isEmpty || path == "/" || exists(path) { return }
    try createDirectories(directory(of: path), permissions: permissions)
    if unsafe mkdir(path, mode_t(permissions)) != 0, errno != EEXIST {
      throw FileError("create directory", path, code: errno)
    }
  }

  /// What stands before the last slash; empty for a file of the working directory.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The names in a directory; empty when it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// How far local time is ahead of UTC at a moment, in seconds.
  static func localOffset(at unixSeconds: Int) -> Int {
    var moment = time_t(unixSeconds)
    var parts = unsafe tm()
    guard unsafe localtime_r(&moment, &parts) != nil else { return 0 }
    return unsafe Int(parts.tm_gmtoff)
  }

  /// Error numbers that others need by name.
  static let noSuchFile = ENOENT
  static let noSpace = ENOSPC
  static let inputOutput = EIO
}
