import Foundation
import Testing

@testable import Storage

@Suite struct InspectionTests {
  let place: TemporaryDirectory
  let reports = Reports()

  init() throws { place = try TemporaryDirectory() }

  private func filled(_ count: Int) async throws -> DurableQueue {
    let queue = try await StorageDirectory.open(place.path, options: reports.options).openQueue(key)
    for number in 0..<count {
      try await queue.append(.numbered(number, size: 3000, kind: UInt8(1 + number % 2)))
    }
    return queue
  }

  /// Names, sizes, contents and times of all files.
  private func state(of directory: TemporaryDirectory) throws -> [String: [Data]] {
    var state: [String: [Data]] = [:]
    for name in directory.names {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
      state[name] = [
        try directory.bytes(name), Data("\(attributes[.modificationDate] ?? "")".utf8),
      ]
    }
    return state
  }

  private func totals(_ inspection: StorageInspection) -> QueueTotals? {
    guard case .queue(let totals) = inspection.databases.first?.content else { return nil }
    return totals
  }

  @Test func `a queue is counted while its process appends`() async throws {
    let queue = try await filled(10)
    let first = try await StorageInspection.read(place.path)
    #expect(first.holder == "process \(ProcessInfo.processInfo.processIdentifier)")
    #expect(first.databases.map(\.key) == [key] && first.databases.map(\.purpose) == [.queue])
    #expect(totals(first) == queue.totals && queue.totals.itemsByKind == [1: 10, 2: 10])
    #expect(await queue.drain(3) == [0, 1, 2])
    try await queue.append(.numbered(10))
    let second = try await StorageInspection.read(place.path)
    #expect(totals(second)?.records == 8)
    await queue.close()
    let closed = try await StorageInspection.read(place.path)
    #expect(closed.holder == nil && totals(closed)?.records == 8)
  }

  @Test func `looking changes nothing in what a killed process left`() async throws {
    let queue = try await filled(20)
    let copy = try place.snapshot()
    await queue.close()
    try? FileManager.default.removeItem(atPath: copy.path + "/" + queueFile + "-shm")
    #expect(copy.names == [queueFile, queueFile + "-wal"])
    let before = try state(of: copy)
    let inspection = try await StorageInspection.read(copy.path)
    #expect(totals(inspection)?.records == 20 && inspection.holder == nil)
    #expect(try state(of: copy) == before)
  }

  @Test func `looking changes nothing in what was closed`() async throws {
    let queue = try await filled(20)
    await queue.close()
    let before = try state(of: place)
    let inspection = try await StorageInspection.read(place.path)
    #expect(totals(inspection)?.records == 20)
    #expect((inspection.databases.first?.fileBytes ?? 0) > 20 * 3000)
    #expect(try state(of: place) == before)
  }

  @Test func `many readers do not stop a writer, and see whole transactions`() async throws {
    let queue = try await filled(1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 1..<300 {
          try await queue.append(.numbered(number, size: 40_000))
          if let lease = await queue.next() { queue.acknowledge([lease.id]) }
        }
      }
      for _ in 0..<3 {
        group.addTask {
          for _ in 0..<40 {
            let inspection = try await StorageInspection.read(self.place.path)
            let totals = try #require(self.totals(inspection), "\(inspection.databases)")
            #expect(totals.records >= 1 && totals.records <= 3)
          }
        }
      }
      try await group.waitForAll()
    }
    await queue.close()
  }

  @Test func `checkpoints, damaged files and files that cannot be read are listed`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let store = try await directory.openCheckpoints(StorageKey("receiver_file_log"))
    try await store.set("a", to: [1])
    await store.close()
    try place.write(Data(repeating: 7, count: 40_000), to: "exporter_x.queue.sqlite")
    try place.write(Data(repeating: 7, count: 40), to: queueFile + ".damaged-1700000000")
    try place.write(Data(repeating: 7, count: 2), to: queueFile + ".damaged-1700000000-wal")
    try place.write(Data(), to: "notes.txt")
    let inspection = try await StorageInspection.read(place.path)
    #expect(inspection.databases.map(\.key.text) == ["exporter_x", "receiver_file_log"])
    #expect(inspection.databases.last?.content == .checkpoints(keys: 1))
    guard case .unreadable(let reason) = inspection.databases.first?.content else {
      Issue.record("\(inspection.databases)")
      return
    }
    #expect(reason.contains("not a database"))
    #expect(inspection.setAside.map(\.file) == [queueFile + ".damaged-1700000000"])
    #expect(inspection.setAside.first?.bytes == 42)
    #expect(inspection.setAside.first?.unixSeconds == 1_700_000_000)
  }

  @Test func `numbers that no queue writes are damage and not counted with`() async throws {
    try place.write(Data(), to: queueFile)
    let database = try QueueDatabase(place.path + "/" + queueFile, options: reports.options)
    let record = QueueRecord(kind: 1, itemCount: 1, payload: [1])
    try database.commit(removed: [], added: [1, 2].map { .init(id: $0, record: record) })
    try database.file.write { try $0.run("UPDATE record SET items = ?", .integer(.max)) }
    database.file.close()
    let inspection = try await StorageInspection.read(place.path)
    #expect(
      inspection.databases.map(\.content) == [.unreadable("damaged: record 1 has impossible numbers")])
  }

  @Test func `a directory that is missing is an error`() async throws {
    let path = place.path + "/missing"
    await #expect(
      throws: StorageError.unusableDirectory(path: path, reason: "No such file or directory")
    ) {
      try await StorageInspection.read(path)
    }
  }

  @Test func `the key of a queue is read back from its file`() async throws {
    let directory = try await StorageDirectory.open(place.path, options: reports.options)
    let long = String(repeating: "long", count: 100)
    for text in ["a/b", "a%2Fb", "../a", "ü", "a.b", long] {
      let queue = try await directory.openQueue(StorageKey(text))
      try await queue.append(.numbered(7))
      await queue.close()
      let name = try #require(await directory.databases().first)
      let (key, purpose) = try #require(StorageKey.reading(fileName: name))
      #expect(purpose == .queue && (text == long ? text.hasPrefix(key.text.prefix(100)) : key.text == text))
      let again = try await directory.openQueue(key)
      #expect(await again.drain(1) == [7])
      await again.close()
      try FileManager.default.removeItem(atPath: place.path + "/" + name)
    }
    #expect(StorageKey.reading(fileName: ".lock") == nil)
  }
}
