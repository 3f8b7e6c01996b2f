internal import ConfigSchema
internal import LogData

/// The configured attributes of records and resources whose values are expressions.
struct ComputedAttributes {
  private let items: [(path: FieldPath, text: TextWithExpressions)]
  private let meters: LogInputMeters

  init(_ config: LogInputConfig, _ meters: LogInputMeters) {
    items =
      Self.items(config.attributes, below: .attributes) + Self.items(config.resource, below: .resource)
    self.meters = meters
  }

  private static func items(
    _ map: ConfigMap<TextWithExpressions>, below root: FieldPath.Root
  ) -> [(path: FieldPath, text: TextWithExpressions)] {
    map.filter { $0.value.constant == nil }.map { (FieldPath(root, [$0.key]), $0.value) }
  }

  var isEmpty: Bool { items.isEmpty }

  /// Sets them; one that cannot be computed is left out, and told.
  func set(on entry: inout LogEntry) {
    for item in items {
      do throws(LogOperatorError) {
        try entry.set(item.text.value(for: &entry, meters.operatorContext.environment), at: item.path)
      } catch {
        meters.failed("\(item.path)", error)
      }
    }
  }
}
