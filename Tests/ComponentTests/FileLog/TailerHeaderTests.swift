import Foundation
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

/// Lines at the beginning of files that say something about all of their records.
@Suite struct TailerHeaderTests {
  private static let settings = """
    {header: {pattern: '^#', metadata_operators: [
      {type: regex_parser, regex: '^# ?(?P<key>\\w+): (?P<value>.*)$', on_error: send_quiet},
      {type: regex_parser, regex: '^#Version: (?P<version>.*)$', on_error: send_quiet, parse_from: body}]},
     include: ['DIR/*.log*']}
    """

  private func attributes(_ rig: TailRig, _ body: String) -> [String: String]? {
    rig.records.first { $0.body == body }?.attributes
  }

  @Test func `every record has what the header says, and the header is no record`() throws {
    let rig = try TailRig(settings: Self.settings)
    try rig.append("a.log", "#Version: 1.0\n# key: first\none\n# key: not in the header\n")
    try rig.append("b.log", "no header\n")
    rig.pass(.seconds(5))
    #expect(rig.bodies.sorted() == ["# key: not in the header", "no header", "one"])
    #expect(
      attributes(rig, "one")
        == ["version": "1.0", "key": "key", "value": "first", "log.file.name": "a.log"])
    #expect(attributes(rig, "no header") == ["log.file.name": "b.log"])
    try rig.append("a.log", "two\n")
    rig.pass(.seconds(60))
    try rig.append("a.log", "three\n")
    rig.pass(.seconds(60))
    #expect(attributes(rig, "two")?["version"] == "1.0")
    #expect(attributes(rig, "three")?["version"] == "1.0")
  }

  @Test func `an incomplete header is waited for`() throws {
    let rig = try TailRig(settings: Self.settings)
    try rig.append("a.log", "#Ver")
    rig.pass(.seconds(60))
    try rig.append("a.log", "sion: 2\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.isEmpty)
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one"])
    #expect(attributes(rig, "one")?["version"] == "2")
  }

  @Test func `a restart and a rotation keep to the header of each file`() throws {
    let first = try TailRig(isStoring: true, settings: Self.settings)
    try first.append("a.log", "#Version: 1\none\n")
    try first.append("empty.log", "#Version: 9\n")
    first.pass(.seconds(5))
    first.stop()
    try first.append("a.log", "late\n")
    try first.rename("a.log", to: "a.log.1")
    try first.append("a.log", "#Version: 2\ntwo\n")
    try first.append("empty.log", "nine\n")
    let second = try TailRig(after: first, isStoring: true, settings: Self.settings)
    second.pass(.seconds(5))
    #expect(second.bodies.sorted() == ["late", "nine", "two"])
    #expect(attributes(second, "late")?["version"] == "1")
    #expect(attributes(second, "two")?["version"] == "2")
    #expect(attributes(second, "nine")?["version"] == "9")
  }

  @Test func `a file that is written anew behind its header has another one`() throws {
    let rig = try TailRig(settings: Self.settings)
    try rig.append("a.log", "#Version: 1\n")
    rig.pass(.seconds(5))
    truncate(rig.path("a.log"), 0)
    try rig.append("a.log", "#Version: 2\ntwo and more than there was\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["two and more than there was"])
    #expect(attributes(rig, "two and more than there was")?["version"] == "2")
    // Nothing has been read but the header.
    try rig.append("b.log", "#Version: 3\nthree\n")
    rig.answers.outcome.withLock { $0 = .accepted }
    rig.pass(.seconds(5))
    truncate(rig.path("b.log"), 0)
    rig.pass(.seconds(5))
    try rig.append("b.log", "#Version: 4\nfour\n")
    rig.pass(.seconds(60))
    #expect(attributes(rig, "four")?["version"] == "4")
  }

  @Test func `a compressed file has a header too`() throws {
    let rig = try TailRig(settings: Self.settings) { $0.compression = .auto }
    try rig.append("hidden", "#Version: 5\none\n")
    try rig.compress("hidden")
    try rig.rename("hidden.gz", to: "a.log.1")
    rig.pass(.seconds(5))
    #expect(rig.bodies == ["one"])
    #expect(attributes(rig, "one")?["version"] == "5")
  }
}
