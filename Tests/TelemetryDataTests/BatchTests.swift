import SeededRandom
import TelemetryData
import Testing
import WireFormat

struct BatchTests {
  @Test(arguments: Signal.allCases, 0..<15)
  func `what the builder writes the views read`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let model = generator.model(signal)
    let batch = model.batch()
    #expect(Model(batch) == model)
    #expect(batch.itemCount == model.rows.count)
    let checked = try Batch(bytes: batch.bytes, signal: signal, validation: .structure)
    #expect(checked.itemCount == batch.itemCount)
    #expect(checked.byteCount == batch.bytes.count)
  }

  @Test(arguments: Signal.allCases)
  func `an empty batch has no items and no bytes`(signal: Signal) throws {
    let batch = Batch(signal: signal)
    #expect(batch.itemCount == 0 && batch.byteCount == 0 && batch.isEmpty)
    #expect(try Batch(bytes: [], signal: signal).itemCount == 0)
  }

  @Test(arguments: Signal.allCases, 0..<30)
  func `fields may stand in any order among unknown ones`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(1000 + seed)
    let model = generator.model(signal)
    var tree = try WireTree(model.batch().bytes, as: .request(signal))
    tree.disturb(&generator)
    let batch = try Batch(bytes: tree.encoded(), signal: signal)
    // Reordering top-level and repeated fields keeps the order among equals, so the model is the same.
    #expect(Model(batch) == model)
    #expect(batch.itemCount == model.rows.count)
  }

  @Test(arguments: Signal.allCases, 0..<3)
  func `a truncated request is refused or ends between resources`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(2000 + seed)
    var bytes: [UInt8] = []
    while !(300...1500).contains(bytes.count) { bytes = generator.model(signal).batch().bytes }
    var boundaries: Set<Int> = [0]
    var cursor = WireCursor(bytes.span)
    while let field = try cursor.readField() { boundaries.insert(field.range.upperBound) }
    for length in 0..<bytes.count {
      for validation in [BatchValidation.framing, .structure] {
        do throws(WireError) {
          _ = try Batch(bytes: Array(bytes[..<length]), signal: signal, validation: validation)
          #expect(boundaries.contains(length))
        } catch {
          #expect(!boundaries.contains(length))
          #expect((0...length).contains(error.offset))
        }
      }
    }
  }

  @Test(arguments: Signal.allCases, 0..<6)
  func `damaged bytes are refused or read without trapping`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(3000 + seed)
    let original = generator.model(signal).batch().bytes
    if original.isEmpty { return }
    for _ in 0..<30 {
      var bytes = original
      for _ in 0...generator.below(3) {
        bytes[generator.below(bytes.count)] = UInt8.random(in: 0...255, using: &generator)
      }
      guard let batch = try? Batch(bytes: bytes, signal: signal, validation: .framing) else { continue }
      let isSound = (try? Batch(bytes: bytes, signal: signal, validation: .structure)) != nil
      let model = Model(batch)
      let parts = batch.split(maxItems: 2)
      #expect(parts.reduce(0) { $0 + $1.itemCount } == batch.itemCount)
      if isSound {
        #expect(
          try Batch(bytes: Batch.merging(parts, signal: signal).bytes, signal: signal).itemCount
            == batch.itemCount)
      }
      var editor = BatchEditor(batch)
      var actions = AttributeActions()
      actions.upsert("key.0", "x")
      actions.delete("key.1")
      editor.applyToItems(actions)
      editor.applyToResources(actions)
      let edited = try editor.finish()
      #expect(edited.itemCount == batch.itemCount)
      #expect(Model(edited).resources.count == model.resources.count)
    }
  }

  @Test func `values nested too deeply are refused without overflowing the stack`() {
    for nesting in [[5, 1], [6, 1, 2]] {
      // Written from the inside out, last byte first.
      var reversed: [UInt8] = [0x01, 0x10]
      for _ in 0..<10_000 {
        for number in nesting.reversed() {
          let header = WireTree.encode(UInt64(number) << 3 | 2) + WireTree.encode(UInt64(reversed.count))
          reversed += header.reversed()
        }
      }
      let value = [UInt8](reversed.reversed())
      let bytes = field(1, field(2, field(2, field(5, value))))
      #expect(throws: WireError.self) { try Batch(bytes: bytes, signal: .logs) }
      do throws(WireError) {
        _ = try Batch(bytes: bytes, signal: .logs)
      } catch {
        #expect(error.reason == .tooDeep)
      }
    }
  }

  @Test func `values of 60 levels are accepted and read`() throws {
    var value = AnyValue.int(7)
    for _ in 0..<60 { value = .array([value]) }
    var builder = BatchBuilder(.logs)
    builder.add(LogRecordValue(body: value))
    let batch = try Batch(bytes: builder.finish().bytes, signal: .logs)
    #expect(Model(batch).rows.map(\.item) == [.logRecord(LogRecordValue(body: value))])
  }

  @Test func `not-a-number keeps its bits`() throws {
    let bits: UInt64 = 0x7FF8_0000_0000_0123
    var builder = BatchBuilder(.logs)
    builder.add(LogRecordValue(body: .double(Double(bitPattern: bits))))
    let batch = try Batch(bytes: builder.finish().bytes, signal: .logs)
    let body = try #require(Model(batch).rows.first)
    guard case .logRecord(let record) = body.item, case .double(let value) = record.body else {
      Issue.record("not a double")
      return
    }
    #expect(value.bitPattern == bits)
  }

  @Test func `an empty value and a missing one differ`() throws {
    var builder = BatchBuilder(.logs)
    builder.add(LogRecordValue(body: .string("")))
    builder.add(LogRecordValue(body: .empty))
    builder.add(LogRecordValue())
    let batch = builder.finish()
    #expect(batch.logRecord(at: 0).body?.kind == .string)
    #expect(batch.logRecord(at: 1).body?.kind == .empty)
    #expect(batch.logRecord(at: 2).body?.kind == nil)
  }
}

/// A length-delimited field.
func field(_ number: UInt32, _ content: [UInt8]) -> [UInt8] {
  var writer = WireWriter(capacity: content.count + 16)
  writer.bytesField(number, content)
  return writer.finish()
}
