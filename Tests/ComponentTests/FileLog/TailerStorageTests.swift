import Foundation
import PipelineKit
import PipelineTestKit
import SeededRandom
import Testing

@testable import Receivers

/// What is stored of files, and going on from there.
@Suite struct TailerStorageTests {
  @Test func `a restart goes on where it stopped`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "one\n")
    first.pass(.seconds(1))
    first.stop()
    try first.append("a.log", "two\n")
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(1))
    #expect(second.bodies == ["two"])
  }

  @Test func `what has not been accepted is read again`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "one\n")
    first.pass(.seconds(1))
    first.answers.outcome.withLock { $0 = nil }
    try first.append("a.log", "two\n")
    first.pass(.seconds(1))
    #expect(first.bodies == ["one", "two"])
    first.answers.outcome.withLock { $0 = .accepted }
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(1))
    #expect(second.bodies == ["two"])
  }

  @Test(arguments: ["beginning", "end"])
  func `a file of which nothing was accepted is found again where it was moved`(start: String) throws {
    let first = try TailRig(isStoring: true, settings: "{start_at: \(start)}")
    try first.append("old.log", "old\n")
    first.answers.outcome.withLock { $0 = nil }
    first.pass(.seconds(1))
    try first.append("a.log", "one\n")
    first.pass(.seconds(1))
    // No end that anybody was told of.
    try first.append("a.log", "two\n")
    try first.rename("a.log", to: "a.log.1")
    try first.append("a.log", "three\n")
    try first.append("old.log", "more\n")
    first.answers.outcome.withLock { $0 = .accepted }
    let second = try TailRig(after: first, isStoring: true, settings: "{start_at: \(start)}")
    second.pass(.seconds(5))
    #expect(second.bodies.sorted() == ["more"] + (start == "end" ? [] : ["old"]) + ["one", "three", "two"])
  }

  @Test func `a file that was empty is not read again under its other name`() throws {
    var rig = try TailRig(isStoring: true)
    try rig.append("a.log", "")
    rig.pass(.seconds(20))
    rig.stop()
    try rig.append("a.log", "one\n")
    rig = try TailRig(after: rig, isStoring: true)
    rig.pass(.seconds(5))
    #expect(rig.bodies == ["one"])
    rig.stop()
    try rig.rename("a.log", to: "a.log.1")
    rig = try TailRig(after: rig, isStoring: true)
    rig.pass(.seconds(20))
    #expect(rig.bodies.isEmpty)
  }

  @Test func `with start_at end a file that came while nothing ran is read from its beginning`() throws {
    let first = try TailRig(isStoring: true, settings: "{start_at: end}")
    try first.append("old.log", "before\n")
    first.pass(.seconds(1))
    first.stop()
    try first.append("old.log", "after\n")
    try first.append("new.log", "new\n")
    let second = try TailRig(after: first, isStoring: true, settings: "{start_at: end}")
    second.pass(.seconds(1))
    #expect(first.bodies.isEmpty)
    #expect(second.bodies.sorted() == ["after", "new"])
  }

  @Test func `an incomplete line is not taken at the end, and read whole by the next life`() throws {
    let first = try TailRig(isStoring: true)
    try first.append("a.log", "one\nhal")
    first.settle()
    first.stop()
    try first.append("a.log", "f\n")
    let second = try TailRig(after: first, isStoring: true)
    second.pass(.seconds(1))
    #expect(first.bodies == ["one"])
    #expect(second.bodies == ["half"])
  }

  @Test func `without storage an incomplete line is taken as it is at the end`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\nhal")
    rig.settle()
    rig.stop()
    #expect(rig.bodies == ["one", "hal"])
  }

  @Test func `records that an operator holds back are read again by the next life`() throws {
    let yaml = """
      {operators: [{type: recombine, combine_field: body, is_first_entry: 'body matches "^[a-z]"'}],
       include_file_record_number: true, preserve_leading_whitespaces: true}
      """
    let first = try TailRig(isStoring: true, settings: yaml)
    try first.append("a.log", "one\n 1\ntwo\n 2\n")
    first.pass(.seconds(1))
    #expect(first.bodies == ["one\n 1"])
    first.stop()
    try first.append("a.log", " 3\nthree\n")
    let second = try TailRig(after: first, isStoring: true, settings: yaml)
    second.pass(.seconds(1))
    #expect(second.bodies == ["two\n 2\n 3"])
    #expect(second.records.first?.attributes["log.file.record_number"] == "3")
  }

  @Test func `a file is found again when it was renamed, copied or compressed while nothing ran`() throws {
    let yaml = "{include: ['DIR/*.log*'], compression: auto}"
    let first = try TailRig(isStoring: true, settings: yaml)
    for name in ["a", "b", "c"] {
      try first.append("\(name).log", (0..<50).map { "\(name) line \($0)\n" }.joined())
    }
    first.pass(.seconds(1))
    first.stop()
    for name in ["a", "b", "c"] { try first.append("\(name).log", "\(name) late\n") }
    try first.rename("a.log", to: "a.log.1")
    try first.copyAndTruncate("b.log", to: "b.log.1")
    try first.compress("c.log")
    for name in ["a", "b", "c"] { try first.append("\(name).log", "\(name) new\n") }
    let second = try TailRig(after: first, isStoring: true, settings: yaml)
    second.pass(.seconds(5))
    #expect(second.bodies.sorted() == ["a late", "a new", "b late", "b new", "c late", "c new"])
  }

  @Test func `a successor goes on with open files and what is under way`() throws {
    let first = try TailRig()
    try first.append("a.log", "one\n")
    first.pass(.seconds(1))
    first.answers.outcome.withLock { $0 = nil }
    try first.append("a.log", "two\n")
    first.pass(.seconds(1))
    try first.append("a.log", "three\n")
    try first.rename("a.log", to: "gone")
    try first.append("a.log", "four\n")
    let second = try TailRig(after: first, takesOver: true)
    for arrival in first.consumer.arrivals {
      arrival.completion.resolve(.refused(reason: "over", after: nil))
    }
    second.answers.outcome.withLock { $0 = .accepted }
    second.pass(.seconds(5))
    #expect(first.bodies == ["one", "two"])
    #expect(second.bodies.sorted() == ["four", "three", "two"])
  }

  @Test func `a successor lets go of files that it is not to read`() throws {
    let first = try TailRig()
    try first.append("a.log", "one\n")
    try first.append("b.log", "one\n")
    first.pass(.seconds(1))
    try first.append("a.log", "two\n")
    try first.append("b.log", "two\n")
    let second = try TailRig(after: first, takesOver: true, settings: "{include: [DIR/b.log]}")
    second.pass(.seconds(5))
    #expect(second.records.map { $0.attributes["log.file.name"] } == ["b.log"])
    #expect(second.bodies == ["two"])
  }

  @Test(arguments: 0..<30)
  func `lives that end at any time neither lose nor repeat a line`(seed: Int) throws {
    var random = SeededGenerator(UInt64(seed) &+ 1000)
    var rig = try TailRig(isStoring: true, settings: "{include: ['DIR/*.log*'], compression: auto}")
    var lives = [rig]
    var written: [String] = []
    var steps: [String] = []
    var rotations = 0
    for _ in 0..<60 {
      let name = random.pick(["a.log", "b.log"])
      let exists = FileManager.default.fileExists(atPath: rig.path(name))
      switch random.below(12) {
      case 0..<5:
        let count = 1 + random.below(random.chance(50) ? 3 : 60)
        let numbered = (0..<count).map { "line \(written.count + $0) of \(seed)" }
        written += numbered
        try rig.append(name, numbered.joined(separator: "\n") + "\n")
        steps.append("write \(name)")
      case 5 where exists:
        rotations += 1
        try rig.rename(name, to: "\(name).\(rotations)")
        steps.append("rename \(name)")
      case 6 where exists:
        rotations += 1
        try rig.copyAndTruncate(name, to: "\(name).\(rotations)")
        steps.append("copy \(name)")
      case 7 where exists:
        rotations += 1
        try rig.rename(name, to: "\(name).\(rotations)")
        if random.chance(50) { rig.pass(.milliseconds(200)) }
        try rig.compress("\(name).\(rotations)")
        steps.append("compress \(name)")
      case 8, 9:
        rig.pass(random.pick([.zero, .milliseconds(400), .seconds(2)]))
        rig.stop()
        rig = try TailRig(
          after: rig, isStoring: true, settings: "{include: ['DIR/*.log*'], compression: auto}")
        lives.append(rig)
        steps.append("restart")
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
        "of \(written.count): missing \(missing.sorted().prefix(3)), twice \(twice.sorted().prefix(3)): \(steps)"
      )
    }
  }
}
