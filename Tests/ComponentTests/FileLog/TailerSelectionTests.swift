import ConfigSchema
import Foundation
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

/// Which files are read, from where, and how many at a time.
@Suite struct TailerSelectionTests {
  /// Sets when a file was written to, so long before now.
  private func age(_ rig: TailRig, _ name: String, _ age: Duration) throws {
    let now = Double(rig.clock.unixNanoseconds) / 1e9
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: now - age / .seconds(1))], ofItemAtPath: rig.path(name))
  }

  @Test func `excluded files are not read, whenever they come`() throws {
    let rig = try TailRig(settings: "{exclude: ['DIR/b*.log', 'DIR/*.{1,2}.log']}")
    for name in ["a.log", "b.log", "c.1.log", "c.3.log"] { try rig.append(name, name + "\n") }
    rig.pass(.seconds(1))
    for name in ["b2.log", "d.2.log", "d.log"] { try rig.append(name, name + "\n") }
    rig.pass(.seconds(60))
    #expect(rig.bodies.sorted() == ["a.log", "c.3.log", "d.log"])
    try rig.rename("b.log", to: "e.log")
    rig.pass(.seconds(60))
    #expect(rig.bodies.last == "b.log")
  }

  @Test(arguments: [true, false], ["beginning", "end"])
  func `old files are read once they are written to`(usesNotices: Bool, start: String) throws {
    let rig = try TailRig(usesNotices: usesNotices, settings: "{exclude_older_than: 1h, start_at: \(start)}")
    try rig.append("old.log", "old\n")
    try age(rig, "old.log", .seconds(3601))
    try rig.append("young.log", "young\n")
    try age(rig, "young.log", .seconds(3500))
    rig.pass(.seconds(40))
    #expect(rig.bodies == (start == "end" ? [] : ["young"]))
    #expect(rig.openFiles == 1)
    try rig.append("old.log", "new\n")
    try rig.append("young.log", "more\n")
    rig.pass(.seconds(40))
    #expect(rig.bodies.sorted() == (start == "end" ? ["more", "new"] : ["more", "new", "old", "young"]))
  }

  @Test func `what is read already is read on, however old it grows`() throws {
    let rig = try TailRig(settings: "{exclude_older_than: 1h}")
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(5))
    try age(rig, "a.log", .seconds(7200))
    rig.pass(.seconds(60))
    try rig.append("a.log", "two\n")
    rig.pass(.seconds(5))
    #expect(rig.bodies == ["one", "two"])
  }

  @Test func `reading begins at the end of the files that are there, and at the beginning of others`() throws
  {
    let rig = try TailRig(settings: "{start_at: end}")
    try rig.append("a.log", "before\nhal")
    rig.pass(.seconds(60))
    try rig.append("a.log", "f\nafter\n")
    try rig.append("b.log", "new\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.sorted() == ["after", "f", "new"])
    #expect(rig.records.first { $0.body == "after" }?.attributes == ["log.file.name": "a.log"])
  }

  @Test func `a directory that appears later is read from the beginning`() throws {
    let rig = try TailRig(settings: "{start_at: end, include: ['DIR/*/logs/**/*.log']}")
    rig.pass(.seconds(5))
    try rig.makeDirectory("x/logs/deep")
    try rig.append("x/logs/a.log", "one\n")
    rig.pass(.seconds(5))
    try rig.append("x/logs/deep/b.log", "two\n")
    rig.pass(.seconds(5))
    #expect(rig.bodies == ["one", "two"])
  }

  @Test func `a directory that is removed and made again is read again`() throws {
    let rig = try TailRig(settings: "{include: ['DIR/a/b/c/*.log']}")
    try rig.makeDirectory("a/b/c")
    try rig.append("a/b/c/a.log", "one\n")
    rig.pass(.seconds(5))
    try rig.remove("a")
    rig.pass(.seconds(2))
    try rig.makeDirectory("a/b/c")
    try rig.append("a/b/c/a.log", "two\n")
    rig.pass(.seconds(2))
    try rig.remove("a")
    try rig.makeDirectory("a/b/c")
    try rig.append("a/b/c/a.log", "three\n")
    rig.pass(.seconds(2))
    #expect(rig.bodies == ["one", "two", "three"])
  }

  @Test func `a file with several names is one`() throws {
    let rig = try TailRig(settings: "{include: ['DIR/**/*.log']}")
    try rig.makeDirectory("sub")
    try rig.append("sub/a.log", "one\n")
    try rig.link("link.log", to: "sub/a.log")
    try rig.link("around", to: ".")
    try FileManager.default.linkItem(atPath: rig.path("sub/a.log"), toPath: rig.path("hard.log"))
    rig.pass(.seconds(60))
    try rig.append("sub/a.log", "two\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two"])
  }

  @Test func `a link that is switched leads to another file`() throws {
    let rig = try TailRig()
    try rig.append("one", "one\n")
    try rig.append("two", "two\n")
    try rig.link("a.log", to: "one")
    rig.pass(.seconds(5))
    try rig.append("one", "late\n")
    try rig.link("new", to: "two")
    try rig.rename("new", to: "a.log")
    rig.pass(.seconds(5))
    #expect(rig.bodies.sorted() == ["late", "one", "two"])
  }

  @Test func `no more files than allowed are read by turns`() throws {
    let rig = try TailRig(settings: "{max_concurrent_files: 2}")
    let line = String(repeating: "x", count: 1000)
    for name in ["a", "b", "c", "d", "e"] {
      try rig.append("\(name).log", (0..<900).map { "\(name)\($0) \(line)\n" }.joined())
    }
    rig.pass(.seconds(5))
    let order = rig.records.map { $0.attributes["log.file.name"] ?? "" }
    #expect(order.count == 5 * 900)
    var most = 0
    for index in order.indices {
      let begun = Set(order[...index])
      let unfinished = begun.intersection(order[index...])
      most = max(most, unfinished.count)
    }
    #expect(most == 2)
    // By turns: the second begins before the first has ended.
    let start = try #require(order.firstIndex(of: "b.log"))
    let end = try #require(order.lastIndex(of: "a.log"))
    #expect(start < end)
  }

  @Test func `files that have nothing to read do not keep others waiting`() throws {
    let rig = try TailRig(settings: "{max_concurrent_files: 2}")
    for number in 0..<50 { try rig.append("\(number).log", "one\n") }
    rig.settle()
    #expect(rig.bodies.count == 50)
    for number in 0..<50 { try rig.append("\(number).log", "two\n") }
    rig.pass(.milliseconds(200))
    #expect(rig.bodies.count == 100)
  }

  @Test(arguments: [16, 1000, 3000])
  func `the fingerprint has the size that was asked for`(size: Int) throws {
    let rig = try TailRig(settings: "{fingerprint_size: \(size), include: ['DIR/*']}")
    let beginning = (0..<100).map { "line \($0) of what all files begin with\n" }.joined()
    try rig.append("a", beginning + "a\n")
    try rig.append("b", beginning + "b\n")
    rig.pass(.seconds(5))
    try rig.append("c", beginning + "c\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.count == 303)
    #expect(rig.bodies.filter { $0.count == 1 }.sorted() == ["a", "b", "c"])
    #expect(rig.tailer.book.file(at: rig.path("a"))?.head.count == size)
  }

  @Test func `max_batches is accepted with a note`() throws {
    let (config, diagnostics) = checkedLogSettings("{include: [/x], max_batches: 3}", as: FileLogConfig.self)
    #expect(config != nil)
    #expect(diagnostics.render().contains("max_batches"), "\(diagnostics.render())")
    let rig = try TailRig(settings: "{max_batches: 1, max_concurrent_files: 2}")
    for number in 0..<20 { try rig.append("\(number).log", "one\n") }
    rig.pass(.seconds(1))
    #expect(rig.bodies.count == 20)
  }

  @Test func `without notices everything is looked at in every interval, and no oftener`() throws {
    let rig = try TailRig(usesNotices: false, settings: "{poll_interval: 1s}")
    try rig.append("a.log", "one\n")
    rig.settle()
    try rig.append("a.log", "two\n")
    try rig.append("b.log", "b\n")
    rig.pass(.milliseconds(900))
    #expect(rig.bodies == ["one"])
    rig.pass(.milliseconds(100))
    #expect(rig.bodies.contains("two"))
    rig.pass(.seconds(12))
    #expect(rig.bodies.sorted() == ["b", "one", "two"])
    try rig.append("a.log", "three\n")
    try rig.rename("b.log", to: "c.log")
    try rig.append("c.log", "c\n")
    rig.pass(.seconds(1))
    #expect(rig.bodies.count == 5)
  }

  @Test func `a notice does not wait for the poll interval`() throws {
    let rig = try TailRig(settings: "{poll_interval: 10s}")
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(60))
    try rig.append("a.log", "two\n")
    try rig.append("b.log", "b\n")
    rig.settle()
    #expect(rig.bodies.contains("two"))
    rig.pass(.seconds(10))
    #expect(rig.bodies.contains("b"))
  }
}
