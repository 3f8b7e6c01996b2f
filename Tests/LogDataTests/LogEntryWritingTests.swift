import SeededRandom
import TelemetryData
import Testing
import WireFormat

@testable import LogData

@Suite struct LogEntryWritingTests {
  /// Attributes one by one as the views read them.
  @Test func `attributes of every kind and length are read back`() throws {
    var random = SeededGenerator(5)
    for _ in 0..<300 {
      var entry = LogEntry()
      for number in 0..<random.below(6) {
        // Lengths around those at which a length takes another byte and a copy another way.
        let text = String(
          repeating: "x", count: random.pick([0, 1, 7, 15, 16, 17, 40, 126, 127, 128, 300, 20_000]))
        let key = entry.add(
          String(repeating: "k", count: random.pick([0, 1, 15, 16, 17, 127, 128])) + "\(number)")
        let value: LogValue
        switch random.below(8) {
        case 0: value = .null
        case 1: value = .bool(random.chance(50))
        case 2: value = .int(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
        case 3: value = .double(Double(random.below(1000)) / 8)
        case 4: value = .bytes(entry.add(text))
        case 5:
          let (list, listValue) = entry.makeList()
          entry.append(entry.string(text), to: list)
          entry.append(.int(-1), to: list)
          value = listValue
        case 6:
          let (map, mapValue) = entry.makeMap()
          entry.append(key: entry.add("inner"), entry.string(text), to: map)
          value = mapValue
        default: value = entry.string(text)
        }
        entry.append(key: key, value, to: .attributes)
      }
      // Nothing may be read behind the end of the arena: the last text ends there.
      entry.body = entry.string("end")
      var writer = LogBatchWriter()
      writer.append(entry)
      let batch = try Batch(bytes: writer.finish().bytes, signal: .logs)
      var slow = WireWriter()
      let mark = slow.beginMessage(2)
      slow.writeSlowly(entry)
      slow.endMessage(mark)
      let expected = slow.finish()
      #expect(Array(batch.bytes.suffix(expected.count)) == expected)
    }
  }
}

extension WireWriter {
  /// The body and the attributes, written with the plain pieces.
  fileprivate mutating func writeSlowly(_ entry: borrowing LogEntry) {
    let body = beginMessage(5)
    writeAnyValue(entry.body, of: entry)
    endMessage(body)
    var position = entry.chains[LogChain.attributes.position].first
    while position >= 0 {
      let slot = entry.slots[Int(position)]
      let mark = beginMessage(6)
      bytesField(1, entry.text(slot.key))
      let value = beginMessage(2)
      writeAnyValue(slot.value, of: entry)
      endMessage(value)
      endMessage(mark)
      position = slot.next
    }
  }
}
