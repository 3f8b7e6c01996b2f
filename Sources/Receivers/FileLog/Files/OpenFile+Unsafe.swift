internal import Glibc
internal import PipelineKit

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

  /// Where the first data at or behind an offset is, for files with holes; nil when there is none.
  func firstData(from offset: UInt64) -> UInt64? {
    let seekData: Int32 = 3
    let found = lseek(descriptor, off_t(clamping: offset), seekData)
    return found < 0 ? nil : UInt64(found)
  }

  /// Locks the file against those who ask for it all to themselves; false when one of them has it.
  func lock() -> Bool { flock(descriptor, LOCK_SH | LOCK_NB) == 0 }
  func unlock() { _ = flock(descriptor, LOCK_UN) }

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
