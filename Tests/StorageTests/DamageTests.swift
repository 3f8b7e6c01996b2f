import Foundation
import SeededRandom
import Testing

@testable import Storage

@Suite struct DamageTests {
  let place: TemporaryDirectory
  let reports = Reports()

  init() throws { place = try TemporaryDirectory() }

  private func open() async throws -> DurableQueue {
    try await StorageDirectory.open(place.path, options: reports.options).openQueue(key)
  }

  /// A closed queue of `count` records.
  private func fill(_ count: Int, size: Int) async throws {
    let queue = try await open()
    for number in 0..<count { try await queue.append(.numbered(number, size: size)) }
    await queue.close()
  }

  /// What can be read, all of it acknowledged; every record must be as it was stored.
  private func rest(_ queue: DurableQueue, size: Int) async throws -> [Int] {
    var numbers: [Int] = []
    while queue.totals.records > 0 {
      let lease = try #require(await queue.next())
      #expect(lease.record == .numbered(lease.record.number, size: size))
      numbers.append(lease.record.number)
      queue.acknowledge([lease.id])
    }
    return numbers
  }

  @Test(arguments: ["", "this is no database, and never was one, however long it may be"])
  func `a file that is no database is set aside`(content: String) async throws {
    try place.write(Data(repeating: 0, count: 100) + Data(content.utf8), to: queueFile)
    let queue = try await open()
    try await queue.append(.numbered(1))
    #expect(await queue.drain(1) == [1])
    await queue.close()
    #expect(reports.damages.count == 1)
    #expect(place.names.contains(queueFile + ".damaged-1700000000"))
  }

  @Test func `a database of something else is set aside`() async throws {
    let queue = try await StorageDirectory.open(place.path, options: reports.options)
      .openCheckpoints(StorageKey("other"))
    try await queue.set("a", to: [1])
    await queue.close()
    try place.write(place.bytes("other.checkpoints.sqlite"), to: queueFile)
    let opened = try await open()
    #expect(opened.totals.records == 0)
    #expect(reports.damages.count == 1)
    await opened.close()
  }

  @Test func `a payload where the next record goes is damage, and nothing is lost by it`() async throws {
    try await fill(3, size: 100)
    let database = try QueueDatabase(place.path + "/" + queueFile, options: reports.options)
    try database.file.write { try $0.run("INSERT INTO payload VALUES (?, ?)", .integer(4), .bytes([1])) }
    database.file.close()
    let queue = try await open()
    try await queue.append(.numbered(3, size: 100))
    #expect(try await rest(queue, size: 100) == [0, 1, 2, 3])
    await queue.close()
    #expect(reports.damages.map(\.salvaged) == [3])
  }

  @Test(arguments: [0.95, 0.5, 0.2])
  func `a truncated file gives what is left of it`(share: Double) async throws {
    let size = 50_000
    try await fill(60, size: size)
    let whole = try place.bytes(queueFile)
    try place.write(whole.prefix(Int(Double(whole.count) * share)), to: queueFile)
    let queue = try await open()
    let report = try #require(reports.damages.first)
    #expect(report.setAside == place.path + "/" + queueFile + ".damaged-1700000000")
    let numbers = try await rest(queue, size: size)
    #expect(numbers.count == report.salvaged)
    #expect(numbers == numbers.sorted())
    // Most of what the rest of the file holds, and nothing else.
    #expect(Double(numbers.count) > 60 * (share - 0.15) && numbers.count < 60)
    #expect(report.lost == 60 - numbers.count && report.isOpening)
    #expect(report.lostItems == [1: 2 * (60 - numbers.count)])
    try await queue.append(.numbered(99))
    #expect(await queue.drain(1) == [99])
    await queue.close()
  }

