package import ConfigSchema
package import PipelineKit

/// The settings of the `memory_limiter` processor.
package struct MemoryLimiterConfig: ConfigGroup {
  package var checkInterval: Duration = .zero
  package var limitMiB = 0
  package var spikeLimitMiB = 0
  package var limitPercentage = 0
  package var spikeLimitPercentage = 0
  package init() {}

  /// No machine has more, and the bytes still fit into 64 bits.
  private static let mostMiB = 1 << 30
  private static let noCollector = "there is no garbage collector here; freed memory is given back by itself"

  package static let fields: [Field<Self>] = [
    Field(
      "check_interval", \.checkInterval,
      "How often resident memory is read; what comes in between two readings counts at once.", required: true),
    Field(
      "limit_mib", \.limitMiB, "Hard limit in MiB; wins over `limit_percentage`.",
      check: .range(0...mostMiB)),
    Field(
      "spike_limit_mib", \.spikeLimitMiB,
      "How far below `limit_mib` the soft limit lies, above which everything is refused; 0 stands for 20 %.",
      check: .range(0...mostMiB)),
    Field(
      "limit_percentage", \.limitPercentage,
      "Hard limit in percent of the control group's limit, or of the machine's memory.",
      check: .range(0...100)),
    Field(
      "spike_limit_percentage", \.spikeLimitPercentage,
      "How far below `limit_percentage` the soft limit lies, in percent of the same; 0 stands for 20 % of the "
        + "limit.",
      check: .range(0...100)),
    .accepted("min_gc_interval_when_soft_limited", noCollector),
    .accepted("min_gc_interval_when_hard_limited", noCollector),
    .accepted("max_gc_interval_when_soft_limited", noCollector),
    .accepted("max_gc_interval_when_hard_limited", noCollector),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checkInterval <= .zero {
      checker.error(\.checkInterval, "must be greater than zero", help: "check_interval: 1s suits most")
    } else if checkInterval < .milliseconds(10) {
      checker.error(\.checkInterval, "must be at least 10ms")
    }
    if limitMiB == 0, limitPercentage == 0 {
      checker.error(
        "limit_mib or limit_percentage must be greater than zero",
        help: "in a container limit_percentage: 80 suits most")
    }
    if limitMiB > 0 {
      if spikeLimitMiB >= limitMiB {
        checker.error(\.spikeLimitMiB, "must be smaller than limit_mib (\(limitMiB))")
      }
      if limitPercentage > 0 {
        checker.warning(\.limitPercentage, "has no effect: limit_mib wins", help: "remove one of the two")
      }
      if spikeLimitPercentage > 0 {
        checker.warning(
          \.spikeLimitPercentage, "has no effect with limit_mib", help: "write spike_limit_mib instead")
      }
      if softLimit(of: limitMiB << 20) < Self.smallestUseful {
        checker.warning(
          \.limitMiB, "leaves little: the collector takes about 30 MiB before any data comes",
          help: "with a limit of less than 64 MiB everything may be refused all the time")
      }
    } else if limitPercentage > 0 {
      if spikeLimitPercentage >= limitPercentage {
        checker.error(
          \.spikeLimitPercentage, "must be smaller than limit_percentage (\(limitPercentage))")
      }
      if spikeLimitMiB > 0 {
        checker.warning(
          \.spikeLimitMiB, "has no effect with limit_percentage", help: "write spike_limit_percentage instead"
        )
      }
    }
  }

  private static let smallestUseful = 40 << 20

  /// The limits in bytes, given what the process may use; nil when a percentage is asked for of what is not known.
  package func limits(of capacity: MemoryCapacity) -> MemoryWatch.Limits? {
    let hard: Int
    if limitMiB > 0 {
      hard = limitMiB << 20
    } else {
      guard let bytes = capacity.bytes else { return nil }
      hard = bytes / 100 * limitPercentage
    }
    return MemoryWatch.Limits(soft: softLimit(of: hard), hard: hard, interval: checkInterval)
  }

  private func softLimit(of hard: Int) -> Int {
    if limitMiB > 0 { return spikeLimitMiB > 0 ? hard - spikeLimitMiB << 20 : hard - hard / 5 }
    guard limitPercentage > 0, spikeLimitPercentage > 0 else { return hard - hard / 5 }
    return hard - hard / limitPercentage * spikeLimitPercentage
  }
}
