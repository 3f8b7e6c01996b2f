import Foundation
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

/// Files that become shorter, vanish, or are deleted because they were read.
@Suite struct TailerTruncationTests {
  private static let head = "a header that is long enough to tell files apart\n"

  /// Truncates a file of a header and three lines behind the first line, lets that be seen or not, and writes another.
  private func truncated(_ way: String, isSeen: Bool, between: (TailRig) throws -> TailRig = { $0 }) throws
    -> [String]
  {
    var rig = try TailRig(
      isStoring: true, settings: "{fingerprint_size: 16, on_truncate: \(way)}")
    try rig.append("a.log", Self.head + "one\ntwo\nthree\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.count == 4)
    let before = rig
    rig = try between(rig)
    let known = rig === before ? 4 : 0
    truncate(rig.path("a.log"), Self.head.utf8.count + 4)
    if isSeen { rig.pass(.seconds(5)) }
    try rig.append("a.log", "x\n")
    rig.pass(.seconds(60))
    try rig.append("a.log", "yyyyyyy\nz\n")
    rig.pass(.seconds(60))
    return Array(rig.bodies.dropFirst(known))
  }

  @Test(arguments: [true, false])
  func `a file that begins as before and is shorter is read again as a whole`(isSeen: Bool) throws {
    let header = String(Self.head.dropLast())
    #expect(try truncated("read_whole_file", isSeen: isSeen) == [header, "one", "x", "yyyyyyy", "z"])
  }

  @Test func `with read_new only what is written after the truncation is read`() throws {
    #expect(try truncated("read_new", isSeen: true) == ["x", "yyyyyyy", "z"])
  }

  @Test func `with ignore nothing is read until the file is as long as it was`() throws {
    #expect(try truncated("ignore", isSeen: true) == ["z"])
  }

  @Test(arguments: ["read_whole_file", "read_new"])
  func `a truncation while nothing runs is one all the same`(way: String) throws {
    let got = try truncated(way, isSeen: true) { first in
      first.stop()
      truncate(first.path("a.log"), Self.head.utf8.count + 4)
      return try TailRig(
        after: first, isStoring: true, settings: "{fingerprint_size: 16, on_truncate: \(way)}")
    }
    #expect(
      got == (way == "read_new" ? [] : [String(Self.head.dropLast()), "one"]) + ["x", "yyyyyyy", "z"])
  }

  @Test(arguments: ["read_whole_file", "read_new", "ignore"])
  func `a file that begins otherwise than before is a new one in any case`(way: String) throws {
    let rig = try TailRig(settings: "{fingerprint_size: 16, on_truncate: \(way)}")
    try rig.append("a.log", Self.head + "one\n")
    rig.pass(.seconds(60))
    truncate(rig.path("a.log"), 0)
    rig.pass(.seconds(5))
    try rig.append("a.log", "another beginning\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.dropFirst(2) == ["another beginning"])
  }

  @Test func `a hole that a writer leaves behind a truncation is passed over`() throws {
    let rig = try TailRig()
    let writer = Int32(open(rig.path("a.log"), O_CREAT | O_WRONLY, 0o600))
    defer { close(writer) }
    write(writer, "one\ntwo\n", 8)
    rig.pass(.seconds(60))
    truncate(rig.path("a.log"), 0)
    rig.pass(.seconds(5))
    write(writer, "three\n", 6)
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two", "three"])
  }

  @Test func `a file that turns into a directory and back is another one`() throws {
    let rig = try TailRig()
    try rig.append("a.log", "one\n")
    rig.pass(.seconds(5))
    try rig.remove("a.log")
    try rig.makeDirectory("a.log")
    try rig.append("a.log/b.log", "not read\n")
    rig.pass(.seconds(60))
    try rig.remove("a.log")
    try rig.append("a.log", "two\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two"])
  }

  @Test(arguments: [true, false])
  func `a file is deleted once all of it has been accepted`(usesNotices: Bool) throws {
    let rig = try TailRig(usesNotices: usesNotices, isStoring: true, settings: "{delete_after_read: true}")
    rig.answers.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    try rig.append("a.log", "one\ntwo\n")
    try rig.append("b.log", "incomplete")
    try rig.append("c.txt", "another\n")
    rig.pass(.seconds(5))
    #expect(rig.exists("a.log") && rig.exists("b.log"))
    rig.answers.outcome.withLock { $0 = .accepted }
    rig.pass(.seconds(5))
    #expect(Set(rig.bodies) == ["one", "two", "incomplete"])
    #expect(!rig.exists("a.log") && !rig.exists("b.log"))
    #expect(rig.exists("c.txt"))
    try rig.append("a.log", "three\n")
    rig.pass(.seconds(60))
    #expect(rig.bodies.last == "three")
    #expect(!rig.exists("a.log"))
    #expect(rig.openFiles == 0)
  }

  @Test func `a compressed file is deleted as well, and one that is rejected`() throws {
    let rig = try TailRig(settings: "{delete_after_read: true, compression: auto, include: ['DIR/*']}")
    try rig.append("a", "one\ntwo\n")
    try rig.compress("a")
    rig.pass(.seconds(60))
    #expect(rig.bodies == ["one", "two"])
    #expect(!rig.exists("a.gz"))
    rig.answers.outcome.withLock { $0 = .rejected(reason: "no") }
    try rig.append("b", "three\n")
    rig.pass(.seconds(60))
    #expect(!rig.exists("b"))
  }
}
