import Foundation
import Storage
import Synchronization
import Testing

/// The numbers that several readers have seen.
private final class Seen: Sendable {
  private let list = Mutex<[Int]>([])
  var numbers: [Int] { list.withLock { $0 } }

  /// Adds a number; gives how many there are.
  func add(_ number: Int) -> Int {
    list.withLock {
      $0.append(number)
      return $0.count
    }
  }
}

@Suite struct DurableQueueTests {
  let place: TemporaryDirectory
  let reports = Reports()

  init() throws { place = try TemporaryDirectory() }

  private func open(_ options: StorageOptions? = nil) async throws -> StorageDirectory {
    try await StorageDirectory.open(place.path, options: options ?? reports.options)
  }

  @Test(arguments: [8, 100, 16_000, 35_000, 3_000_000])
  func `records come back in order and as they were`(size: Int) async throws {
    let queue = try await open().openQueue(key)
    for number in 0..<20 { try await queue.append(.numbered(number, size: size)) }
    #expect(queue.totals.records == 20 && queue.totals.items == 40)
    for number in 0..<20 {
      let lease = try #require(await queue.next())
      #expect(lease.record == .numbered(number, size: size))
      queue.acknowledge([lease.id])
    }
    #expect(queue.totals == QueueTotals() || queue.totals.records == 0 && queue.totals.bytes == 0)
    await queue.close()
  }

