import SeededRandom
import TelemetryData
import Testing

@testable import Processors

@Suite struct TraceIDTableTests {
  @Test(arguments: 0..<5)
  func `ids are found as in a dictionary however many come and go`(seed: UInt64) {
    var random = SeededGenerator(seed)
    var table = TraceIDTable<UInt64>(seed: seed)
    var model: [TraceID: UInt32] = [:]
    for _ in 0..<20_000 {
      // Few ids that differ in few bits, so that many share a slot.
      let id = TraceID(high: 1 + UInt64(random.below(3)), low: UInt64(random.below(300)))
      if let place = model[id] {
        #expect(table.place(of: id) == place)
        // Whatever stood there before, and if anything does.
        #expect(table.place(of: id, once: UInt32(random.below(table.places))) == place)
        if random.chance(50) {
          table.remove(place)
          model[id] = nil
        }
      } else {
        #expect(table.place(of: id) == nil)
        if table.places > 0 {
          #expect(table.place(of: id, once: UInt32(random.below(table.places))) == nil)
        }
        model[id] = table.insert(id, id.low)
      }
      #expect(table.count == model.count)
    }
    let ids = Array(model.keys)
    #expect(table.places(of: ids) == ids.map { model[$0] })
    for (id, place) in model {
      #expect(table.place(of: id) == place)
      #expect(table.id(at: place) == id)
      #expect(table[place] == id.low)
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
