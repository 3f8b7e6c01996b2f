import Foundation
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

/// More files than may be open.
@Suite struct TailerHandlesTests {
  private static let names = (0..<40).map { "\($0).log" }

  /// The system's limit is either known, or found when a file cannot be opened; the kernel tells of changes or not.
  static let limits: [(known: Int, room: Int, usesNotices: Bool)] = [
    (10, .max, true), (.max, 10, true), (10, .max, false), (.max, 10, false),
  ]

  private func rig(_ limit: (known: Int, room: Int, usesNotices: Bool)) throws -> TailRig {
    let rig = try TailRig(usesNotices: limit.usesNotices, isStoring: true, mostHandles: limit.known)
    rig.answers.room.withLock { $0 = limit.room }
    return rig
  }

  @Test(arguments: limits)
  func `all are read, a few at a time, and quiet ones are closed`(
    limit: (known: Int, room: Int, usesNotices: Bool)
  ) throws {
    let rig = try rig(limit)
    for name in Self.names { try rig.append(name, "\(name) one\n") }
    rig.pass(.seconds(60))
    #expect(Set(rig.bodies) == Set(Self.names.map { "\($0) one" }))
    #expect(rig.bodies.count == Self.names.count)
    #expect(rig.openFiles <= 10)
    #expect(rig.tailer.book.files.count == Self.names.count)
    for round in 0..<3 {
      for name in Self.names { try rig.append(name, "\(name) more \(round)\n") }
      rig.pass(.seconds(60))
    }
    #expect(rig.bodies.count == 4 * Self.names.count)
    #expect(Set(rig.bodies).count == 4 * Self.names.count)
    #expect(rig.openFiles <= 10)
  }

  @Test(arguments: limits)
  func `a closed file is followed through rename and truncation`(
    limit: (known: Int, room: Int, usesNotices: Bool)
  ) throws {
    let rig = try rig(limit)
    for name in Self.names { try rig.append(name, (0..<40).map { "\(name) \($0)\n" }.joined()) }
    rig.pass(.seconds(60))
    let before = rig.bodies.count
    #expect(before == 40 * Self.names.count)
    for name in Self.names.prefix(20) {
      try rig.append(name, "\(name) late\n")
      try rig.rename(name, to: "\(name).1")
      try rig.append(name, "\(name) new\n")
    }
    for name in Self.names.dropFirst(20) {
      try rig.copyAndTruncate(name, to: "\(name).1")
      try rig.append(name, "\(name) new\n")
    }
    rig.pass(.seconds(60))
    let expected = Self.names.map { "\($0) new" } + Self.names.prefix(20).map { "\($0) late" }
    #expect(rig.bodies.dropFirst(before).sorted() == expected.sorted())
    #expect(rig.openFiles <= 10)
  }

  @Test func `a copy of a closed file is not read again`() throws {
    let rig = try TailRig(mostHandles: 10, settings: "{include: ['DIR/*.log*']}")
    for name in Self.names { try rig.append(name, (0..<40).map { "\(name) \($0)\n" }.joined()) }
    rig.pass(.seconds(60))
    let before = rig.bodies.count
    for name in Self.names.prefix(5) {
      try FileManager.default.copyItem(atPath: rig.path(name), toPath: rig.path("\(name).1"))
      rig.pass(.milliseconds(600))
      truncate(rig.path(name), 0)
      try rig.append(name, "\(name) new\n")
    }
    rig.pass(.seconds(60))
    #expect(rig.bodies.dropFirst(before).sorted() == Self.names.prefix(5).map { "\($0) new" }.sorted())
  }

  @Test func `a closed file that is deleted is let go of`() throws {
    let rig = try TailRig(mostHandles: 10)
    for name in Self.names { try rig.append(name, "\(name) one\n") }
    rig.pass(.seconds(60))
    for name in Self.names { try rig.remove(name) }
    rig.pass(.seconds(60))
    #expect(rig.tailer.book.files.isEmpty)
    #expect(rig.openFiles == 0)
    for name in Self.names { try rig.append(name, "\(name) two\n") }
    rig.pass(.seconds(60))
    #expect(rig.bodies.count == 2 * Self.names.count)
  }
}
