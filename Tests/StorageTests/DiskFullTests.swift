import Foundation
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct DiskFullTests {
  let place: TemporaryDirectory
  let reports = Reports()

  init() throws { place = try TemporaryDirectory() }

  /// A small file system in memory, where this process may mount one.
  final class SmallDisk {
    let path: String

    init?(_ path: String, megabytes: Int) throws {
      self.path = path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return nil }
    }

    func resize(megabytes: Int) {
      #expect(mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(megabytes)m") == 0)
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
  }

  @Test(.enabled(if: getuid() == 0, "only root may mount"), arguments: [0, nil] as [Int?])
  func `a full disk refuses, loses nothing, and is used again once there is room`(reserve: Int?) async throws
  {
    // Containers may forbid mounting even to root.
    guard let disk = try SmallDisk(place.path + "/disk", megabytes: 12) else { return }
    var options = reports.options
    options.freeSpaceReserve = reserve
    var directory: StorageDirectory? = try await StorageDirectory.open(disk.path, options: options)
    let queue = try #require(try await directory?.openQueue(key))
    var stored = 0
    let error = await #expect(throws: StorageError.self) {
      while stored < 1000 {
        try await queue.append(.numbered(stored, size: 100_000))
        stored += 1
      }
    }
    guard case .diskFull(let path, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == disk.path + "/" + queueFile)
    #expect(stored > 30 && stored < 200 && queue.totals.records == stored)

    // What a kill leaves behind at this moment.
    let copy = try TemporaryDirectory()
    for name in [queueFile, queueFile + "-wal"] {
      try FileManager.default.copyItem(atPath: disk.path + "/" + name, toPath: copy.path + "/" + name)
    }
    let killed = try await StorageDirectory.open(copy.path, options: reports.options).openQueue(key)
    #expect(await killed.drain(stored) == Array(0..<stored))
    await killed.close()

    #expect(await queue.drain(stored / 2) == Array(0..<stored / 2))
    disk.resize(megabytes: 64)
    try await queue.append(.numbered(stored, size: 100_000))
    await queue.close()
    directory = nil
    let again = try await StorageDirectory.open(disk.path, options: options).openQueue(key)
    #expect(await again.drain(stored - stored / 2 + 1) == Array(stored / 2...stored))
    #expect(again.totals.records == 0)
    await again.close()
    #expect(reports.damages.isEmpty)
  }

  @Test(.enabled(if: getuid() == 0, "only root may mount"))
  func `what was drained from a full disk makes room, though the file does not shrink`() async throws {
    guard let disk = try SmallDisk(place.path + "/disk", megabytes: 24) else { return }
    var options = reports.options
    options.freeSpaceReserve = nil
    let queue = try await StorageDirectory.open(disk.path, options: options).openQueue(key)
    var (next, oldest) = (0, 0)
    for _ in 0..<4 {
      await #expect(throws: StorageError.self) {
        while next - oldest < 1000 {
          try await queue.append(.numbered(next, size: 100_000))
          next += 1
        }
      }
      #expect(next - oldest > 100)
      let half = (next - oldest) / 2
      #expect(await queue.drain(half) == Array(oldest..<oldest + half))
      oldest += half
      // The removals are committed with or before it.
      try await queue.append(.numbered(next, size: 100))
      next += 1
    }
    #expect(await queue.drain(next - oldest) == Array(oldest..<next))
    await queue.close()
    #expect(reports.damages.isEmpty)
  }

  @Test(.enabled(if: getuid() == 0, "only root may mount"), arguments: [false, true])
  func `a queue is opened and drained on a disk without a byte left`(wasKilled: Bool) async throws {
    guard let disk = try SmallDisk(place.path + "/disk", megabytes: 16) else { return }
    var directory: StorageDirectory? = try await StorageDirectory.open(disk.path, options: reports.options)
    let queue = try #require(try await directory?.openQueue(key))
    for number in 0..<20 { try await queue.append(.numbered(number, size: 50_000)) }
    var names: [(String, Data)] = []
    if wasKilled {
      for name in [queueFile, queueFile + "-wal"] {
        names.append((name, try Data(contentsOf: URL(filePath: disk.path + "/" + name))))
      }
    }
    await queue.close()
    directory = nil
    for (name, data) in names { try data.write(to: URL(filePath: disk.path + "/" + name)) }
    _ = FileManager.default.createFile(atPath: disk.path + "/ballast", contents: nil)
    let ballast = try #require(FileHandle(forWritingAtPath: disk.path + "/ballast"))
    for size in [65_536, 4_096] {
      while (try? ballast.write(contentsOf: Data(repeating: 1, count: size))) != nil {}
    }
    try ballast.close()
    let full = try await StorageDirectory.open(disk.path, options: reports.options).openQueue(key)
    #expect(await full.drain(20) == Array(0..<20))
    try FileManager.default.removeItem(atPath: disk.path + "/ballast")
    try await full.append(.numbered(20))
    #expect(await full.drain(1) == [20])
    await full.close()
    #expect(reports.damages.isEmpty)
  }

  @Test func `appending leaves the reserve free, and what is stored can be read`() async throws {
    var directory: StorageDirectory? = try await StorageDirectory.open(place.path, options: reports.options)
    let queue = try #require(try await directory?.openQueue(key))
    for number in 0..<5 { try await queue.append(.numbered(number)) }
    await queue.close()
    directory = nil
    var options = reports.options
    options.freeSpaceReserve = .max
    let full = try await StorageDirectory.open(place.path, options: options).openQueue(key)
    let error = await #expect(throws: StorageError.self) { try await full.append(.numbered(9)) }
    guard case .diskFull = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(await full.drain(5) == Array(0..<5))
    await full.close()
  }
}
