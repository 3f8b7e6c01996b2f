internal import Glibc

/// A name in a directory.
struct DirectoryEntry: Sendable {
  enum Kind: Sendable { case regular, directory, link, unknown, other }

  /// With `\u{FFFD}` in place of what is no UTF-8.
  let name: String
  let kind: Kind
  let inode: UInt64
  /// Whether the name is UTF-8; files of other names cannot be told of, and so are not read.
  let isText: Bool

  /// Everything in a directory except itself and the one above, in the order of the file system.
  static func all(in path: String) throws(FileError) -> [DirectoryEntry] {
    guard let directory = unsafe opendir(path) else { throw FileError.last }
    defer { unsafe closedir(directory) }
    var entries: [DirectoryEntry] = []
    while let entry = unsafe readdir(directory) {
      let kind: Kind =
        switch Int(unsafe entry.pointee.d_type) {
        case DT_REG: .regular
        case DT_DIR: .directory
        case DT_LNK: .link
        case DT_UNKNOWN: .unknown
        default: .other
        }
      let inode = UInt64(unsafe entry.pointee.d_ino)
      let (name, isText) = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe (String(cString: $0), String(validatingCString: $0) != nil)
        }
      }
      if name == "." || name == ".." { continue }
      entries.append(DirectoryEntry(name: name, kind: kind, inode: inode, isText: isText))
    }
    return entries
  }
}
