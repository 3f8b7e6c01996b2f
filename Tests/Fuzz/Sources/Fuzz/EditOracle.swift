import TelemetryData
import WireFormat

/// What must hold for edits of an accepted batch.
enum EditOracle {
  static func check(_ batch: Batch) throws {
    let victim = batch.firstAttributeKey ?? "absent"
    if victim == "fuzz.text" || victim == "fuzz.number" { return }
    var actions = AttributeActions()
    actions.upsert("fuzz.text", "Grüße")
    actions.upsert("fuzz.number", .int(-7))
    actions.delete(victim)

    let once = try edit(batch) { editor in
      editor.applyToItems(actions)
      editor.applyToResources(actions)
    }
    try checkAttributes(once, without: victim)
    let twice = try edit(once) { editor in
      editor.applyToItems(actions)
      editor.applyToResources(actions)
    }
    try require(twice.bytes == once.bytes, "the same edit changed something the second time")

    let single = try edit(batch) { editor in
      for target in batch.editTargets {
        editor.upsert("fuzz.text", "first", on: target)
        editor.delete(victim, on: target)
        editor.upsert("fuzz.text", "Grüße", on: target)
        editor.upsert("fuzz.number", .int(-7), on: target)
      }
      for scope in 0..<batch.scopeCount { editor.setScopeName("fuzz", at: scope) }
    }
    try checkAttributes(single, without: victim)
    for position in 0..<single.scopeCount {
      try require(single.scope(at: position).name == "fuzz", "scope \(position) was not renamed")
    }

    let dropped = try edit(batch, keepsItems: false) { editor in
      for record in stride(from: 0, to: batch.recordCount, by: 2) { editor.deleteItem(record) }
      for record in 0..<batch.recordCount {
        for place in batch.dataPoints(ofMetric: record).prefix(1) { editor.deleteDataPoint(place) }
      }
      for target in batch.editTargets { editor.upsert("fuzz.text", "Grüße", on: target) }
    }
    try require(dropped.recordCount <= batch.recordCount / 2, "deleted records are still there")
  }

  private static func edit(
    _ batch: Batch, keepsItems: Bool = true, _ body: (inout BatchEditor) -> Void
  ) throws -> Batch {
    let edited = try demand("edit") {
      var editor = BatchEditor(batch)
      body(&editor)
      return try editor.finish()
    }
    try WireOracle.checkAgain(edited, after: "edit")
    if keepsItems {
      try require(
        edited.itemCount == batch.itemCount, "an edit left \(edited.itemCount) of \(batch.itemCount)")
      try require(edited.recordCount == batch.recordCount, "an edit lost records")
    }
    return edited
  }

  private static func checkAttributes(_ batch: Batch, without victim: String) throws {
    try batch.forEachAttributes { (attributes) throws in
      var texts = 0
      var iterator = attributes.makeIterator()
      while let attribute = iterator.next() {
        try require(!(attribute.key == victim), "a deleted attribute is still there")
        if attribute.key == "fuzz.text" { texts += 1 }
      }
      try require(texts == 1, "an upsert left \(texts) attributes")
      try require(attributes.first("fuzz.text")?.string == "Grüße", "an upsert left a wrong text")
      try require(attributes.first("fuzz.number")?.int == -7, "an upsert left a wrong number")
    }
  }
}

extension Batch {
  /// Everything that has attributes, scopes apart.
  var editTargets: [EditTarget] {
    var targets = (0..<resourceCount).map(EditTarget.resource)
    for record in 0..<recordCount {
      if signal == .metrics {
        targets += dataPoints(ofMetric: record).map(EditTarget.dataPoint)
      } else {
        targets.append(.item(record))
      }
    }
    return targets
  }

  func attributes(of target: EditTarget) -> Attributes {
    switch target {
    case .resource(let position): resource(at: position).attributes.values
    case .scope(let position): scope(at: position).attributes.values
    case .item(let position):
      RepeatedView<AttributeView>(item(at: position), signal == .traces ? 9 : 6).values
    case .dataPoint(let place):
      RepeatedView<AttributeView>(WireMessage(bytes.span, place.payload), place.kind.attributesField).values
    }
  }

  func forEachAttributes(_ body: (AttributesView) throws -> Void) throws {
    for target in editTargets {
      switch target {
      case .resource(let position): try body(resource(at: position).attributes)
      case .scope(let position): try body(scope(at: position).attributes)
      case .item(let position): try body(RepeatedView(item(at: position), signal == .traces ? 9 : 6))
      case .dataPoint(let place):
        try body(RepeatedView(WireMessage(bytes.span, place.payload), place.kind.attributesField))
      }
    }
  }

  /// The key of the first attribute of the first target that has one.
  var firstAttributeKey: String? {
    for target in editTargets {
      if let first = attributes(of: target).entries.first { return first.key }
    }
    return nil
  }
}
