internal import PipelineKit

/// The sampler's metrics about itself, under the Collector's names.
struct TailSamplingMeters {
  /// What one policy said, by ``PolicyDecision``.
  struct Policy {
    fileprivate let traces: [SelfMetricCell]
    fileprivate let spans: [SelfMetricCell]
    /// Attributes of the name that the policy asks for and of another type.
    let wrongTypes: SelfMetricCell

    func count(_ decision: PolicyDecision, traces traceCount: Int, spans spanCount: Int) {
      traces[Int(decision.rawValue)].add(traceCount)
      spans[Int(decision.rawValue)].add(spanCount)
    }
  }

  let newTraces: SelfMetricCell
  let tooEarly: SelfMetricCell
  let tooLarge: SelfMetricCell
  let tracesInMemory: SelfMetricCell
  let bytesInMemory: SelfMetricCell
  let tickMilliseconds: SelfMetricHistogram
  let lateSpanSeconds: SelfMetricHistogram
  let removalSeconds: SelfMetricHistogram
  private let cached: (sampled: SelfMetricCell, notSampled: SelfMetricCell)
  private let decisions: [SelfMetricCell]
  private let metrics: SelfMetrics
  private let id: ComponentID

  private static let prefix = "otelcol_processor_tail_sampling_"
  private static let seconds = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800]
  private static let milliseconds = [
    1, 2, 5, 10, 25, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 2_000, 5_000,
  ]

  init(_ context: ComponentContext) {
    metrics = context.metrics
    id = context.id
    let (metrics, labels) = (context.metrics, [(name: "processor", value: context.id.description)])
    newTraces = metrics.counter(
      Self.prefix + "new_trace_id_received", help: "Traces of which a first span came.", unit: "{traces}",
      labels: labels)
    tooEarly = metrics.counter(
      Self.prefix + "sampling_trace_dropped_too_early",
      help:
        "Traces that were decided about before decision_wait was over, because there was no room for more.",
      unit: "{traces}", labels: labels)
    tooLarge = metrics.counter(
      Self.prefix + "traces_dropped_too_large",
      help: "Traces that were dropped because they were larger than maximum_trace_size_bytes.",
      unit: "{traces}",
      labels: labels)
    tracesInMemory = metrics.gauge(
      Self.prefix + "sampling_traces_on_memory", help: "Traces in memory, decided or not.", unit: "{traces}",
      labels: labels)
    bytesInMemory = metrics.gauge(
      "millrace_tail_sampling_memory_bytes", help: "Memory that traces and their spans take.",
      unit: "By", labels: labels)
    tickMilliseconds = metrics.histogram(
      Self.prefix + "sampling_decision_timer_latency", bounds: Self.milliseconds,
      help: "How long it took to decide about the traces that were due.", unit: "ms", labels: labels)
    lateSpanSeconds = metrics.histogram(
      Self.prefix + "sampling_late_span_age", bounds: Self.seconds,
      help: "How long after the decision spans came.", unit: "s", labels: labels)
    removalSeconds = metrics.histogram(
      Self.prefix + "sampling_trace_removal_age", bounds: Self.seconds,
      help: "How long traces were in memory.", unit: "s", labels: labels)
    func early(_ sampled: String) -> SelfMetricCell {
      metrics.counter(
        Self.prefix + "early_releases_from_cache_decision",
        help: "Spans whose trace was in a decision cache.", unit: "{spans}",
        labels: labels + [(name: "sampled", value: sampled)])
    }
    cached = (early("true"), early("false"))
    decisions = Self.cells(
      metrics, "global_count_traces_sampled", "Traces by what was decided about them.", "{traces}", labels)
  }

  func decided(_ decision: PolicyDecision) { decisions[Int(decision.rawValue)].add() }
  func releasedFromCache(_ spans: Int, isSampled: Bool) {
    (isSampled ? cached.sampled : cached.notSampled).add(spans)
  }

  /// The metrics of a policy, whose label has the component's name in front where it has one.
  func policy(_ name: String) -> Policy {
    let label = id.name.isEmpty ? name : "\(id.name).\(name)"
    let labels = [(name: "processor", value: id.description), (name: "policy", value: label)]
    return Policy(
      traces: Self.cells(
        metrics, "count_traces_sampled", "Traces by what a policy said of them.", "{traces}", labels),
      spans: Self.cells(
        metrics, "count_spans_sampled", "Spans of traces by what a policy said of them.", "{spans}", labels),
      wrongTypes: metrics.counter(
        Self.prefix + "sampling_policy_evaluation_error",
        help: "Attributes that a policy asks for and that are of another type.", unit: "{errors}",
        labels: labels))
  }

  /// Meters that nobody sees, for checks.
  static func unpublished(_ name: String) -> Policy {
    let cells = (0..<5).map { _ in SelfMetrics().counter(name, help: "") }
    return Policy(traces: cells, spans: cells, wrongTypes: cells[0])
  }

  /// One counter for each ``PolicyDecision``; those of inverted policies count with the others.
  private static func cells(
    _ metrics: SelfMetrics, _ name: String, _ help: String, _ unit: String,
    _ labels: [(name: String, value: String)]
  ) -> [SelfMetricCell] {
    func cell(_ sampled: String, _ decision: String) -> SelfMetricCell {
      metrics.counter(
        prefix + name, help: help, unit: unit,
        labels: labels + [(name: "sampled", value: sampled), (name: "decision", value: decision)])
    }
    let (sampled, notSampled) = (cell("true", "sampled"), cell("false", "not_sampled"))
    return [sampled, notSampled, sampled, notSampled, cell("false", "dropped")]
  }
}
