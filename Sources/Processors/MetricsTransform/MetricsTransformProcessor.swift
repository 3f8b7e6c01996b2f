package import ConfigSchema
internal import Logging
package import PipelineKit
package import TelemetryData
internal import WireFormat

/// Renames metrics, changes their attributes and values, and makes one data point or metric of several.
///
/// It works within one batch: data points that come in different batches do not become one. Metrics that no transform
/// means go on as they are, byte for byte.
package struct MetricsTransformProcessor: InlineProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "metrics_transform", deprecatedTypes: ["metricstransform"], signals: [.metrics],
    summary: "Renames metrics, changes their attributes and values, and adds them up.")

  /// The settings of the `metrics_transform` processor.
  package struct Config: ConfigGroup {
    package var transforms: [MetricTransformConfig] = []
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "transforms", \.transforms,
        "What is done with metrics, one after the other: a later transform sees what earlier ones made.",
        check: .nonEmpty, required: true)
    ]
  }

  private let transforms: [MetricTransform]
  private let log: RateLimitedLog

  package init(config: Config, context: ComponentContext) throws {
    transforms = try config.transforms.map { try MetricTransform($0) }
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  package func process(_ batch: Batch) -> Batch? {
    let outcomes = (0..<batch.scopeCount).map { outcome(ofScope: $0, in: batch) }
    if outcomes.allSatisfy({ $0 == nil }) { return batch }
    var scope = 0
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on as it came.
    let result = try? batch.rewritingItems { position, writer in
      while !batch.index.items(ofScope: scope).contains(position) { scope += 1 }
      guard let outcome = outcomes[scope] else { return .kept }
      guard let metric = outcome.originals[position] else { return .removed }
      if !metric.isChanged { return .kept }
      metric.write(to: &writer, from: batch)
      return .written
    } appending: { scope, writer in
      for metric in outcomes[scope]?.added ?? [] {
        writer.message(2) { metric.write(to: &$0, from: batch) }
      }
    } trailing: { writer in
      for (scope, outcome) in outcomes.enumerated() {
        for group in outcome?.groups ?? [] { write(group, of: scope, in: batch, to: &writer) }
      }
    }
    return result ?? batch
  }

  /// Metrics that move to a resource of their own.
  private struct Group {
    let labels: [Attribute]
    let metrics: [EditedMetric]
  }

  /// What the transforms made of the metrics of a scope.
  private struct ScopeOutcome {
    /// Those of the batch that are left, by position.
    var originals: [Int: EditedMetric] = [:]
    var added: [EditedMetric] = []
    var groups: [Group] = []
  }

  /// Nil when no transform means any metric of the scope.
  private func outcome(ofScope scope: Int, in batch: Batch) -> ScopeOutcome? {
    let items = batch.index.items(ofScope: scope)
    let isConcerned = items.contains { item in
      let name = batch.metric(at: item).name
      for transform in transforms where transform.concerns(name: name.span) { return true }
      return false
    }
    if !isConcerned { return nil }
    var metrics = items.map { EditedMetric($0, in: batch) }
    var outcome = ScopeOutcome()
    for transform in transforms {
      let taken = transform.apply(to: &metrics, in: batch) { problem in
        log.log(
          .warning, "metrics cannot be combined: \(problem.reason)",
          metadata: ["first": "\(problem.first)", "second": "\(problem.second)"])
      }
      if let taken, !taken.isEmpty {
        outcome.groups.append(Group(labels: transform.resourceLabels, metrics: taken))
      }
    }
    for metric in metrics {
      if metric.isOriginal { outcome.originals[metric.source] = metric } else { outcome.added.append(metric) }
    }
    return outcome
  }

  /// Writes a resource with the attributes of another and some more, and in it one scope with metrics.
  private func write(_ group: Group, of scope: Int, in batch: Batch, to writer: inout WireWriter) {
    let resource = batch.resource(at: Int(batch.index.scopes[scope].resource))
    let scope = batch.scope(at: scope)
    writer.message(1) { writer in
      writer.message(1) { writer in
        var cursor = resource.message.fields
        while let field = cursor.nextField() {
          if field.tag == .lengthDelimited(1) {
            let key = AttributeView(WireMessage(resource.message.bytes, field.value)).key.string
            if group.labels.contains(where: { $0.key == key }) { continue }
          }
          writer.write(resource.message.bytes, in: field.range)
        }
        writer.attributeFields(1, Attributes(group.labels))
      }
      writer.message(2) { writer in
        writer.message(1) { $0.copyFields(of: scope.message, except: []) }
        for metric in group.metrics { writer.message(2) { metric.write(to: &$0, from: batch) } }
        if !scope.schemaURL.isEmpty { writer.bytesField(3, scope.schemaURL.span) }
      }
      if !resource.schemaURL.isEmpty { writer.bytesField(3, resource.schemaURL.span) }
    }
  }
}
