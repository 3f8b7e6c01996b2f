import SeededRandom
import TelemetryData
import Testing

struct BatchEditorTests {
  /// A change of an attribute, and what a dictionary would make of it.
  enum Change: CaseIterable {
    case upsert, insert, update, delete

    func apply(_ key: String, _ value: AnyValue, to attributes: inout Attributes) {
      let position = attributes.entries.firstIndex { $0.key == key }
      switch (self, position) {
      case (.upsert, nil), (.insert, nil): attributes.append(key, value)
      case (.upsert, .some(let position)), (.update, .some(let position)):
        attributes.entries[position].value = value
      case (.delete, .some(let position)): attributes.entries.remove(at: position)
      default: break
      }
    }
  }

  struct Step {
    var change: Change
    var key: String
    var value: AnyValue
  }

  static func steps(_ generator: inout SeededGenerator) -> [Step] {
    (0...generator.below(6)).map { _ in
      Step(
        change: Change.allCases[generator.below(4)], key: "key.\(generator.below(14))",
        value: generator.value(depth: 2))
    }
  }

  static func actions(_ steps: [Step]) -> AttributeActions {
    var actions = AttributeActions()
    for step in steps {
      switch step.change {
      case .upsert: actions.upsert(step.key, step.value)
      case .insert: actions.insert(step.key, step.value)
      case .update: actions.update(step.key, step.value)
      case .delete: actions.delete(step.key)
      }
    }
    return actions
  }

  static func apply(_ step: Step, to target: EditTarget, in editor: inout BatchEditor) {
    switch step.change {
    case .upsert: editor.upsert(step.key, step.value, on: target)
    case .insert: editor.insert(step.key, step.value, on: target)
    case .update: editor.update(step.key, step.value, on: target)
    case .delete: editor.delete(step.key, on: target)
    }
  }

  static func apply(_ steps: [Step], to attributes: inout Attributes) {
    for step in steps { step.change.apply(step.key, step.value, to: &attributes) }
  }

  /// Changes the attributes of every span, log record or data point of a model.
  static func changeAttributes(_ model: inout Model, _ body: (inout Attributes) -> Void) {
    model.changeItems { item in
      switch item {
      case .span(var span):
        body(&span.attributes)
        item = .span(span)
      case .logRecord(var record):
        body(&record.attributes)
        item = .logRecord(record)
      case .metric(var metric):
        switch metric.data {
        case .gauge(var points):
          for index in points.indices { body(&points[index].attributes) }
          metric.data = .gauge(points)
        case .sum(var points, let temporality, let isMonotonic):
          for index in points.indices { body(&points[index].attributes) }
          metric.data = .sum(points, temporality, isMonotonic: isMonotonic)
        case .histogram(var points, let temporality):
          for index in points.indices { body(&points[index].attributes) }
          metric.data = .histogram(points, temporality)
        case .exponentialHistogram(var points, let temporality):
          for index in points.indices { body(&points[index].attributes) }
          metric.data = .exponentialHistogram(points, temporality)
        case .summary(var points):
          for index in points.indices { body(&points[index].attributes) }
          metric.data = .summary(points)
        case nil: break
        }
        item = .metric(metric)
      }
    }
  }

  static func targets(_ batch: Batch) -> [EditTarget] {
    (0..<batch.recordCount).flatMap { item -> [EditTarget] in
      batch.signal == .metrics ? batch.dataPoints(ofMetric: item).map { .dataPoint($0) } : [.item(item)]
    }
  }

