internal import Glibc

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

  init(_ raw: stat) {
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

  /// There are as many open files as there may be.
  static let outOfHandles = FileError(code: EMFILE)
  /// The file is said to be compressed and is not, or is damaged.
  static let damaged = FileError(code: EBADMSG)
  /// The file is compressed, and is to be read as it is.
  static let compressed = FileError(code: EILSEQ)
  /// The name of the file is no text.
  static let nameless = FileError(code: EINVAL)

  var description: String {
    switch self {
    case .damaged: return "it is no gzip file, or a damaged one"
    case .compressed: return "it is a gzip file; set compression: auto, or exclude it"
    case .nameless: return "its name is not UTF-8"
    default: break
    }
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }

  static var last: FileError { FileError(code: errno) }
}

extension FileStatus {
  /// What a path leads to, symbolic links followed.
  static func of(_ path: String) throws(FileError) -> FileStatus {
    var raw = stat()
    if unsafe stat(path, &raw) != 0 { throw FileError.last }
    return FileStatus(raw)
  }

  /// Whether a path is a symbolic link itself.
  static func isLink(_ path: String) -> Bool {
    var raw = stat()
    return unsafe lstat(path, &raw) == 0 && raw.st_mode & S_IFMT == S_IFLNK
  }
}
