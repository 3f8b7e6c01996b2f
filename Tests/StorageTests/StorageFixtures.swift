import Foundation
import SeededRandom
import Storage
import Synchronization

/// A directory that goes away with the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "storage-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  /// The bytes of a file in it.
  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path + "/" + name)) }

  func write(_ data: Data, to name: String) throws { try data.write(to: URL(filePath: path + "/" + name)) }

  /// A copy of every database file as it is on disk now: what a process killed at this moment leaves behind.
  func snapshot() throws -> TemporaryDirectory {
    let copy = try TemporaryDirectory()
    for name in names where name != ".lock" {
      try FileManager.default.copyItem(atPath: path + "/" + name, toPath: copy.path + "/" + name)
    }
    return copy
  }
}

/// Collects what storage reports.
final class Reports: Sendable {
  private let events = Mutex<[StorageEvent]>([])
  var options: StorageOptions {
    var options = StorageOptions()
    // The tests run beside each other on disks that may be nearly full.
    options.freeSpaceReserve = 0
    options.unixSeconds = { 1_700_000_000 }
    // A directory that was just left is given back by a thread that may be late.
    options.lockTimeout = .seconds(30)
    options.report = { event in self.events.withLock { $0.append(event) } }
    return options
  }
  var damages: [DamageReport] {
    events.withLock { $0 }.compactMap { if case .damaged(let report) = $0 { report } else { nil } }
  }
  var compactions: Int {
    events.withLock { $0 }.count { if case .compacted = $0 { true } else { false } }
  }
}

/// Timers that fire when the test says so.
final class ManualTimer: Sendable {
  private let actions = Mutex<[@Sendable () -> Void]>([])
  var count: Int { actions.withLock { $0.count } }

  func schedule(_ delay: Duration, _ action: @escaping @Sendable () -> Void) {
    actions.withLock { $0.append(action) }
  }

  func fire() {
    let due = actions.withLock { actions in
      defer { actions = [] }
      return actions
    }
    for action in due { action() }
  }
}

/// Waits until `condition` holds; what it waits for always comes, so that there is no limit of time.
func eventually(_ condition: () -> Bool) async {
  while !condition() { try? await Task.sleep(for: .milliseconds(2)) }
}

extension QueueRecord {
  /// A record whose payload is `size` bytes of noise that depend on `number`, which leads them.
  static func numbered(_ number: Int, size: Int = 100, kind: UInt8 = 1) -> QueueRecord {
    var payload = [UInt8](repeating: 0, count: max(8, size))
    var generator = SeededGenerator(UInt64(number))
    for start in stride(from: 0, to: payload.count - 7, by: 8) {
      let word = generator.next()
      for index in 0..<8 { payload[start + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
    }
    for index in 0..<8 { payload[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    return QueueRecord(
      kind: kind, itemCount: 2, metadata: [UInt8(truncatingIfNeeded: number)], payload: payload)
  }

  /// The number that leads the payload.
  var number: Int { payload.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } }
}

extension DurableQueue {
  /// Takes and acknowledges `count` records; gives their numbers.
  func drain(_ count: Int) async -> [Int] {
    var numbers: [Int] = []
    for _ in 0..<count {
      guard let lease = await next() else { break }
      numbers.append(lease.record.number)
      acknowledge([lease.id])
    }
    return numbers
  }
}

let key = StorageKey("exporter_otlp_http-backup")
let queueFile = "exporter_otlp_http-backup.queue.sqlite"
