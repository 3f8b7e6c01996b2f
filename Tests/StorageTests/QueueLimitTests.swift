import Storage
import Testing

@Suite struct QueueLimitTests {
  let place: TemporaryDirectory
  let reports = Reports()
  let timer = ManualTimer()

  init() throws { place = try TemporaryDirectory() }

  private func queue(_ limits: QueueLimits, maxFileBytes: Int? = nil) async throws -> DurableQueue {
    var options = reports.options
    options.maxFileBytes = maxFileBytes
    let timer = timer
    options.timer = { timer.schedule($0, $1) }
    return try await StorageDirectory.open(place.path, options: options).openQueue(key, limits: limits)
  }

  @Test(arguments: [QueueLimits(records: 3), QueueLimits(items: 6), QueueLimits(bytes: 303)])
  func `a full queue refuses, and takes again once there is room`(limits: QueueLimits) async throws {
    let queue = try await queue(limits)
    for number in 0..<3 { try await queue.append(.numbered(number)) }
    let error = await #expect(throws: StorageError.self) { try await queue.append(.numbered(3)) }
    guard case .full = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(await queue.drain(1) == [0])
    try await queue.append(.numbered(4))
    #expect(await queue.drain(3) == [1, 2, 4])
    await queue.close()
  }

  @Test func `with patience a record waits for room, in order`() async throws {
    let queue = try await queue(QueueLimits(records: 1))
    try await queue.append(.numbered(0))
    let first = Task { try await queue.append(.numbered(1), patience: .seconds(5)) }
    await eventually { timer.count == 1 }
    let second = Task { try await queue.append(.numbered(2), patience: .seconds(5)) }
    await eventually { timer.count == 2 }
    // Without patience it does not pass those that wait.
    await #expect(throws: StorageError.self) { try await queue.append(.numbered(9)) }
    #expect(await queue.drain(3) == [0, 1, 2])
    try await first.value
    try await second.value
    timer.fire()
    await queue.close()
  }

  @Test func `patience ends`() async throws {
    let queue = try await queue(QueueLimits(records: 1))
    try await queue.append(.numbered(0))
    let waiting = Task { try await queue.append(.numbered(1), patience: .seconds(5)) }
    await eventually { timer.count == 1 }
    timer.fire()
    await #expect(throws: StorageError.full(limit: "1 records")) { try await waiting.value }
    let cancelled = Task { try await queue.append(.numbered(2), patience: .seconds(5)) }
    await eventually { timer.count == 1 }
    cancelled.cancel()
    await #expect(throws: StorageError.cancelled) { try await cancelled.value }
    #expect(queue.totals.records == 1)
    await queue.close()
  }

  @Test func `what can never fit is told apart`() async throws {
    let queue = try await queue(QueueLimits(bytes: 1000))
    await #expect(throws: StorageError.tooLarge(limit: "1000 bytes")) {
      try await queue.append(.numbered(0, size: 2000), patience: .seconds(5))
    }
    await queue.close()
  }

  @Test(arguments: [100, 9000, 18_000, 100_000])
  func `the file stays within its size`(size: Int) async throws {
    let most = 1 << 20
    let queue = try await queue(QueueLimits(), maxFileBytes: most)
    var stored = 0
    while stored < 100_000 {
      do { try await queue.append(.numbered(stored, size: size)) } catch .full { break }
      stored += 1
    }
    // Not a fraction of the room, either.
    #expect(stored * size > most / 4)
    #expect(await queue.drain(stored / 2) == Array(0..<stored / 2))
    // Room comes with the commit of the removals, so these may have to wait for it.
    for number in 0..<stored / 4 {
      try await queue.append(.numbered(stored + number, size: size), patience: .seconds(600))
    }
    await queue.close()
    #expect(try place.bytes(queueFile).count <= most + most / 16)
  }
}
