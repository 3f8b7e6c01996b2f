import PipelineKit

extension Plan {
  /// Whether the processors of a pipeline hold their senders' answers until what follows has taken the items: where an
  /// exporter stores them, or delivery at least once is asked for.
  package func holdsCompletions(_ pipeline: Pipeline) -> Bool {
    isAtLeastOnce || pipeline.exporters.contains { nodes[$0]?.component.traits.delivery?.isDurable ?? false }
  }
}
