import Foundation
import PipelineKit
import PipelineTestKit
import SeededRandom
import Testing

@testable import Receivers

/// Files that are rotated in every way while they are read.
@Suite struct TailerRotationTests {
  @Test func `a file that is copied and truncated goes on in the copy`() throws {
    let rig = try TailRig(settings: "{include: ['DIR/*.log*']}")
    try rig.append("a.log", "one\ntwo\n")
    rig.pass(.seconds(5))
    try rig.append("a.log", "three\n")
    try rig.copyAndTruncate("a.log", to: "a.log.1")
    try rig.append("a.log", "four\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.sorted() == ["four", "one", "three", "two"])
  }

  @Test func `a copy that is seen before the truncation is read once`() throws {
    let rig = try TailRig(settings: "{include: ['DIR/*.log*']}")
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(5))
    try FileManager.default.copyItem(atPath: rig.path("a.log"), toPath: rig.path("a.log.1"))
    rig.pass(.seconds(1))
    truncate(rig.path("a.log"), 0)
    try rig.append("a.log", "two\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two"])
  }

  @Test(arguments: [1, 100])
  func `a file that was compressed and deleted before it was read is read once`(lines: Int) throws {
    let rig = try TailRig(settings: "{include: ['DIR/*.log*'], compression: auto}")
    rig.pass(.seconds(5))
    try rig.append("a.log", "")
    let writer = try #require(FileHandle(forWritingAtPath: rig.path("a.log")))
    // Empty files wait for what may be copied into them.
    rig.settle()
    let expected = (0..<lines).map { "line \($0) of some length" }
    try rig.append("a.log", expected.joined(separator: "\n") + "\n")
    try rig.rename("a.log", to: "a.log.1")
    try rig.compress("a.log.1")
    rig.settle()
    try writer.seekToEnd()
    try writer.write(contentsOf: Data("late\n".utf8))
    rig.pass(.seconds(60))
    #expect(rig.bodies.filter { $0 != "late" } == expected)
    #expect(rig.bodies.last == "late")
  }

  @Test func `a second file with the same content is a second file`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(5))
    try rig.append("b.log", "one\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "one"])
    #expect(rig.records.map { $0.attributes["log.file.name"] } == ["a.log", "b.log"])
  }

  @Test func `a file that is truncated and written again past where reading was is read anew`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(5))
    truncate(rig.path("a.log"), 0)
    try rig.append("a.log", "another\nmore\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "another", "more"])
  }

  @Test func `a deleted file is read to its end`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.settle()
    let writer = try #require(FileHandle(forWritingAtPath: rig.path("a.log")))
    try writer.seekToEnd()
    try writer.write(contentsOf: Data("two\n".utf8))
    try rig.remove("a.log")
    rig.pass(.seconds(2))
    try writer.write(contentsOf: Data("three\n".utf8))
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two", "three"])
    #expect(rig.tailer.book.files.isEmpty)
  }

  @Test(arguments: 0..<40)
  func `whatever happens to the files, each line comes once`(seed: Int) throws {
    var random = SeededGenerator(UInt64(seed))
    let rig = try TailRig(usesNotices: seed % 4 != 3, settings: "{include: ['DIR/*.log*']}")
    var written: [String] = []
    var log: [String] = []
    var rotations = 0
    func write(_ name: String) throws {
      let count = Int.random(in: 1...(Bool.random(using: &random) ? 3 : 60), using: &random)
      var text = ""
      for _ in 0..<count {
        let line = "line \(written.count) of seed \(seed)"
        written.append(line)
        text += line + "\n"
      }
      try rig.append(name, text)
    }
    for _ in 0..<60 {
      let name = Bool.random(using: &random) ? "a.log" : "b.log"
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        try write(name)
        log.append("write \(name)")
      case 5 where FileManager.default.fileExists(atPath: rig.path(name)):
        rotations += 1
        try rig.rename(name, to: "\(name).\(rotations)")
        if Bool.random(using: &random) { try write("\(name).\(rotations)") }
        log.append("rename \(name)")
      case 6 where FileManager.default.fileExists(atPath: rig.path(name)):
        rotations += 1
        try rig.copyAndTruncate(name, to: "\(name).\(rotations)")
        log.append("copy \(name)")
      case 7:
        // Only what has been read may go.
        rig.pass(.seconds(1))
        if rotations > 0 { try? rig.remove("\(name).\(Int.random(in: 1...rotations, using: &random))") }
        log.append("remove old \(name)")
      default:
        let pause = [Duration.zero, .milliseconds(200), .seconds(1), .seconds(4), .seconds(40)]
        rig.pass(pause.randomElement(using: &random) ?? .zero)
        log.append("pass")
      }
    }
    rig.pass(.seconds(60))
    let got = rig.bodies
    let missing = Set(written).subtracting(got)
    let twice = Dictionary(grouping: got) { $0 }.filter { $0.value.count > 1 }.keys
    if !missing.isEmpty || !twice.isEmpty {
      Issue.record(
        "of \(written.count): missing \(missing.sorted().prefix(3)), twice \(twice.sorted().prefix(3)): \(log)"
      )
    }
  }
}
