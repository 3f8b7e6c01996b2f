internal import PipelineKit

/// All that is followed, and all that was and may come back.
struct FileBook {
  /// By the file it lies in.
  private(set) var files: [FileID: TailedFile] = [:]
  /// By the path that leads to it.
  private(set) var paths: [String: TailedFile] = [:]
  /// What lies in no file that is known.
  private(set) var absent: [UInt64: TailedFile] = [:]
  /// The same by the file it lay in last, and by its last path.
  private var absentIDs: [FileID: [UInt64: TailedFile]] = [:]
  private var absentPaths: [String: [UInt64: TailedFile]] = [:]
  private var nextSerial: UInt64 = 1
  /// What begins with some bytes, and how many there are for each number of bytes.
  private var heads: [BytePrint: [UInt64: TailedFile]] = [:]
  private var headCounts: [Int: Int] = [:]

  mutating func makeSerial() -> UInt64 {
    defer { nextSerial += 1 }
    return nextSerial
  }

  /// Whether something of that number is known.
  func contains(_ serial: UInt64) -> Bool {
    absent[serial] != nil || files.values.contains { $0.serial == serial }
  }

  /// Whether it lies in a file, open or not.
  func isFollowed(_ file: TailedFile) -> Bool { files[file.id] === file }
  func isAbsent(_ file: TailedFile) -> Bool { absent[file.serial] === file }

  func file(_ id: FileID) -> TailedFile? { files[id] }
  func file(at path: String) -> TailedFile? { paths[path] }

  /// Takes in what lies in a file.
  mutating func add(_ file: TailedFile) {
    nextSerial = max(nextSerial, file.serial + 1)
    dropAbsent(file)
    files[file.id] = file
    if file.isListed { paths[file.path] = file }
    index(file)
  }

  /// Takes in what lies in no file.
  mutating func addAbsent(_ file: TailedFile) {
    nextSerial = max(nextSerial, file.serial + 1)
    if files[file.id] === file { files[file.id] = nil }
    if paths[file.path] === file { paths[file.path] = nil }
    file.isListed = false
    absent[file.serial] = file
    absentIDs[file.id, default: [:]][file.serial] = file
    absentPaths[file.path, default: [:]][file.serial] = file
    index(file)
  }

  /// Forgets it.
  mutating func remove(_ file: TailedFile) {
    if files[file.id] === file { files[file.id] = nil }
    if paths[file.path] === file { paths[file.path] = nil }
    dropAbsent(file)
    unindex(file)
  }

  private mutating func dropAbsent(_ file: TailedFile) {
    guard absent.removeValue(forKey: file.serial) != nil else { return }
    absentIDs[file.id]?[file.serial] = nil
    if absentIDs[file.id]?.isEmpty ?? false { absentIDs[file.id] = nil }
    absentPaths[file.path]?[file.serial] = nil
    if absentPaths[file.path]?.isEmpty ?? false { absentPaths[file.path] = nil }
  }

  /// What lay in a file when it was seen last: the same file by its number, or by its path where devices have got other
  /// numbers, as after a restart of the machine. The latest first.
  func absent(in id: FileID, at path: String) -> [TailedFile] {
    let same = absentIDs[id, default: [:]].values
    let others = absentPaths[path, default: [:]].values.filter { $0.id.inode == id.inode && $0.id != id }
    return (Array(same) + others).sorted { $0.serial > $1.serial }
  }

  /// The path leads elsewhere, or nowhere.
  mutating func unlist(_ file: TailedFile) {
    if paths[file.path] === file { paths[file.path] = nil }
    file.isListed = false
  }

  mutating func rename(_ file: TailedFile, to path: String) {
    unlist(file)
    file.path = path
    file.isListed = true
    paths[path] = file
  }

  /// Books the first bytes of a file.
  mutating func setHead(_ head: BytePrint, of file: TailedFile) {
    unindex(file)
    file.head = head
    index(file)
  }

  /// Everything that begins with the same bytes as these do.
  func beginning(with bytes: Span<UInt8>) -> [TailedFile] {
    var found: [TailedFile] = []
    for count in headCounts.keys where count <= bytes.count {
      found += (heads[BytePrint(bytes.extracting(0..<count))] ?? [:]).values
    }
    return found
  }

  private mutating func index(_ file: TailedFile) {
    guard file.head.count > 0,
      heads[file.head, default: [:]].updateValue(file, forKey: file.serial) == nil
    else { return }
    headCounts[file.head.count, default: 0] += 1
  }

  private mutating func unindex(_ file: TailedFile) {
    guard heads[file.head]?.removeValue(forKey: file.serial) != nil else { return }
    if heads[file.head]?.isEmpty ?? false { heads[file.head] = nil }
    let left = (headCounts[file.head.count] ?? 1) - 1
    headCounts[file.head.count] = left > 0 ? left : nil
  }
}
