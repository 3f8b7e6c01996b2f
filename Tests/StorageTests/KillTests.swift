import Foundation
import SeededRandom
import Storage
import Synchronization
import Testing

/// A process that works with a queue and is killed with SIGKILL at a random moment.
@Suite struct KillTests {
  /// Appends and drains in the directory of the environment until it is killed; notes every acknowledgement in a
  /// file before it goes on. Runs in the child.
  private static func work(in path: String, first: Int, seed: UInt64) async throws {
    var generator = SeededGenerator(seed)
    let delay = Int.random(in: 1_000...60_000, using: &generator)
    var options = Reports().options
    options.syncsEveryCommit = seed % 2 == 0
    let queue = try await StorageDirectory.open(path, options: options).openQueue(key)
    let notes = Notes(path)
    DispatchQueue.global().asyncAfter(deadline: .now() + .microseconds(delay)) { kill(getpid(), SIGKILL) }
    await withTaskGroup(of: Void.self) { group in
      for lane in 0..<4 {
        group.addTask {
          var number = first + lane
          while true {
            try? await queue.append(.numbered(number, size: 200 + number % 50_000))
            notes.add("appended \(number)")
            number += 4
          }
        }
      }
      group.addTask {
        while let lease = await queue.next() {
          if lease.record != .numbered(lease.record.number, size: 200 + lease.record.number % 50_000) {
            notes.add("wrong \(lease.record.number)")
          }
          notes.add("taken \(lease.record.number)")
          queue.acknowledge([lease.id])
          if lease.record.number % 3 == 0 { try? await Task.sleep(for: .milliseconds(1)) }
        }
      }
    }
  }

  /// Lines in a file, each complete once `add` returns.
  private final class Notes: Sendable {
    private let descriptor: Int32
    init(_ path: String) {
      descriptor = open(path + "/notes", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    func add(_ line: String) {
      let bytes = Array((line + "\n").utf8)
      _ = write(descriptor, bytes, bytes.count)
    }
  }

  private func noted(_ place: TemporaryDirectory, _ word: String) throws -> Set<Int> {
    let lines = String(decoding: try place.bytes("notes"), as: UTF8.self).split(separator: "\n")
    return Set(lines.filter { $0.hasPrefix(word + " ") }.compactMap { Int($0.dropFirst(word.count + 1)) })
  }

  @Test func `what was committed survives the kill of its process, again and again`() async throws {
    let place = try TemporaryDirectory()
    try place.write(Data(), to: "notes")
    let path = place.path
    for round in 0..<12 {
      let (first, seed) = (round * 1_000_000, UInt64(round) &* 7919 &+ 1)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, first = first as Int, seed = seed as UInt64] in
        try await KillTests.work(in: path, first: first, seed: seed)
      }
    }
    let reports = Reports()
    let queue = try await StorageDirectory.open(path, options: reports.options).openQueue(key)
    var left: [Int] = []
    for _ in 0..<queue.totals.records {
      let lease = try #require(await queue.next())
      #expect(lease.record == .numbered(lease.record.number, size: 200 + lease.record.number % 50_000))
      left.append(lease.record.number)
      queue.acknowledge([lease.id])
    }
    await queue.close()
    let appended = try noted(place, "appended")
    let taken = try noted(place, "taken")
    #expect(appended.count > 100, "the processes were killed before they did anything")
    #expect(appended.subtracting(taken).subtracting(left).isEmpty)
    #expect(try noted(place, "wrong").isEmpty)
    #expect(Set(left).count == left.count)
    #expect(reports.damages.isEmpty)
  }
}