  @Test func `appends that wait together are committed together`() async throws {
    let queue = try await open().openQueue(key)
    let count = 400
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<count { group.addTask { try? await queue.append(.numbered(number)) } }
    }
    #expect(queue.totals.records == count)
    // A transaction of its own for each would write three pages of 16 KiB at least.
    let log = try place.bytes(queueFile + "-wal").count
    #expect(log < count * 3 * 16_384)
    #expect(Set(await queue.drain(count)) == Set(0..<count))
    await queue.close()
  }

  @Test func `a released record comes before later ones`() async throws {
    let queue = try await open().openQueue(key)
    for number in 0..<4 { try await queue.append(.numbered(number)) }
    let (first, second) = (try #require(await queue.next()), try #require(await queue.next()))
    queue.release(second)
    queue.release(first)
    #expect(await queue.drain(4) == [0, 1, 2, 3])
    await queue.close()
  }

  @Test func `an acknowledgement counts once, and only while the record is leased`() async throws {
    let queue = try await open().openQueue(key)
    for number in 0..<3 { try await queue.append(.numbered(number)) }
    let lease = try #require(await queue.next())
    queue.acknowledge([lease.id, lease.id])
    queue.acknowledge([lease.id, lease.id + 1, 999])
    queue.release(lease)
    #expect(queue.totals.records == 2)
    #expect(await queue.drain(2) == [1, 2])
    await queue.close()
  }

  @Test func `after a restart everything unacknowledged comes again in order`() async throws {
    let directory = try await open()
    let queue = try await directory.openQueue(key)
    for number in 0..<10 { try await queue.append(.numbered(number)) }
    let leases = [await queue.next(), await queue.next(), await queue.next()].compactMap(\.self)
    queue.acknowledge([leases[1].id])
    await queue.close()
    queue.acknowledge([leases[0].id])

    let again = try await directory.openQueue(key)
    #expect(again.totals.records == 9 && again.totals.itemsByKind == [1: 18])
    #expect(await again.drain(9) == [0, 2, 3, 4, 5, 6, 7, 8, 9])
    try await again.append(.numbered(77))
    #expect(await again.drain(1) == [77])
    await again.close()
  }

  @Test func `a kill costs nothing that was answered`() async throws {
    let queue = try await open().openQueue(key)
    for number in 0..<30 {
      try await queue.append(.numbered(number, size: 20_000))
      guard number % 7 == 3 else { continue }
      let copy = try place.snapshot()
      let directory = try await StorageDirectory.open(copy.path, options: reports.options)
      let killed = try await directory.openQueue(key)
      #expect(await killed.drain(number + 1) == Array(0...number))
      await killed.close()
    }
    #expect(reports.damages.isEmpty)
    await queue.close()
  }

  @Test func `a backlog is read through a window of bounded size`() async throws {
    let directory = try await open()
    let queue = try await directory.openQueue(key, windowBytes: 100_000)
    for number in 0..<100 { try await queue.append(.numbered(number, size: 30_000)) }
    #expect(await queue.drain(50) == Array(0..<50))
    for number in 100..<120 { try await queue.append(.numbered(number, size: 30_000)) }
    #expect(await queue.drain(70) == Array(50..<120))
    await queue.close()
  }

  @Test func `readers wait for records, and reading ends for all of them`() async throws {
    let queue = try await open().openQueue(key)
    async let first = queue.next()
    try await queue.append(.numbered(5))
    #expect(await first?.record.number == 5)
    let waiting = Task { await queue.next() }
    let cancelled = Task { await queue.next() }
    cancelled.cancel()
    #expect(await cancelled.value == nil)
    queue.stopReading()
    #expect(await waiting.value == nil)
    try await queue.append(.numbered(6))
    #expect(await queue.next() == nil)
    #expect(queue.totals.records == 2)
    await queue.close()
  }

  @Test func `a closed queue takes nothing`() async throws {
    let queue = try await open().openQueue(key)
    await queue.close()
    await #expect(throws: StorageError.closed) { try await queue.append(.numbered(1)) }
    #expect(await queue.next() == nil)
  }

  @Test(arguments: [false, true])
  func `many writers and readers lose and repeat nothing`(syncs: Bool) async throws {
    var options = reports.options
    options.syncsEveryCommit = syncs
    let directory = try await open(options)
    let queue = try await directory.openQueue(key, limits: QueueLimits(records: 50), windowBytes: 200_000)
    let (writers, each) = (8, 100)
    let seen = Seen()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          for index in 0..<each {
            let record = QueueRecord.numbered(writer * each + index, size: 1000 + index * 97)
            try? await queue.append(record, patience: .seconds(600))
          }
        }
      }
      for reader in 0..<4 {
        group.addTask {
          while let lease = await queue.next() {
            if (lease.record.number + reader) % 5 == 0, Bool.random() {
              queue.release(lease)
              continue
            }
            queue.acknowledge([lease.id])
            if seen.add(lease.record.number) == writers * each { queue.stopReading() }
          }
        }
      }
    }
    #expect(seen.numbers.sorted() == Array(0..<writers * each))
    #expect(queue.totals.records == 0 && queue.totals.bytes == 0 && queue.totals.items == 0)
    await queue.close()
    let again = try await directory.openQueue(key)
    #expect(again.totals.records == 0)
    await again.close()
  }

  @Test func `the file shrinks once it has drained`() async throws {
    var options = reports.options
    options.compaction.reboundNeeded = 1 << 20
    options.compaction.reboundTrigger = 100_000
    let directory = try await open(options)
    let queue = try await directory.openQueue(key)
    for number in 0..<50 { try await queue.append(.numbered(number, size: 100_000)) }
    await queue.close()
    #expect(try place.bytes(queueFile).count > 4_000_000)
    let again = try await directory.openQueue(key)
    #expect(await again.drain(50) == Array(0..<50))
    await again.close()
    #expect(reports.compactions == 1)
    #expect(try place.bytes(queueFile).count < 500_000)
  }

  @Test func `compaction on start keeps what is stored`() async throws {
    let directory = try await open()
    let queue = try await directory.openQueue(key)
    for number in 0..<50 { try await queue.append(.numbered(number, size: 100_000)) }
    #expect(await queue.drain(40) == Array(0..<40))
    await queue.close()
    let before = try place.bytes(queueFile).count
    var options = reports.options
    options.compaction.onStart = true
    let copy = try place.snapshot()
    let compacting = try await StorageDirectory.open(copy.path, options: options)
    let again = try await compacting.openQueue(key)
    #expect(try copy.bytes(queueFile).count < before / 2)
    #expect(await again.drain(10) == Array(40..<50))
    await again.close()
  }
}
