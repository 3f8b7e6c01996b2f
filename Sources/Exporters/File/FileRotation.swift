internal import TimeFormats

/// Names and removes the files that rotation leaves behind.
///
/// `traces.json` becomes `traces-2022-09-14T05-02-14.173.json`.
struct FileRotation: Sendable {
  let maxBytes: Int
  private let maxDays: Int
  private let maxBackups: Int
  private let localtime: Bool

  init(_ config: FileExporterConfig.Rotation) {
    maxBytes = config.maxMegabytes << 20
    maxDays = config.maxDays
    maxBackups = config.maxBackups
    localtime = config.localtime
  }

  /// A free name for `path`, which is full at `unixNanoseconds`.
  func backupPath(for path: String, at unixNanoseconds: UInt64) -> String {
    let (stem, suffix) = Self.parts(of: path)
    var milliseconds = Int(unixNanoseconds / 1_000_000)
    while true {
      let candidate = stem + "-" + stamp(milliseconds) + suffix
      if !FilePrimitives.exists(candidate) { return candidate }
      milliseconds += 1
    }
  }

  /// Removes renamed files that are too many or too old; gives those it could not remove.
  func removeBackups(of path: String, at unixNanoseconds: UInt64) -> [FileError] {
    guard maxBackups > 0 || maxDays > 0 else { return [] }
    let directory = FilePrimitives.directory(of: path)
    let (stem, suffix) = Self.parts(of: path)
    let prefix = directory.isEmpty ? "" : directory == "/" ? "/" : directory + "/"
    let newestFirst = FilePrimitives.names(in: directory).map { prefix + $0 }
      .compactMap { candidate in Self.stamp(of: candidate, stem: stem, suffix: suffix).map { (candidate, $0) }
      }
      .sorted { $0.1 > $1.1 }
    var expired = maxBackups > 0 ? Array(newestFirst.dropFirst(maxBackups)) : []
    if maxDays > 0 {
      let age = maxDays * 86_400_000
      let oldest = stamp(max(0, Int(unixNanoseconds / 1_000_000) - age))
      let kept = maxBackups > 0 ? newestFirst.prefix(maxBackups) : newestFirst[...]
      expired += kept.filter { $0.1 < oldest }
    }
    return expired.compactMap { candidate, _ in
      do throws(FileError) {
        try FilePrimitives.remove(candidate)
        return nil
      } catch {
        return error
      }
    }
  }

  /// The path up to its extension, and the extension with its dot.
  private static func parts(of path: String) -> (stem: String, suffix: String) {
    let nameStart = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    guard let dot = path[nameStart...].lastIndex(of: ".") else { return (path, "") }
    return (String(path[..<dot]), String(path[dot...]))
  }

  /// The time in a renamed file's name; nil for other files.
  private static func stamp(of path: String, stem: String, suffix: String) -> String? {
    let text = Array(path.utf8)
    let lead = Array("\(stem)-".utf8)
    let tail = Array(suffix.utf8)
    let pattern = Array("0000-00-00T00-00-00.000".utf8)
    guard text.count == lead.count + pattern.count + tail.count, text.starts(with: lead),
      text.suffix(tail.count).elementsEqual(tail)
    else { return nil }
    let stamp = text[lead.count..<lead.count + pattern.count]
    let zero = UInt8(ascii: "0")
    let digits = zero...UInt8(ascii: "9")
    for (byte, expected) in zip(stamp, pattern)
    where expected == zero ? !digits.contains(byte) : byte != expected { return nil }
    return String(decoding: stamp, as: UTF8.self)
  }

  /// A moment as names write it: sorting by text is sorting by time.
  private func stamp(_ unixMilliseconds: Int) -> String {
    let offset = localtime ? FilePrimitives.localOffset(at: unixMilliseconds / 1000) : 0
    let time = CivilTime(unixSeconds: unixMilliseconds / 1000 + offset)
    return "\(time.year, width: 4)-\(time.month, width: 2)-\(time.day, width: 2)"
      + "T\(time.hour, width: 2)-\(time.minute, width: 2)-\(time.second, width: 2)"
      + ".\(unixMilliseconds % 1000, width: 3)"
  }
}
