import PipelineTestKit
import SeededRandom
import Testing
import WireFormat

@testable import Receivers

/// What is stored of a file, and what becomes of storage that is damaged.
@Suite struct FileCheckpointTests {
  private func checkpoint(_ change: (inout FileCheckpoint) -> Void = { _ in }) throws -> FileCheckpoint {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.settle()
    let file = try #require(rig.tailer.book.file(at: rig.path("a.log")))
    var checkpoint = FileCheckpoint(
      file,
      FilePosition(offset: 5000, trail: BytePrint(count: 1024, hash: .max), isSkipping: true, records: 77))
    change(&checkpoint)
    return checkpoint
  }

  @Test func `everything comes back`() throws {
    let whole = try checkpoint {
      $0.id = FileID(device: .max, inode: 1 << 40)
      $0.path = "/var/log/ä 😀.log"
      $0.head = BytePrint(count: 1000, hash: 3)
      $0.intactAt = 1_767_323_045_678_000_000
      $0.isDeleted = true
    }
    #expect(FileCheckpoint(whole.encoded) == whole)
    let plain = try checkpoint { $0.position = FilePosition() }
    #expect(FileCheckpoint(plain.encoded) == plain)
  }

  @Test func `fields of later versions are passed over`() throws {
    let checkpoint = try checkpoint()
    var writer = WireWriter(capacity: 32)
    writer.stringField(200, "new")
    writer.varintField(201, 7)
    #expect(FileCheckpoint(writer.finish() + checkpoint.encoded + [0xC8, 0x0C, 1]) == checkpoint)
  }

  @Test func `what cannot be right is refused`() throws {
    let changes: [(inout FileCheckpoint) -> Void] = [
      { $0.path = "" },
      { $0.position.offset = 1023 },
      { $0.position.offset = .max },
      { $0.position.records = .max },
      { $0.position.trail = BytePrint(count: 1025, hash: 0) },
      { $0.head = BytePrint(count: 1 << 40, hash: 0) },
    ]
    for change in changes { #expect(FileCheckpoint(try checkpoint(change).encoded) == nil) }
    #expect(FileCheckpoint([]) == nil)
    #expect(FileCheckpoint(Array("not a message at all".utf8)) == nil)
  }

  @Test func `damage of any kind gives something that may be right, or nothing`() throws {
    let bytes = try checkpoint().encoded
    var random = SeededGenerator(1)
    for length in 0..<bytes.count { _ = FileCheckpoint(Array(bytes[..<length])) }
    for _ in 0..<5000 {
      var damaged = bytes
      for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(random.below(256)) }
      guard let found = FileCheckpoint(damaged) else { continue }
      #expect(found.position.trail.count <= Tailer.trailSize)
      #expect(found.position.offset <= UInt64(Int64.max) && found.head.count <= FileCheckpoint.longestHead)
    }
  }

  @Test func `the hash of bytes never changes`() {
    // Stored by earlier versions.
    let text = Array("The quick brown fox".utf8)
    #expect(BytePrint(text.span) == BytePrint(count: 19, hash: 10298279754733849022))
    #expect(BytePrint(text.span.extracting(0..<0)) == .none)
    var all: Set<UInt64> = []
    for count in 1...text.count { all.insert(BytePrint(text.span.extracting(0..<count)).hash) }
    #expect(all.count == text.count)
  }

  @Test(arguments: [
    "file/1", "file/not a number", "file/ffffffffffffffff", "file/", "file/7fffffffffffffff", "other",
  ])
  func `a file whose place is lost is read from its beginning, and stored anew`(key: String) throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "one\n")
    try first.append("b.log", "b\n")
    first.pass(.seconds(1))
    first.stop()
    first.damage { content in
      for key in content.keys where key.hasPrefix("file/") { content[key] = nil }
      content[key] = Array("damaged".utf8)
    }
    try first.append("a.log", "two\n")
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(1))
    #expect(second.bodies.sorted() == ["b", "one", "two"])
    second.stop()
    second.damage { #expect($0.values.allSatisfy { $0 != Array("damaged".utf8) } || key == "other") }
    try second.append("a.log", "three\n")
    let third = try TailRig(after: second, isStoring: true)
    third.pass(.seconds(1))
    #expect(third.bodies == ["three"])
  }

  @Test func `a place behind the end of its file is not waited for`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "one\ntwo\n")
    first.pass(.seconds(1))
    first.stop()
    first.damage { content in
      for (key, value) in content {
        guard var checkpoint = FileCheckpoint(value) else { continue }
        checkpoint.position.offset = 1 << 50
        content[key] = checkpoint.encoded
      }
    }
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(60))
    try second.append("a.log", "three\n")
    second.pass(.seconds(60))
    #expect(second.bodies.contains("three"))
  }
}
