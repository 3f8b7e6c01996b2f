package import PipelineKit
package import TelemetryData

/// Takes secrets out of attributes and bodies: attributes that are not allowed are removed, values that match are
/// masked or hashed.
///
/// Resources, scopes, spans with their events, log records with their bodies, and data points are looked at.
package struct RedactionProcessor: InlineProcessor {
  package typealias Config = RedactionConfig

  package static let descriptor = ComponentDescriptor(
    type: "redaction",
    summary: "Removes attributes that are not allowed, and masks or hashes values that match.")

  private let redactor: Redactor

  package init(config: RedactionConfig, context: ComponentContext) { redactor = Redactor(config) }

  package func process(_ batch: Batch) -> Batch? {
    var editor = BatchEditor(batch)
    var sheet = AttributeSheet()
    var tally = RedactionTally(redactor.summary)
    for position in 0..<batch.resourceCount {
      redact(.resource(position), &editor, &sheet, &tally)
      for scopePosition in batch.resource(at: position).scopes {
        redact(.scope(scopePosition), &editor, &sheet, &tally)
        for item in batch.scope(at: scopePosition).items {
          switch batch.signal {
          case .traces:
            redact(.item(item), &editor, &sheet, &tally)
            editor.rewriteEventAttributes(ofSpan: item, using: &sheet) { redactor.redact(&$0, &tally) }
          case .logs: redact(logRecord: item, of: batch, &editor, &sheet, &tally)
          case .metrics:
            for point in batch.dataPoints(ofMetric: item) {
              redact(.dataPoint(point), &editor, &sheet, &tally)
            }
          }
        }
      }
    }
    if editor.isEmpty { return batch }
    // A result beyond 4 GiB cannot be addressed; what holds secrets does not go on in its place.
    return try? editor.finish()
  }

  private func redact(
    _ target: EditTarget, _ editor: inout BatchEditor, _ sheet: inout AttributeSheet,
    _ tally: inout RedactionTally
  ) {
    editor.rewriteAttributes(of: target, using: &sheet) { redactor.redact(&$0, &tally) }
  }

  private func redact(
    logRecord position: Int, of batch: Batch, _ editor: inout BatchEditor, _ sheet: inout AttributeSheet,
    _ tally: inout RedactionTally
  ) {
    var bodyTally = RedactionTally(redactor.summary)
    var body: AnyValue?
    if let view = batch.logRecord(at: position).body { body = redactor.redact(body: view, &bodyTally) }
    editor.rewriteAttributes(of: .item(position), using: &sheet) { sheet in
      redactor.redact(&sheet, &tally)
      bodyTally.write("redaction.body", to: &sheet)
    }
    if let body { editor.setLogBody(body, at: position) }
  }
}
