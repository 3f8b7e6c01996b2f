import SeededRandom
import Testing

@testable import LogData

/// Maps merged into maps.
@Suite struct MapMergeTests {
  @Test func `a merged map has every key once, with the later value`() throws {
    var random = SeededGenerator(3)
    for size in [1, 2, 5, 15, 16, 40] {
      for _ in 0..<200 {
        var entry = LogEntry()
        var expected: [String] = []
        var values: [String: Int64] = [:]
        for part in 0..<2 {
          var literal: [String] = []
          for number in (0..<size).shuffled(using: &random).prefix(Int.random(in: 1...size, using: &random)) {
            literal.append("k\(number)")
          }
          let (chain, map) = entry.makeMap()
          for key in literal {
            let value = Int64(part * 1000 + expected.count)
            entry.append(key: entry.add(key), .int(value), to: chain)
            if values.updateValue(value, forKey: key) == nil { expected.append(key) }
          }
          try entry.set(map, at: FieldPath(.attributes))
        }
        var found: [String] = []
        entry.forEach(in: .attributes) { key, value in
          found.append(entry.string(key))
          #expect(values[entry.string(key)] == value.int)
        }
        #expect(found == expected)
      }
    }
  }
}
