#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Calls about files and directories. All of them may block.
enum FilePrimitives {
  /// The C library's words for an error number. Its buffer is thread-local in glibc and Darwin.
  static func text(of code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// What keeps `path` from being a directory in which files can be made; nil when nothing does.
  static func problem(ofDirectory path: String) -> String? {
    problem(of: path, permissions: R_OK | W_OK | X_OK)
  }

  /// What keeps `path` from being a directory whose files can be read; nil when nothing does.
  static func problem(ofReadingDirectory path: String) -> String? {
    problem(of: path, permissions: R_OK | X_OK)
  }

  private static func problem(of path: String, permissions: Int32) -> String? {
    var status = stat()
    if unsafe stat(path, &status) != 0 { return text(of: errno) }
    if status.st_mode & S_IFMT != S_IFDIR { return "it is not a directory" }
    return unsafe access(path, permissions) == 0 ? nil : text(of: errno)
  }

  /// The size in bytes; 0 for what is missing.
  static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Creates a directory and those above it; gives the reason of a failure.
  static func createDirectories(_ path: String, permissions: UInt32) -> String? {
    if path.isEmpty || path == "/" || exists(path) { return nil }
    var parent = path[...]
    while parent.count > 1, parent.last == "/" { parent.removeLast() }
    if let slash = parent.lastIndex(of: "/"), slash > parent.startIndex,
      let problem = createDirectories(String(parent[..<slash]), permissions: permissions)
    {
      return problem
    }
    if unsafe mkdir(path, mode_t(permissions)) != 0, errno != EEXIST { return text(of: errno) }
    sync(StorageDirectory.parent(of: String(parent)))
    return nil
  }

  static func rename(_ path: String, to newPath: String) -> Bool {
    #if canImport(Glibc)
      unsafe Glibc.rename(path, newPath) == 0
    #else
      unsafe Darwin.rename(path, newPath) == 0
    #endif
  }

  static func remove(_ path: String) { unsafe unlink(path) }

  /// Makes a file's content, or the names in a directory, survive a power cut; false when that failed.
  @discardableResult
  static func sync(_ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  /// Creates an empty file that only its owner may read, unless there is one.
  static func createPrivate(_ path: String) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Makes `path` at least `size` bytes long with zeros.
  static func extend(_ path: String, to size: Int) {
    if self.size(of: path) < size { _ = unsafe truncate(path, off_t(size)) }
  }

  /// The first `count` bytes of a file, or fewer.
  static func prefix(of path: String, count: Int) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return [] }
    defer { close(descriptor) }
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = unsafe max(0, read(descriptor, buffer.baseAddress, count))
    }
  }

  /// Space that processes without privileges may still take, and the size of the file system, in bytes.
  static func space(at path: String) -> (free: Int, total: Int)? {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    let unit = Int(status.f_frsize)
    return (Int(clamping: status.f_bavail) &* unit, Int(clamping: status.f_blocks) &* unit)
  }

  static func unixSeconds() -> Int { time(nil) }

  /// The names in a directory, sorted; empty when it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// A lock file that tells processes apart; the system drops the lock when the process ends, however it ends.
final class DirectoryLock: Sendable {
  private let descriptor: Int32

  enum Failure: Error { case held(by: String?), other(String) }

  /// Takes the lock, or says who has it.
  init(_ path: String) throws(Failure) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    if descriptor < 0 { throw .other(FilePrimitives.text(of: errno)) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      close(descriptor)
      if code != EWOULDBLOCK { throw .other(FilePrimitives.text(of: code)) }
      throw .held(by: Self.name(in: path))
    }
    self.descriptor = descriptor
    let text = Array("\(getpid())\n".utf8)
    ftruncate(descriptor, 0)
    unsafe text.withUnsafeBytes { buffer in
      _ = unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, 0)
    }
  }

  /// Who has the lock at this moment; nil when nobody does.
  static func holder(of path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    return name(in: path) ?? "another process"
  }

  private static func name(in path: String) -> String? {
    let text = String(decoding: FilePrimitives.prefix(of: path, count: 40), as: UTF8.self)
    return text.isEmpty ? nil : "process \(text.prefix { $0.isNumber })"
  }

  deinit { close(descriptor) }
}
