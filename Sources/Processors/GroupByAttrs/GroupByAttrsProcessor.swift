package import ConfigSchema
package import PipelineKit
package import TelemetryData

/// Moves attributes of items to their resources, and joins what has equal resources.
///
/// Spans, log records and data points go to a resource that has their values of the keys; without keys, equal resources,
/// scopes and metrics of a batch become one. Nothing is lost on the way: resources and scopes are equal only if all
/// their fields are, metrics only if nothing but their points differs.
package struct GroupByAttrsProcessor: InlineProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "groupbyattrs", summary: "Moves attributes to resources, and joins what has equal ones.")

  /// The settings of the `groupbyattrs` processor.
  package struct Config: ConfigGroup {
    package var keys: [String] = []
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "keys", \.keys,
        "The attributes of spans, log records and data points that move to resources; without any, equal resources are "
          + "joined.")
    ]

    package func check(_ checker: inout ConfigChecker) {
      if Set(keys).count < keys.count { checker.warning(\.keys, "names an attribute twice") }
      if keys.contains("") { checker.warning(\.keys, "names an attribute without a name, which is left out") }
    }
  }

  private let keys: [[UInt8]]
  private let meters: [Signal: GroupingMeters]

  package init(config: Config, context: ComponentContext) {
    var seen: Set<String> = [""]
    keys = config.keys.filter { seen.insert($0).inserted }.map { [UInt8]($0.utf8) }
    var meters: [Signal: GroupingMeters] = [:]
    for signal in context.signals { meters[signal] = GroupingMeters(context, signal) }
    self.meters = meters
  }

  package func process(_ batch: Batch) -> Batch? {
    var grouping = Grouping(batch, keys: keys)
    // One resource with one scope has nothing to be joined.
    let isOne = batch.resourceCount <= 1 && batch.scopeCount <= 1 && batch.signal != .metrics
    if isOne, keys.isEmpty {
      meters[batch.signal]?.grouped(0, of: batch.itemCount, groups: batch.resourceCount)
      return batch
    }
    grouping.run()
    meters[batch.signal]?.grouped(grouping.movedCount, of: batch.itemCount, groups: grouping.groups.count)
    if isOne, grouping.movedCount == 0 { return batch }
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on as it came.
    return (try? grouping.written()) ?? batch
  }
}

/// The processor's metrics about itself, under the Collector's names.
struct GroupingMeters: Sendable {
  private let grouped: SelfMetricCell
  private let others: SelfMetricCell
  private let groups: SelfMetricHistogram

  private static let bounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000]

  init(_ context: ComponentContext, _ signal: Signal) {
    let (many, one) =
      switch signal {
      case .traces: ("spans", "span")
      case .logs: ("logs", "log")
      case .metrics: ("metrics", "metric")
      }
    let labels = [(name: "processor", value: context.id.description)]
    grouped = context.metrics.counter(
      "otelcol_processor_groupbyattrs_num_grouped_\(many)", help: "Items of which attributes were moved.",
      labels: labels)
    others = context.metrics.counter(
      "otelcol_processor_groupbyattrs_num_non_grouped_\(many)",
      help: "Items that have none of the attributes.",
      labels: labels)
    groups = context.metrics.histogram(
      "otelcol_processor_groupbyattrs_\(one)_groups", bounds: Self.bounds,
      help: "Resources that a batch had afterwards.", labels: labels)
  }

  func grouped(_ count: Int, of all: Int, groups resources: Int) {
    grouped.add(count)
    others.add(all - count)
    groups.record(resources)
  }
}
