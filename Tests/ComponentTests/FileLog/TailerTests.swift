import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

@Suite struct TailerTests {
  @Test func `lines that are there and lines that are added are read once, in order`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\ntwo\n")
    rig.settle()
    #expect(rig.bodies == ["one", "two"])
    try rig.append("a.log", "three\n")
    rig.pass(.seconds(1))
    try rig.append("a.log", "four\n")
    rig.pass(.seconds(5))
    try rig.append("a.log", "five\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two", "three", "four", "five"])
    #expect(rig.records[0].attributes == ["log.file.name": "a.log"])
  }

  @Test func `a line that is written in pieces is one record`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "begin")
    rig.pass(.milliseconds(400))
    try rig.append("a.log", "ning\nend")
    rig.pass(.milliseconds(400))
    #expect(rig.bodies == ["beginning"])
    rig.pass(.seconds(1))
    #expect(rig.bodies == ["beginning", "end"])
  }

  @Test func `a renamed file is read to its end and its successor from the beginning`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.settle()
    try rig.append("a.log", "two\n")
    try rig.rename("a.log", to: "a.log.1")
    try rig.append("a.log", "three\n")
    try rig.append("a.log.1", "late\n")
    rig.pass(.seconds(3))
    try rig.append("a.log.1", "later\n")
    rig.pass(.seconds(40))
    #expect(rig.bodies.sorted() == ["late", "later", "one", "three", "two"])
  }

  @Test func `a refused batch is offered again and nothing is read ahead of the window`() throws {
    let rig = try TailRig()
    rig.answers.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    try rig.append("a.log", "one\n")
    rig.settle()
    #expect(rig.bodies == ["one"])
    rig.pass(.milliseconds(500))
    #expect(rig.bodies == ["one"])
    rig.answers.outcome.withLock { $0 = .accepted }
    rig.pass(.seconds(1))
    #expect(rig.bodies == ["one", "one"])
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "one"])
  }
}
