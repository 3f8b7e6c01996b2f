import TelemetryData
import Testing

@testable import Processors

@Suite struct StreamDigestTests {
  static let seed = StreamSeed { 0.25 }

  static func id(_ attributes: Attributes, _ seed: StreamSeed = seed) -> StreamID {
    let batch = metrics(resource: attributes)
    return StreamScopes.resourceID(0, in: batch, seed)
  }

  @Test func `many similar streams get identities that differ and spread evenly`() {
    var seen: Set<StreamID> = []
    var places = Array(repeating: 0, count: 256)
    let count = 20_000
    for number in 0..<count {
      let id = Self.id(["host": .string("host-\(number % 200)"), "cpu": .int(Int64(number / 200))])
      seen.insert(id)
      places[Int(id.low & 255)] += 1
    }
    #expect(seen.count == count)
    // 78 on average in each place; a spread by chance stays well within these bounds.
    #expect(places.allSatisfy { (30...140).contains($0) })
  }

  @Test func `the order of keys does not count, the order of lists, types and places do`() {
    let id = Self.id(["a": "x", "b": "y", "c": .array([1, 2])])
    #expect(id == Self.id(["c": .array([1, 2]), "b": "y", "a": "x"]))
    let others: [Attributes] = [
      [:], ["a": "x"], ["a": "y", "b": "x", "c": .array([1, 2])], ["a": "x", "b": "y", "c": .array([2, 1])],
      ["ax": "", "b": "y", "c": .array([1, 2])], ["a": "x", "b": "y", "c": .array([1, 2]), "d": .empty],
      ["a": "x", "b": "y", "c": .array([.array([1, 2])])],
      ["a": .bytes([0x78]), "b": "y", "c": .array([1, 2])],
      ["a": "x", "a": "x", "b": "y", "c": .array([1, 2])], ["a": "x", "b": "y", "c": .array([1.0, 2.0])],
    ]
    #expect(Set(others.map { Self.id($0) } + [id]).count == others.count + 1)
  }

  @Test func `another seed gives other identities`() {
    #expect(Self.id(["a": "b"]) != Self.id(["a": "b"], StreamSeed { 0.75 }))
  }
}
