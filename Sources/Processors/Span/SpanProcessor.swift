internal import NativeCodecs
package import PipelineKit
package import TelemetryData

/// Makes names of spans from attributes, takes attributes out of names, and sets the status.
package struct SpanProcessor: InlineProcessor {
  package typealias Config = SpanConfig

  package static let descriptor = ComponentDescriptor(
    type: "span", signals: [.traces],
    summary: "Makes names of spans from attributes and attributes from names, and sets the status.")

  package static func problem(of config: SpanConfig, carrying signals: [Signal]) -> String? {
    for properties in [config.include, config.exclude].compactMap(\.self) {
      if let problem = properties.problem(carrying: signals) { return problem }
    }
    return nil
  }

  private let naming: SpanNaming
  private let status: StatusValue?
  private let matcher: ItemMatcher?

  package init(config: SpanConfig, context: ComponentContext) throws {
    naming = SpanNaming(config.name)
    status = config.status.map { status in
      switch status.code {
      case .ok: StatusValue(code: 1)
      case .error: StatusValue(message: status.description, code: 2)
      case .unset, nil: StatusValue()
      }
    }
    matcher = try ItemMatcher(include: config.include, exclude: config.exclude)
  }

  package func process(_ batch: Batch) -> Batch? {
    guard batch.signal == .traces else { return batch }
    var editor = BatchEditor(batch)
    var sheet = AttributeSheet()
    var match = PatternMatch()
    let matching = matcher?.matches(in: batch)
    for position in 0..<batch.recordCount {
      if let matching, !matching.contains(position) { continue }
      let outcome = naming.outcome(for: batch.span(at: position), &match)
      if !outcome.attributes.isEmpty {
        editor.rewriteAttributes(of: .item(position), using: &sheet) { sheet in
          for (key, value) in outcome.attributes {
            let value = AnyValue.string(String(decoding: value, as: UTF8.self))
            if let target = sheet.position(of: key.span) {
              sheet.set(value, at: target)
            } else {
              sheet.append(key.span, value)
            }
          }
        }
      }
      if let name = outcome.name {
        editor.setSpanName(String(decoding: name, as: UTF8.self), at: position)
      }
      if let status { editor.setSpanStatus(status.code == 0 ? nil : status, at: position) }
    }
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on as it came.
    return editor.isEmpty ? batch : (try? editor.finish()) ?? batch
  }
}
