import Testing
import WireFormat

@testable import LogData

@Suite struct LogEntryTests {
  @Test func `a value set at a path below nothing makes the maps on the way`() throws {
    var entry = LogEntry()
    let path = FieldPath(.attributes, ["http", "method"])
    try entry.set(entry.string("GET"), at: path)
    let value = try #require(entry.value(at: path))
    #expect(String(decoding: entry.arena[value.range.range], as: UTF8.self) == "GET")
    #expect(entry.value(at: FieldPath(.attributes, ["http"]))?.kind == .map)
  }

  @Test func `a removed key is gone and the order of the others stays`() throws {
    var entry = LogEntry()
    for key in ["a", "b", "c"] { try entry.set(.int(1), at: FieldPath(.attributes, [key])) }
    #expect(entry.remove(at: FieldPath(.attributes, ["b"])) == .int(1))
    try entry.set(.int(2), at: FieldPath(.attributes, ["d"]))
    var keys: [String] = []
    entry.forEach(in: .attributes) { key, _ in
      keys.append(String(decoding: entry.arena[key.range], as: UTF8.self))
    }
    #expect(keys == ["a", "c", "d"])
  }
}
