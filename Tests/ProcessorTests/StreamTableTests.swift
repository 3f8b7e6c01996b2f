import PipelineKit
import SeededRandom
import Testing

@testable import Processors

struct NumberState: StreamState {
  var value: Int
  var extraBytes = 0
  static var vacant: NumberState { NumberState(value: -1) }
}

@Suite struct StreamTableTests {
  static func id(_ number: Int) -> StreamID {
    // Few different places, so that many stand behind each other.
    StreamID(high: UInt64(number), low: UInt64(number % 7))
  }
  static func instant(_ seconds: Int) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(seconds) * 1_000_000_000)
  }

  @Test func `a random life agrees with a dictionary`() {
    var random = SeededGenerator(1)
    var table = StreamTable<NumberState>(
      StreamLimits(streams: 200, bytes: .max, staleness: .seconds(50)))
    var model: [Int: (value: Int, seen: Int)] = [:]
    for now in 0..<20_000 {
      table.expire(now: Self.instant(now))
      model = model.filter { now - $0.value.seen <= 50 }
      let key = random.below(120)
      switch random.below(10) {
      case 0:
        if let oldest = model.min(by: { $0.value.seen < $1.value.seen })?.key { model[oldest] = nil }
        table.removeOldest()
      default:
        if let place = table.find(Self.id(key)) {
          let before = table.update(place, now: Self.instant(now)) { state in
            defer { state = NumberState(value: now, extraBytes: now % 5) }
            return state.value
          }
          #expect(model[key]?.value == before)
        } else {
          #expect(model[key] == nil)
          table.insert(Self.id(key), NumberState(value: now, extraBytes: now % 5), now: Self.instant(now))
        }
        model[key] = (now, now)
      }
      #expect(table.count == model.count)
    }
    for (key, entry) in model {
      let place = table.find(Self.id(key))
      #expect(place != nil)
      if let place { #expect(table.update(place, now: Self.instant(20_000)) { $0.value } == entry.value) }
    }
    while table.removeOldest() {}
    #expect(table.footprint == 0)
  }

  @Test func `room is told by streams and by bytes`() {
    var table = StreamTable<NumberState>(StreamLimits(streams: 2, bytes: 1000, staleness: nil))
    #expect(!table.hasRoom(for: NumberState(value: 1, extraBytes: 1000)))
    table.insert(Self.id(1), NumberState(value: 1), now: Self.instant(0))
    table.insert(Self.id(2), NumberState(value: 1), now: Self.instant(0))
    #expect(!table.hasRoom(for: NumberState(value: 1)))
  }
}