  @Test(arguments: Signal.allCases, 0..<30)
  func `compiled actions do to every item what a slow reference does`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    var model = generator.model(signal)
    let batch = try BatchSplitTests.disturbed(model, &generator)
    let unknown = try WireTree(batch.bytes, as: .request(signal)).unknownFields
    let steps = Self.steps(&generator)
    var editor = BatchEditor(batch)
    editor.applyToItems(Self.actions(steps))
    let edited = try editor.finish()
    Self.changeAttributes(&model) { Self.apply(steps, to: &$0) }
    let isSame = Model(edited).sorted == model.sorted
    #expect(isSame)
    #expect(
      try Batch(bytes: edited.bytes, signal: signal, validation: .structure).itemCount == batch.itemCount)
    // Attributes take their unknown fields with them; everything else keeps its own.
    let kept = try WireTree(edited.bytes, as: .request(signal)).unknownFields
    #expect(Set(unknown).isSuperset(of: kept))
  }

  @Test(arguments: Signal.allCases, 0..<30)
  func `single changes add up, whatever the order of visits`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(500 + seed)
    var model = generator.model(signal)
    let batch = try BatchSplitTests.disturbed(model, &generator)
    let steps = Self.steps(&generator)
    var editor = BatchEditor(batch)
    // Every step visits all targets in another order, so that each is visited again after others.
    for step in steps {
      for target in Self.targets(batch).shuffled(using: &generator) {
        Self.apply(step, to: target, in: &editor)
      }
    }
    editor.applyToItems(Self.actions(steps))
    let edited = try editor.finish()
    Self.changeAttributes(&model) { attributes in
      Self.apply(steps, to: &attributes)
      Self.apply(steps, to: &attributes)
    }
    let isSame = Model(edited).sorted == model.sorted
    #expect(isSame)
    _ = try Batch(bytes: edited.bytes, signal: signal, validation: .structure)
  }

  @Test(arguments: Signal.allCases, 0..<30)
  func `resources, scopes and items change together`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(900 + seed)
    var model = generator.model(signal)
    let batch = try BatchSplitTests.disturbed(model, &generator)
    let steps = Self.steps(&generator)
    var editor = BatchEditor(batch)
    editor.applyToItems(Self.actions(steps))
    editor.applyToResources(Self.actions(steps))
    for scope in 0..<batch.scopeCount {
      for step in steps { Self.apply(step, to: .scope(scope), in: &editor) }
      editor.setScopeName("renamed", at: scope)
      editor.setScopeVersion("", at: scope)
    }
    let edited = try editor.finish()
    Self.changeAttributes(&model) { Self.apply(steps, to: &$0) }
    for r in model.resources.indices {
      Self.apply(steps, to: &model.resources[r].value.attributes)
      for s in model.resources[r].scopes.indices {
        Self.apply(steps, to: &model.resources[r].scopes[s].value.attributes)
        model.resources[r].scopes[s].value.name = "renamed"
        model.resources[r].scopes[s].value.version = ""
      }
    }
    let isSame = Model(edited).sorted == model.sorted
    #expect(isSame)
    _ = try Batch(bytes: edited.bytes, signal: signal, validation: .structure)
  }

  @Test func `a missing resource or scope message is made, once`() throws {
    let bytes = field(1, field(2, field(2, [])))
    let batch = try Batch(bytes: bytes, signal: .traces)
    var editor = BatchEditor(batch)
    editor.upsert("a", 1, on: .resource(0))
    editor.upsert("b", 2, on: .resource(0))
    editor.update("a", 3, on: .resource(0))
    editor.insert("a", 4, on: .resource(0))
    editor.delete("c", on: .resource(0))
    editor.setScopeName("s", at: 0)
    editor.upsert("x", "y", on: .scope(0))
    let edited = Model(try editor.finish())
    #expect(edited.resources.first?.value == ResourceValue(attributes: ["a": 3, "b": 2]))
    #expect(edited.resources.first?.scopes.first?.value == ScopeValue(name: "s", attributes: ["x": "y"]))
    var removal = BatchEditor(batch)
    removal.delete("a", on: .resource(0))
    let changesNothing = removal.isEmpty
    #expect(changesNothing)
  }

  @Test func `scalar and string fields are set, replaced and removed`() throws {
    var builder = BatchBuilder(.traces)
    builder.add(SpanValue(name: "old", kind: 2, startTime: 5, status: StatusValue(message: "m", code: 2)))
    builder.add(SpanValue(spanID: [1, 2, 3, 4, 5, 6, 7, 8]))
    let batch = builder.finish()
    var editor = BatchEditor(batch)
    editor.setSpanName("new", at: 0)
    editor.setSpanName("newer", at: 0)
    editor.setSpanKind(3, at: 0)
    editor.setSpanStatus(nil, at: 0)
    editor.setSpanStatus(StatusValue(message: "", code: 1), at: 0)
    editor.setFixed64(7, 0, on: .item(0))
    editor.setBytes(2, [], on: .item(1))
    editor.setSpanName("was empty", at: 1)
    editor.setFixed32(16, 257, on: .item(1))
    let edited = Model(try editor.finish())
    #expect(
      edited.rows.map(\.item) == [
        .span(SpanValue(name: "newer", kind: 3, status: StatusValue(code: 1))),
        .span(SpanValue(flags: 257, name: "was empty")),
      ])
  }

  @Test func `log bodies, severities and metric headers are set`() throws {
    var logs = BatchBuilder(.logs)
    logs.add(LogRecordValue(time: 1, severityNumber: 9, severityText: "INFO", body: "text"))
    var editor = BatchEditor(logs.finish())
    editor.setLogBody(.keyValueList(["key": "value"]), at: 0)
    editor.setLogSeverity(number: 17, text: "", at: 0)
    let record = try #require(Model(try editor.finish()).rows.first)
    #expect(
      record.item
        == .logRecord(LogRecordValue(time: 1, severityNumber: 17, body: .keyValueList(["key": "value"]))))

    var metrics = BatchBuilder(.metrics)
    metrics.add(MetricValue(name: "a", unit: "s", data: .gauge([NumberDataPointValue(value: .int(1))])))
    var second = BatchEditor(metrics.finish())
    second.setMetricName("b", at: 0)
    second.setMetricDescription("d", at: 0)
    second.setMetricUnit("", at: 0)
    #expect(
      Model(try second.finish()).rows.first?.item
        == .metric(
          MetricValue(name: "b", description: "d", data: .gauge([NumberDataPointValue(value: .int(1))]))))
  }

  @Test(arguments: Signal.allCases, 0..<25)
  func `untouched items keep their bytes and deleted ones go`(signal: Signal, seed: UInt64) throws {
    var generator = SeededGenerator(1300 + seed)
    let model = generator.model(signal)
    let batch = try BatchSplitTests.disturbed(model, &generator)
    var editor = BatchEditor(batch)
    var kept: [[UInt8]] = []
    for item in 0..<batch.recordCount {
      switch generator.below(3) {
      case 0: editor.deleteItem(item)
      case 1:
        editor.setString(4000, "touched", on: .item(item))
        kept.append([])
      default: kept.append(itemBytes(batch, item))
      }
    }
    let edited = try editor.finish()
    #expect(edited.recordCount == kept.count)
    for (position, bytes) in kept.enumerated() where !bytes.isEmpty {
      #expect(itemBytes(edited, position) == bytes)
    }
  }

  @Test func `data points are deleted with the metrics they leave empty`() throws {
    var builder = BatchBuilder(.metrics)
    for name in ["a", "b", "c"] {
      builder.add(
        MetricValue(name: name, data: .gauge((0..<3).map { NumberDataPointValue(time: $0, value: .int(1)) })))
    }
    let batch = builder.finish()
    var editor = BatchEditor(batch)
    editor.deleteDataPoint(batch.dataPoints(ofMetric: 0)[1])
    for place in batch.dataPoints(ofMetric: 1) { editor.deleteDataPoint(place) }
    editor.setMetricName("A", at: 0)
    editor.deleteItem(2)
    let edited = try editor.finish()
    #expect(edited.recordCount == 1 && edited.itemCount == 2)
    let points: [NumberDataPointValue] = [0, 2].map { NumberDataPointValue(time: $0, value: .int(1)) }
    #expect(
      Model(edited).resources.first?.scopes.first?.items == [
        .metric(MetricValue(name: "A", data: .gauge(points)))
      ])
  }

  @Test func `of several attributes with one key the first is changed and the others go`() throws {
    var builder = BatchBuilder(.logs)
    builder.add(
      LogRecordValue(attributes: [Attribute("k", 1), Attribute("other", 2), Attribute("k", 3)]))
    let batch = builder.finish()
    var actions = AttributeActions()
    actions.upsert("k", 9)
    var editor = BatchEditor(batch)
    editor.applyToItems(actions)
    #expect(
      Model(try editor.finish()).rows.first?.item
        == .logRecord(LogRecordValue(attributes: ["k": 9, "other": 2])))
    var single = BatchEditor(batch)
    single.delete("k", on: .item(0))
    #expect(
      Model(try single.finish()).rows.first?.item == .logRecord(LogRecordValue(attributes: ["other": 2])))
  }

  @Test func `an editor without changes gives the batch itself`() throws {
    var generator = SeededGenerator(4)
    let batch = generator.model(.traces).batch()
    let editor = BatchEditor(batch)
    #expect(try editor.finish().bytes == batch.bytes)
  }
}

extension Model {
  /// The model with the attributes of resources, scopes, items and data points in the order of their keys,
  /// which is no part of their meaning: deleting and inserting one may move it or not.
  var sorted: Model {
    var model = self
    func sort(_ attributes: inout Attributes) { attributes.entries.sort { $0.key < $1.key } }
    BatchEditorTests.changeAttributes(&model, sort)
    for r in model.resources.indices {
      sort(&model.resources[r].value.attributes)
      for s in model.resources[r].scopes.indices { sort(&model.resources[r].scopes[s].value.attributes) }
    }
    return model
  }
}