  @Test func `a flipped bit in a payload is noticed, and costs one record`() async throws {
    let size = 50_000
    try await fill(40, size: size)
    var bytes = try place.bytes(queueFile)
    let needle = Data(QueueRecord.numbered(20, size: size).payload[30_000..<30_100])
    let place20 = try #require(bytes.range(of: needle))
    bytes[place20.lowerBound] ^= 0x10
    try place.write(bytes, to: queueFile)
    let queue = try await open()
    let numbers = try await rest(queue, size: size)
    #expect(numbers == Array(0..<20) + Array(21..<40))
    #expect(reports.damages.count == 1)
    await queue.close()
  }

  @Test func `damage found while running costs neither what is leased nor what comes`() async throws {
    let size = 200_000
    try await fill(100, size: size)
    let queue = try await open()
    let leases = [await queue.next(), await queue.next()].compactMap(\.self)
    // Beyond the window that is in memory, and before what is read next.
    let file = FileHandle(forUpdatingAtPath: place.path + "/" + queueFile)
    try file?.seek(toOffset: 12_000_000)
    try file?.write(contentsOf: Data(repeating: 0xA5, count: 400_000))
    try file?.close()
    queue.acknowledge([leases[0].id])
    try await queue.append(.numbered(500, size: size))
    queue.release(leases[1])
    let numbers = try await rest(queue, size: size)
    #expect(numbers.prefix(30) == ArraySlice(1...30) && numbers.last == 500)
    #expect(numbers.count > 90 && numbers.count < 100)
    #expect(queue.totals.items == 0 && queue.totals.bytes == 0)
    // Record 0 was acknowledged, 500 appended: of the 99 others those that did not come are lost, and counted.
    let lost = 99 - (numbers.count - 1)
    #expect(reports.damages.map(\.lost) == [lost] && reports.damages.map(\.lostItems) == [[1: 2 * lost]])
    #expect(reports.damages.map(\.isOpening) == [false])
    await queue.close()
  }

  @Test func `noise anywhere in the file never stops the queue`() async throws {
    var generator = SeededGenerator(42)
    let size = 20_000
    try await fill(60, size: size)
    let whole = try place.bytes(queueFile)
    for _ in 0..<40 {
      var bytes = whole
      let start = Int.random(in: 0..<bytes.count - 5000, using: &generator)
      let count = Int.random(in: 1...5000, using: &generator)
      for index in start..<start + count { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
      try place.write(bytes, to: queueFile)
      try? FileManager.default.removeItem(atPath: place.path + "/" + queueFile + "-wal")
      let queue = try await open()
      try await queue.append(.numbered(1000, size: size))
      let numbers = try await rest(queue, size: size)
      #expect(numbers.last == 1000 && Set(numbers).count == numbers.count)
      await queue.close()
      for name in place.names where name.contains("damaged") {
        try FileManager.default.removeItem(atPath: place.path + "/" + name)
      }
    }
  }

  @Test func `a torn log gives what was committed before the tear`() async throws {
    let queue = try await open()
    for number in 0..<40 { try await queue.append(.numbered(number, size: 30_000)) }
    let copy = try place.snapshot()
    await queue.close()
    let log = try copy.bytes(queueFile + "-wal")
    try copy.write(log.prefix(log.count * 2 / 3), to: queueFile + "-wal")
    let torn = try await StorageDirectory.open(copy.path, options: reports.options).openQueue(key)
    let numbers = try await rest(torn, size: 30_000)
    #expect(numbers == Array(0..<numbers.count) && numbers.count > 20 && numbers.count < 40)
    await torn.close()
  }

  @Test func `a later format is refused and left alone`() async throws {
    try await fill(3, size: 100)
    let path = place.path + "/" + queueFile
    // `user_version` in the header, big endian.
    var bytes = try place.bytes(queueFile)
    #expect(bytes[60..<64].elementsEqual([0, 0, 0, 1]))
    bytes[63] = 99
    try place.write(bytes, to: queueFile)
    await #expect(throws: StorageError.newerFormat(path: path, version: 99)) { try await open() }
    #expect(reports.damages.isEmpty)
  }
}
