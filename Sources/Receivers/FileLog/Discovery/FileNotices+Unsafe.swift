internal import Glibc

/// Tells of changes in directories and files, through the kernel's inotify.
///
/// Directories are watched for names that come and go. Files are watched for their next change only: one that is written
/// to all the time is read at intervals and costs no notice per write.
final class FileNotices {
  enum Notice: Sendable, Equatable {
    /// A name came, went, or means something else.
    case name(directory: Int32, name: String, isDirectory: Bool)
    /// A watched file has changed; the watch is over.
    case changed(Int32)
    /// A watched directory is not where it was.
    case moved(Int32)
    /// A watch has ended.
    case ended(Int32)
    /// Notices were lost.
    case overflow
  }

  let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// - Throws: when the system gives no more of them.
  init() throws(FileError) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    if descriptor < 0 { throw FileError.last }
  }

  deinit { close(descriptor) }

  /// Watches the names in a directory; gives the same number again for one that is watched.
  func watchDirectory(_ path: String) throws(FileError) -> Int32 {
    let mask =
      IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
      | Int32(IN_ONLYDIR)
    return try add(path.isEmpty ? "." : path, UInt32(mask))
  }

  /// Watches for the next change of an open file, whatever it is called by now.
  func watchFile(_ file: OpenFile) throws(FileError) -> Int32 {
    try add("/proc/self/fd/\(file.descriptor)", UInt32(IN_MODIFY) | UInt32(IN_ONESHOT))
  }

  /// Watches for the next change of a file that is not open.
  func watchFile(at path: String) throws(FileError) -> Int32 {
    try add(path, UInt32(IN_MODIFY) | UInt32(IN_ONESHOT))
  }

  private func add(_ path: String, _ mask: UInt32) throws(FileError) -> Int32 {
    let watch = unsafe inotify_add_watch(descriptor, path, mask)
    if watch < 0 { throw FileError.last }
    return watch
  }

  func remove(_ watch: Int32) { inotify_rm_watch(descriptor, watch) }

  /// Everything that has been told since the last time.
  func read() -> [Notice] {
    var notices: [Notice] = []
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
        guard let base = bytes.baseAddress else { return 0 }
        return unsafe Glibc.read(descriptor, base, bytes.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return notices }
      parse(count, &notices)
    }
  }

  private func parse(_ count: Int, _ notices: inout [Notice]) {
    unsafe buffer.withUnsafeBytes { bytes in
      let head = MemoryLayout<inotify_event>.size
      var position = 0
      while position + head <= count {
        let watch = unsafe bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)
        let mask = unsafe bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)
        let length = Int(unsafe bytes.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
        let end = min(position + head + length, count)
        let name = unsafe bytes[(position + head)..<end].prefix { $0 != 0 }
        unsafe notices.append(Self.notice(watch, mask, String(decoding: name, as: UTF8.self)))
        position = end
      }
    }
  }

  private static func notice(_ watch: Int32, _ mask: UInt32, _ name: String) -> Notice {
    if mask & UInt32(IN_Q_OVERFLOW) != 0 { return .overflow }
    if mask & UInt32(IN_IGNORED) != 0 { return .ended(watch) }
    if mask & UInt32(IN_MODIFY) != 0 { return .changed(watch) }
    if name.isEmpty { return .moved(watch) }
    return .name(directory: watch, name: name, isDirectory: mask & UInt32(IN_ISDIR) != 0)
  }
}
