import Glibc

/// What tells one state of a file from another, without reading it. Links are followed to what they lead to.
struct FileStamp: Sendable, Hashable {
  /// Device, inode, size, and the times of the last change of content and of the entry in nanoseconds; nil when
  /// there is no file.
  private let numbers: [UInt64]?

  init(of path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      numbers = nil
      return
    }
    func nanoseconds(_ time: timespec) -> UInt64 {
      UInt64(bitPattern: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
    numbers = [
      UInt64(status.st_dev), UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_size)),
      nanoseconds(status.st_mtim), nanoseconds(status.st_ctim),
    ]
  }

  static func all(of paths: some Sequence<String>) -> [String: FileStamp] {
    Dictionary(paths.map { ($0, FileStamp(of: $0)) }, uniquingKeysWith: { first, _ in first })
  }
}
