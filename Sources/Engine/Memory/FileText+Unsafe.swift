import Glibc

/// Small files of `/proc` and `/sys`.
enum FileText {
  /// Up to 64 KiB of a file; nil when it cannot be read.
  static func read(_ path: String) -> String? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
