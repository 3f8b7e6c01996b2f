internal import Glibc
internal import PipelineKit

/// What the system says of a file.
struct FileStatus: Sendable, Equatable {
  enum Kind: Sendable { case regular, directory, other }

  var id: FileID
  var kind: Kind
  /// Bytes.
  var size: UInt64
  /// When it was written to, in nanoseconds since the Unix epoch.
  var modified: Int64
  /// When anything about it changed, in nanoseconds since the Unix epoch; cannot be set by programs.
  var changed: Int64
  /// How many names it has; 0 once it has been deleted.
  var links: UInt64
  var permissions: UInt32
  var owner: UInt32
  var group: UInt32

  fileprivate init(_ raw: stat) {
    id = FileID(device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino))
    kind =
      switch raw.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      default: .other
      }
    size = UInt64(max(0, raw.st_size))
    modified = Int64(raw.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_mtim.tv_nsec)
    changed = Int64(raw.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_ctim.tv_nsec)
    links = UInt64(raw.st_nlink)
    permissions = UInt32(raw.st_mode & 0o7777)
    owner = raw.st_uid
    group = raw.st_gid
  }
}

/// Which file it is, whatever it is called: unique among the files that exist at one time.
struct FileID: Sendable, Hashable {
  var device: UInt64
  var inode: UInt64
}

/// Why a call failed.
struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
  let code: Int32

  /// Nothing of that name is there.
  var isMissing: Bool { code == ENOENT || code == ENOTDIR }
  /// The process, or the system, has no room for another open file.
  var isOutOfHandles: Bool { code == EMFILE || code == ENFILE }
  /// The kernel watches as many files as it may.
  var isOutOfWatches: Bool { code == ENOSPC || code == ENOMEM }

  var description: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }

  static var last: FileError { FileError(code: errno) }
}

/// A file open for reading; closed when it goes away.
///
/// Calls may block as long as a disk does.
final class OpenFile {
  let descriptor: Int32
  /// Counts the files that are open.
  private let gauge: SelfMetricCell

  private init(_ descriptor: Int32, _ gauge: SelfMetricCell) {
    self.descriptor = descriptor
    self.gauge = gauge
    gauge.add()
  }

  deinit {
    gauge.add(-1)
    close(descriptor)
  }

  /// Opens a file and says what it is: whoever opened something else than a regular file lets it go unread.
  static func open(
    _ path: String, counting gauge: SelfMetricCell
  ) throws(FileError) -> (file: OpenFile, status: FileStatus) {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if descriptor < 0 { throw FileError.last }
    let file = OpenFile(descriptor, gauge)
    return (file, try file.status())
  }

  /// What the system says of it now.
  func status() throws(FileError) -> FileStatus {
    var raw = stat()
    if unsafe fstat(descriptor, &raw) != 0 { throw FileError.last }
    return FileStatus(raw)
  }

  /// Reads from an offset into `buffer` at `start`; fewer bytes than asked for only at the end of the file.
  func read(_ count: Int, at offset: UInt64, into buffer: inout [UInt8], start: Int = 0) throws(FileError)
    -> Int
  {
    var done = 0
    let room = min(count, buffer.count - start)
    while done < room {
      let result = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
        guard let base = bytes.baseAddress else { return 0 }
        return unsafe pread(
          descriptor, base + start + done, room - done, off_t(clamping: offset &+ UInt64(done)))
      }
      if result == 0 { break }
      if result < 0 {
        if errno == EINTR { continue }
        throw FileError.last
      }
      done += result
    }
    return done
  }

  /// The print of the bytes in a range; nil when the file does not reach that far.
  func print(_ count: Int, endingAt end: UInt64) throws(FileError) -> BytePrint? {
    if count == 0 { return BytePrint.none }
    guard end >= UInt64(count) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    guard try read(count, at: end - UInt64(count), into: &bytes) == count else { return nil }
    return BytePrint(bytes.span)
  }

  /// Where the first data at or behind an offset is, for files with holes; nil when there is none.
  func firstData(from offset: UInt64) -> UInt64? {
    let seekData: Int32 = 3
    let found = lseek(descriptor, off_t(clamping: offset), seekData)
    return found < 0 ? nil : UInt64(found)
  }

  /// What a path leads to, symbolic links followed.
  static func status(of path: String) throws(FileError) -> FileStatus {
    var raw = stat()
    if unsafe stat(path, &raw) != 0 { throw FileError.last }
    return FileStatus(raw)
  }

  /// Whether a path is a symbolic link itself.
  static func isLink(_ path: String) -> Bool {
    var raw = stat()
    return unsafe lstat(path, &raw) == 0 && raw.st_mode & S_IFMT == S_IFLNK
  }

  static func delete(_ path: String) throws(FileError) {
    if unsafe unlink(path) != 0 { throw FileError.last }
  }
}

/// How many files the process may have open.
enum HandleLimit {
  /// Raises the limit as far as it may be raised, and says where it then is.
  static func raise() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
    return Int(clamping: limit.rlim_cur)
  }
}
