internal import PipelineKit
internal import TelemetryData

/// What one or several `attributes` and `resource` processors in a row do to a batch, in one rewrite of it.
struct AttributeEdits: Sendable {
  /// The work of one processor on items, or of several that are not told apart.
  struct ItemStep: Sendable {
    let matcher: ItemMatcher?
    let program: AttributeProgram
  }
  private var items: [ItemStep] = []
  private var resources: AttributeProgram?

  /// Edits of items, of those that `matcher` lets through.
  init(items program: AttributeProgram, matcher: ItemMatcher?) {
    items = [ItemStep(matcher: matcher, program: program)]
  }

  /// Edits of resources.
  init(resources program: AttributeProgram) { resources = program }

  /// These edits and then others; nil where the others look at what these change.
  func followed(by other: AttributeEdits) -> AttributeEdits? {
    for step in other.items {
      guard let matcher = step.matcher else { continue }
      if matcher.readsAttributes, !items.isEmpty { return nil }
      if matcher.readsResources, resources != nil { return nil }
    }
    var joined = self
    if let program = other.resources {
      joined.resources = resources.map { $0.followed(by: program) } ?? program
    }
    for step in other.items {
      if step.matcher == nil, let last = joined.items.last, last.matcher == nil {
        joined.items[joined.items.count - 1] = ItemStep(
          matcher: nil, program: last.program.followed(by: step.program))
      } else {
        joined.items.append(step)
      }
    }
    return joined
  }

  func apply(to batch: Batch, metadata: RequestMetadata?) -> Batch {
    var editor = BatchEditor(batch)
    if let program = resources?.resolved(metadata) { Self.edit(&editor, resourcesWith: program) }
    let steps = items.map { ItemStep(matcher: $0.matcher, program: $0.program.resolved(metadata)) }
    if steps.count == 1, let actions = steps[0].program.constant {
      editor.applyToItems(actions, of: steps[0].matcher?.matches(in: batch))
    } else if !steps.isEmpty {
      Self.edit(&editor, itemsWith: steps)
    }
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on as it came.
    return editor.isEmpty ? batch : (try? editor.finish()) ?? batch
  }

  private static func edit(_ editor: inout BatchEditor, resourcesWith program: AttributeProgram) {
    if let actions = program.constant {
      editor.applyToResources(actions)
      return
    }
    var sheet = AttributeSheet()
    for position in 0..<editor.batch.resourceCount {
      editor.rewriteAttributes(of: .resource(position), using: &sheet) { program.run(on: &$0) }
    }
  }

  private static func edit(_ editor: inout BatchEditor, itemsWith steps: [ItemStep]) {
    let batch = editor.batch
    let matches = steps.map { $0.matcher?.matches(in: batch) }
    var sheet = AttributeSheet()
    for item in 0..<batch.recordCount {
      var isTouched = false
      for match in matches where match?.contains(item) ?? true { isTouched = true }
      if !isTouched { continue }
      let targets: [EditTarget] =
        batch.signal == .metrics ? batch.dataPoints(ofMetric: item).map { .dataPoint($0) } : [.item(item)]
      for target in targets {
        editor.rewriteAttributes(of: target, using: &sheet) { sheet in
          for (step, match) in zip(steps, matches) where match?.contains(item) ?? true {
            step.program.run(on: &sheet)
          }
        }
      }
    }
  }
}

/// A processor that is nothing but edits of attributes, so that several in a row can be one.
protocol AttributeEditing {
  var edits: AttributeEdits { get }
}
