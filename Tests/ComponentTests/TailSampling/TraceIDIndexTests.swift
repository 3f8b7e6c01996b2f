import SeededRandom
import TelemetryData
import Testing

@testable import Processors

@Suite struct TraceIDIndexTests {
  @Test(arguments: 0..<5)
  func `ids are found as in a dictionary however many come and go`(seed: UInt64) {
    var random = SeededGenerator(seed)
    var index = TraceIDIndex(seed: seed)
    var model: [TraceID: UInt32] = [:]
    for _ in 0..<20_000 {
      // Few ids that differ in few bits, so that many share a slot.
      let id = TraceID(high: UInt64(random.below(3)), low: UInt64(random.below(300)))
      if let place = model[id] {
        #expect(index.place(of: id) == place)
        if random.chance(50) {
          index.remove(place)
          model[id] = nil
        }
      } else {
        #expect(index.place(of: id) == nil)
        model[id] = index.insert(id)
      }
      #expect(index.count == model.count)
    }
    for (id, place) in model {
      #expect(index.place(of: id) == place)
      #expect(index.id(at: place) == id)
    }
    #expect(Set(model.values).count == model.count)
  }

  @Test func `a cache forgets the id that was least recently asked for`() {
    var cache = DecisionCache(capacity: 3, seed: 1)
    func id(_ number: UInt64) -> TraceID { TraceID(high: 1, low: number) }
    for number in 1...3 { _ = cache.insert(id(UInt64(number))) }
    let isThere = cache.contains(id(1))
    #expect(isThere)
    _ = cache.insert(id(4))
    let found = (1...4).map { cache.contains(id($0)) }
    #expect(found == [true, false, true, true])
    #expect(cache.count == 3)
  }

  @Test func `a cache without room keeps nothing`() {
    var cache = DecisionCache(capacity: 0, seed: 1)
    let id = TraceID(high: 1, low: 2)
    let (isKept, isThere) = (cache.insert(id), cache.contains(id))
    #expect(!isKept && !isThere)
  }
}
