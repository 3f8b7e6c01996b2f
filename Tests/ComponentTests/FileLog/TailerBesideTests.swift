import Foundation
import PipelineKit
import PipelineTestKit
import SeededRandom
import Testing

@testable import Receivers

/// Rotations into names that are not among those to be read.
@Suite struct TailerBesideTests {
  private static func lines(_ name: String, _ numbers: Range<Int>) -> String {
    numbers.map { "\(name) line \($0) of some length\n" }.joined()
  }

  @Test func `what was written before a copy and truncation is read from the copy outside the pattern`()
    throws
  {
    let rig = try TailRig()
    try rig.append("a.log", Self.lines("a", 0..<50))
    rig.pass(.seconds(5))
    try rig.append("a.log", "late\n")
    try rig.copyAndTruncate("a.log", to: "a.log.1")
    try rig.append("a.log", "new\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.dropFirst(50).sorted() == ["late", "new"])
  }

  @Test func `a copy that was compressed meanwhile is found some seconds later`() throws {
    let rig = try TailRig()
    try rig.append("a.log", Self.lines("a", 0..<50))
    rig.pass(.seconds(5))
    try rig.append("a.log", "late\n")
    try FileManager.default.copyItem(atPath: rig.path("a.log"), toPath: rig.path("hidden"))
    truncate(rig.path("a.log"), 0)
    rig.pass(.seconds(1))
    try rig.compress("hidden")
    try rig.rename("hidden.gz", to: "a.log.1.gz")
    rig.pass(.seconds(60))
    #expect(rig.bodies.dropFirst(50) == ["late"])
  }

  @Test
  func `files that were renamed, copied or compressed out of the pattern while nothing ran are read on`()
    throws
  {
    let first = try TailRig(isStoring: true)
    for name in ["a", "b", "c"] { try first.append("\(name).log", Self.lines(name, 0..<50)) }
    first.pass(.seconds(1))
    first.stop()
    for name in ["a", "b", "c"] { try first.append("\(name).log", "\(name) late\n") }
    try first.rename("a.log", to: "a.log.1")
    try first.copyAndTruncate("b.log", to: "b.log.1")
    try first.compress("c.log")
    for name in ["a", "b", "c"] { try first.append("\(name).log", "\(name) new\n") }
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(5))
    try second.append("a.log.1", "a later\n")
    second.pass(.seconds(60))
    #expect(
      second.bodies.sorted() == ["a late", "a later", "a new", "b late", "b new", "c late", "c new"])
    second.stop()
    let third = try TailRig(after: second, isStoring: true)
    third.pass(.seconds(60))
    #expect(third.bodies.isEmpty)
    #expect(third.openFiles == 3, "what was read to its end is not opened again")
  }

  @Test func `an empty file that was filled and renamed while nothing ran is read`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "")
    try first.append("b.log", "")
    first.pass(.seconds(20))
    first.stop()
    try first.append("a.log", "one\n")
    try first.rename("a.log", to: "a.log.1")
    try first.append("b.log", "elsewhere\n")
    try first.rename("b.log", to: "moved")
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(5))
    #expect(second.bodies == ["one"])
  }

  @Test func `others that lie beside a file are not read`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", Self.lines("a", 0..<50))
    // Begins the same and goes on differently.
    try first.append("a.log.old", Self.lines("a", 0..<40) + Self.lines("b", 0..<50))
    try first.append("other", Self.lines("a", 0..<50) + "other\n")
    first.pass(.seconds(5))
    first.stop()
    try first.remove("a.log")
    try first.append("a.log.3", "foreign\n")
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(60))
    #expect(second.bodies.isEmpty)
    #expect(second.openFiles == 0)
  }

  @Test func `each of many files is found among many`() throws {
    let names = (0..<300).map { "file \($0)" }
    let first = try TailRig(isStoring: true)
    for name in names { try first.append("\(name).log", Self.lines(name, 0..<20)) }
    first.pass(.seconds(1))
    first.stop()
    for (number, name) in names.enumerated() {
      try first.append("\(name).log", "\(name) late\n")
      if number.isMultiple(of: 2) {
        try first.rename("\(name).log", to: "\(name).done")
      } else {
        try first.copyAndTruncate("\(name).log", to: "\(name)-old.log.1")
      }
    }
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(12))
    #expect(second.bodies.sorted() == names.map { "\($0) late" }.sorted())
  }

  @Test func `a successor goes on looking for what its predecessor looks for`() throws {
    let first = try TailRig()
    try first.append("a.log", Self.lines("a", 0..<50))
    first.pass(.seconds(5))
    try first.append("a.log", "late\n")
    try FileManager.default.copyItem(atPath: first.path("a.log"), toPath: first.path("hidden"))
    truncate(first.path("a.log"), 0)
    first.pass(.seconds(1))
    let second = try TailRig(after: first, takesOver: true)
    try first.rename("hidden", to: "a.log.1")
    second.pass(.seconds(60))
    #expect(second.bodies == ["late"])
  }

  @Test(arguments: 0..<20)
  func `rotations out of the pattern neither lose nor repeat a line`(seed: Int) throws {
    var random = SeededGenerator(UInt64(seed) &+ 5000)
    var rig = try TailRig(isStoring: true)
    var lives = [rig]
    var written: [String] = []
    var steps: [String] = []
    var rotations = 0
    func write(_ name: String) throws {
      let numbered = (0..<(10 + random.below(60))).map { "line \(written.count + $0) of \(seed)" }
      written += numbered
      try rig.append(name, numbered.joined(separator: "\n") + "\n")
      steps.append("write \(name) up to \(written.count - 1)")
    }
    for _ in 0..<40 {
      let name = random.pick(["a.log", "b.log"])
      switch random.below(8) {
      case 0..<3:
        let isNew = !rig.exists(name)
        try write(name)
        // A file that was never seen under a name to be read is not one to be read.
        if isNew { rig.pass(.milliseconds(400)) }
      case 3..<5 where rig.exists(name):
        rotations += 1
        let rotated = "\(name).\(rotations)"
        let isStopped = random.chance(50)
        if isStopped {
          rig.pass(.milliseconds(400))
          rig.stop()
        }
        if random.chance(50) { try write(name) }
        switch random.below(3) {
        case 0:
          steps.append("rename")
          try rig.rename(name, to: rotated)
        case 1:
          steps.append("copy")
          try rig.copyAndTruncate(name, to: rotated)
        default:
          steps.append("copy and compress")
          try rig.copyAndTruncate(name, to: rotated)
          try rig.compress(rotated)
        }
        steps.append("rotate \(name), stopped: \(isStopped)")
        try write(name)
        if isStopped {
          rig = try TailRig(after: rig, isStoring: true)
          lives.append(rig)
        }
        rig.pass(.milliseconds(400))
      default:
        rig.pass(random.pick([.zero, .milliseconds(200), .seconds(1), .seconds(4), .seconds(40)]))
        steps.append("pass")
      }
    }
    rig.pass(.seconds(60))
    let got = lives.flatMap(\.bodies)
    let missing = Set(written).subtracting(got)
    let twice = Dictionary(grouping: got) { $0 }.filter { $0.value.count > 1 }.keys
    if !missing.isEmpty || !twice.isEmpty {
      Issue.record(
        "of \(written.count): missing \(missing.sorted().prefix(3)), twice \(twice.sorted().prefix(3)): \(steps.suffix(20))"
      )
    }
  }
}
