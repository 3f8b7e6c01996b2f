internal import Logging
package import PipelineKit
package import TelemetryData

/// Refuses what comes in, retryably, while the process uses more memory than it should.
///
/// Above the soft limit nothing is taken until memory has gone below it again: receivers do not even read requests. What
/// counts is what the process uses in all, see ``ProcessMemory``.
package struct MemoryLimiterProcessor: InlineProcessor {
  package typealias Config = MemoryLimiterConfig

  package static let descriptor = ComponentDescriptor(
    type: "memory_limiter", summary: "Refuses data while memory use is above a limit.")

  package static func traits(of config: Config) -> ComponentTraits { ComponentTraits(guardsIntake: true) }

  private let watch: MemoryWatch
  private let reason: String
  private let accepted: [Signal: SelfMetricCell]

  package init(config: Config, context: ComponentContext) throws {
    guard let limits = config.limits(of: context.memory.capacity) else {
      throw StartError(
        "the memory of this machine is not known, so that limit_percentage says nothing",
        help: "set limit_mib instead")
    }
    watch = context.memory.watch(context.id, limits)
    reason = "memory use is above the limit of \(context.id), try again later"
    accepted = Dictionary(
      context.signals.map { signal in
        let cell = context.metrics.counter(
          "otelcol_processor_accepted_\(signal.itemNoun)", help: "Items that the processor let pass.",
          labels: [("processor", context.id.description)])
        return (signal, cell)
      }, uniquingKeysWith: { first, _ in first })
    Self.publish(watch, context)
  }

  package var refusal: String? { watch.isOverSoftLimit ? reason : nil }

  package func process(_ batch: Batch) -> Batch? {
    accepted[batch.signal]?.add(batch.itemCount)
    return batch
  }

  private static func publish(_ watch: MemoryWatch, _ context: ComponentContext) {
    let labels = [("processor", context.id.description)]
    let metrics = context.metrics
    metrics.observe(
      "millrace_memory_limit_bytes", help: "Memory use above which everything is refused.", unit: "By",
      labels: labels
    ) { [weak watch] in Double(watch?.limits.soft ?? 0) }
    metrics.observe(
      "millrace_memory_limiter_refusing", help: "1 while the processor refuses everything, else 0.",
      labels: labels
    ) { [weak watch] in watch?.isOverSoftLimit == true ? 1 : 0 }
    let logger = context.logger
    let limits = watch.limits
    watch.observe { before, level, used in
      let metadata: Logger.Metadata = [
        "used_mib": "\(used >> 20)", "soft_limit_mib": "\(limits.soft >> 20)",
        "hard_limit_mib": "\(limits.hard >> 20)",
      ]
      switch level {
      case .normal where before == nil: logger.info("memory is limited", metadata: metadata)
      case .normal: logger.info("memory use is below the limit again", metadata: metadata)
      case .soft: logger.warning("memory use is above the soft limit, data is refused", metadata: metadata)
      case .hard: logger.error("memory use is above the hard limit, data is refused", metadata: metadata)
      }
    }
  }
}
