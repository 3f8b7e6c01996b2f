import SeededRandom
import TelemetryData
import Testing

struct BatchSplitTests {
  /// A batch of a generated model, its fields shuffled among unknown ones.
  static func disturbed(_ model: Model, _ generator: inout SeededGenerator) throws -> Batch {
    var tree = try WireTree(model.batch().bytes, as: .request(model.signal))
    tree.disturb(&generator)
    return try Batch(bytes: tree.encoded(), signal: model.signal)
  }

  @Test(arguments: Signal.allCases, 0..<25)
  func `parts hold all items in order, with their headers, and no more than asked for`(
    signal: Signal, seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed)
    let model = generator.model(signal)
    let batch = try Self.disturbed(model, &generator)
    for limit in [1, 2, 3, 7, 1000] {
      let parts = batch.split(maxItems: limit)
      var rows: [Model.Row] = []
      for part in parts {
        if parts.count > 1 { #expect(part.itemCount <= limit && part.itemCount > 0) }
        let checked = try Batch(bytes: part.bytes, signal: signal, validation: .structure)
        #expect(checked.itemCount == part.itemCount)
        rows += Model(part).rows
      }
      let isSame = rows == model.rows
      #expect(isSame)
      #expect(parts.count == max(1, (batch.itemCount + limit - 1) / limit))
    }
  }

  @Test(arguments: Signal.allCases, 0..<25)
  func `merging equals concatenation, index included`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(100 + seed)
    let models = (0..<4).map { _ in generator.model(signal) }
    let batches = try models.map { try Self.disturbed($0, &generator) }
    let merged = try Batch.merging(batches, signal: signal)
    #expect(merged.bytes == batches.flatMap(\.bytes))
    #expect(merged.itemCount == batches.reduce(0) { $0 + $1.itemCount })
    var expected = Model(signal: signal)
    expected.resources = models.flatMap(\.resources)
    #expect(Model(merged) == expected)
    #expect(Model(try Batch.merging(merged.split(maxItems: 2), signal: signal)).rows == expected.rows)
  }

  @Test func `merging nothing gives an empty batch and one batch is returned as it is`() throws {
    #expect(try Batch.merging([], signal: .logs).itemCount == 0)
    var generator = SeededGenerator(5)
    let batch = generator.model(.logs).batch()
    #expect(try Batch.merging([batch], signal: .logs).bytes == batch.bytes)
  }

  @Test(arguments: Signal.allCases, 0..<25)
  func `selected items keep their bytes, and scopes and resources that lose all are dropped`(
    signal: Signal, seed: UInt64
  ) throws {
    var generator = SeededGenerator(200 + seed)
    let model = generator.model(signal)
    let batch = try Self.disturbed(model, &generator)
    var kept = ItemSet(capacity: batch.recordCount)
    for item in 0..<batch.recordCount where generator.chance(40) { kept.insert(item) }
    let selected = batch.selecting(kept)
    #expect(Model(selected) == model.selecting { kept.contains($0) })
    let expected = (0..<batch.recordCount).filter(kept.contains).map { itemBytes(batch, $0) }
    #expect((0..<selected.recordCount).map { itemBytes(selected, $0) } == expected)
    _ = try Batch(bytes: selected.bytes, signal: signal, validation: .structure)
  }

  @Test(arguments: 0..<25)
  func `selected data points leave metrics with the rest`(seed: UInt64) throws {
    var generator = SeededGenerator(300 + seed)
    let model = generator.model(.metrics)
    let batch = try Self.disturbed(model, &generator)
    var kept = ItemSet(capacity: batch.itemCount)
    for point in 0..<batch.itemCount where generator.chance(50) { kept.insert(point) }
    let selected = batch.selectingPoints(kept)
    let rows = model.rows
    #expect(Model(selected).rows == rows.indices.filter(kept.contains).map { rows[$0] })
    #expect(selected.itemCount == kept.count)
  }

  @Test func `splitting keeps unknown fields of every header and item`() throws {
    var generator = SeededGenerator(9)
    for _ in 0..<8 {
      let model = generator.model(.metrics)
      let batch = try Self.disturbed(model, &generator)
      let before = try WireTree(batch.bytes, as: .request(.metrics)).unknownFields
      let merged = try Batch.merging(batch.split(maxItems: 1), signal: .metrics)
      let after = try WireTree(merged.bytes, as: .request(.metrics)).unknownFields
      if batch.itemCount == 0 { continue }
      let all = Set(after)
      // Headers without items are dropped with what is in them; whatever surrounds an item must be there.
      // Beside resources, fields go with the part before them.
      let selected = batch.selecting(where: { !batch.index.points(ofMetric: $0).isEmpty })
      var tree = try WireTree(selected.bytes, as: .request(.metrics))
      tree.fields.removeAll { $0.number == WireTree.unknown }
      let missing = tree.unknownFields.count { !all.contains($0) }
      #expect(missing == 0)
      let inventsNone = Set(before).isSuperset(of: all)
      #expect(inventsNone)
    }
  }

  @Test func `a set of items counts, inverts and finds`() {
    var set = ItemSet(capacity: 70)
    #expect(set.isEmpty)
    set.insert(3)
    set.insert(69)
    #expect(set.count == 2 && set.contains(69) && !set.contains(68))
    #expect(set.containsAny(of: 4..<70) && !set.containsAny(of: 4..<69))
    #expect(set.inverted().count == 68)
    set.remove(3)
    #expect(set.count == 1)
    #expect(ItemSet(capacity: 70, all: true).count == 70)
    #expect(ItemSet(capacity: 64, all: true).count == 64)
    #expect(ItemSet(capacity: 0, all: true).count == 0)
  }
}

/// The message of an item.
func itemBytes(_ batch: Batch, _ position: Int) -> [UInt8] {
  Array(batch.bytes[batch.index.items[position].payload.range])
}
