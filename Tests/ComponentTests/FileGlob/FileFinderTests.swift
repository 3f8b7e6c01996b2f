import Foundation
import Testing

@testable import Receivers

/// Looking for files on a disk.
@Suite struct FileFinderTests {
  private let scratch = Scratch()

  private func make(_ names: String...) throws {
    for name in names {
      let directory = FileFinder.directory(of: "\(scratch.path)/\(name)")
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      scratch.put(name, "x")
    }
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/\(name)", withDestinationPath: target.replacing("DIR", with: scratch.path))
  }

  private func look(_ include: String..., exclude: String...) throws -> FileWalk {
    try FileFinder(
      include: include.map { try GlobPattern("\(scratch.path)/\($0)") },
      exclude: exclude.map { try GlobPattern("\(scratch.path)/\($0)") }
    ).look()
  }

  private func names(_ walk: FileWalk) -> [String] {
    walk.files.map { String($0.path.dropFirst(scratch.path.count + 1)) }
  }

  @Test func `stars, sets and alternatives find files in the order of their names`() throws {
    try make("b.log", "a.log", "c.txt", ".hidden.log", "sub/d.log", "sub/deep/e.log", "sub/.secret/f.log")
    #expect(try names(look("*.log")) == [".hidden.log", "a.log", "b.log"])
    #expect(try names(look("?.[lt]*")) == ["a.log", "b.log", "c.txt"])
    #expect(try names(look("{c.txt,a.log,missing}")) == ["c.txt", "a.log"])
    #expect(try names(look("*/*.log")) == ["sub/d.log"])
    #expect(
      try names(look("**/*.log")) == [
        ".hidden.log", "a.log", "b.log", "sub/d.log", "sub/.secret/f.log", "sub/deep/e.log",
      ])
    #expect(try names(look("sub/**")) == ["sub/.secret/f.log", "sub/d.log", "sub/deep/e.log"])
    #expect(try names(look("sub/d.log", "**/d.log")) == ["sub/d.log"], "each path once")
    #expect(
      try names(look("**/*.log", exclude: "**/.*", "sub/deep/**")) == [
        "a.log", "b.log", "sub/d.log", "sub/.secret/f.log",
      ])
  }

  @Test func `directories, pipes and links that lead nowhere are no files and no problem`() throws {
    try make("x/a.log")
    try FileManager.default.createDirectory(
      atPath: "\(scratch.path)/d.log", withIntermediateDirectories: true)
    mkfifo("\(scratch.path)/pipe.log", 0o600)
    try link("broken.log", to: "DIR/nowhere")
    try link("loop.log", to: "DIR/loop.log")
    let walk = try look("*.log", "**/*.log", "missing/*.log", "x/a.log/*.log", "pipe.log", "broken.log")
    #expect(names(walk) == ["x/a.log"])
    #expect(walk.problems.allSatisfy { $0.path == "\(scratch.path)/loop.log" }, "\(walk.problems)")
  }

  @Test func `links to files and directories are followed, and cycles end`() throws {
    try make("real/a.log", "real/deep/b.log", "outside/c.log")
    try link("real/deep/up", to: "DIR/real")
    try link("real/self", to: ".")
    try link("real/far", to: "DIR/outside")
    try link("real/link.log", to: "DIR/outside/c.log")
    let walk = try look("real/**/*.log")
    let found = names(walk)
    #expect(Set(found).isSuperset(of: ["real/a.log", "real/deep/b.log", "real/far/c.log", "real/link.log"]))
    #expect(found.count < 20, "\(found)")
    #expect(Set(walk.files.map(\.status.id)).count == 3)
  }

  @Test func `names that are no UTF-8 are told of`() throws {
    try make("a.log")
    for name: [UInt8] in [Array("b".utf8) + [0xFF] + Array(".log".utf8), Array("dir".utf8) + [0xC3]] {
      let path = Array("\(scratch.path)/".utf8) + name
      let bytes = (path + [0]).map { CChar(bitPattern: $0) }
      if name.last == 0xC3 { mkdir(bytes, 0o700) } else { close(open(bytes, O_CREAT | O_WRONLY, 0o600)) }
    }
    let walk = try look("**/*.log")
    #expect(names(walk) == ["a.log"])
    #expect(walk.problems.map(\.error) == [.nameless, .nameless])
    #expect(walk.problems.first?.error.description == "its name is not UTF-8")
    #expect(try look("a*").problems.isEmpty)
    #expect(try look("*.log", exclude: "b*").problems.isEmpty)
  }

  @Test func `what appears while its place begins to be watched is found`() throws {
    let finder = FileFinder(include: [try GlobPattern("\(scratch.path)/a/b/*.log")], exclude: [])
    let walk = finder.look { directory in
      if directory == scratch.path { try? make("a/b/x.log") }
    }
    #expect(names(walk) == ["a/b/x.log"])
  }

  @Test func `each directory in which names matter is watched`() throws {
    try make("a/x.log", "b/c/y.log")
    var watched: [String] = []
    let finder = FileFinder(
      include: try ["a/x.log", "**/*.log", "later/*.log"].map { try GlobPattern("\(scratch.path)/\($0)") },
      exclude: [])
    _ = finder.look { watched.append(String($0.dropFirst(scratch.path.count))) }
    #expect(Set(watched).isSuperset(of: ["", "/a", "/b", "/b/c"]), "\(watched)")
    #expect(watched.count == Set(watched).count)
  }
}
