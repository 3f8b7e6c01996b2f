package import ConfigSchema
import Logging
import PipelineKit

/// `service.memory`: bounds of what the whole process holds, with defaults that fit the memory there is.
package struct MemoryConfig: ConfigGroup {
  package var requestLimit: ByteCount?
  package var queueLimit: ByteCount?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "request_limit", \.requestLimit,
      "Bytes of requests that all receivers together are reading or have not answered; absent: 256MiB, or a "
        + "quarter of the memory there is if that is less.",
      check: .atLeast(.mebibytes(1))),
    Field(
      "queue_limit", \.queueLimit,
      "Bytes that one memory queue whose sizer is not `bytes` may take with what stands around it; absent: 256MiB, or a quarter of the memory "
        + "there is, or its share of half of it, whichever is least.",
      check: .atLeast(.mebibytes(1))),
  ]
}

extension ProcessMemory {
  /// Sets the limits as a plan asks for them, and says which they are; at a reload only where that is another.
  func configure(_ plan: Plan, logger: Logger, isReload: Bool = false) {
    let queues = plan.nodes.values.compactMap { $0.component.traits.delivery?.queue }
      .filter { $0.enabled && $0.storage == nil }
    let counted = queues.filter { $0.sizer != .bytes }.count
    let before = (requests.limit, queueLimit)
    configure(
      requests: plan.memory.requestLimit?.bytes, queue: plan.memory.queueLimit?.bytes, queues: counted)
    if isReload, before == (requests.limit, queueLimit) { return }
    let available = capacity.bytes
    var metadata: Logger.Metadata = [
      "request_limit_mib": "\(requests.limit >> 20)", "memory_from": "\(capacity.origin)",
    ]
    if counted > 0 { metadata["queue_limit_mib"] = "\(queueLimit >> 20)" }
    if let available { metadata["memory_mib"] = "\(available >> 20)" }
    logger.info("memory bounds", metadata: metadata)
    let wanted = queues.reduce(requests.limit) { sum, queue in
      sum.addingReportingOverflow(queue.sizer == .bytes ? queue.queueSize : queueLimit).partialValue
    }
    if let available, wanted > available {
      logger.warning(
        "full queues and requests would take more memory than there is: lower sending_queue.queue_size",
        metadata: ["bounds_mib": "\(wanted >> 20)", "memory_mib": "\(available >> 20)"])
    }
  }

  /// Shows the limits and what is held.
  func publish(in metrics: SelfMetrics) {
    metrics.observe(
      "millrace_memory_used_bytes", help: "Memory in use, as estimated between readings.", unit: "By"
    ) { [weak self] in Double(self?.used ?? 0) }
    metrics.observe(
      "millrace_memory_in_flight_bytes", help: "Telemetry in requests, channels and memory queues.",
      unit: "By"
    ) { [weak self] in Double(self?.inFlight ?? 0) }
    metrics.observe(
      "millrace_request_bytes", help: "Requests being received or not answered, over all servers.", unit: "By"
    ) { [weak self] in Double(self?.requests.held ?? 0) }
    metrics.observe(
      "millrace_request_limit_bytes", help: "What requests over all servers may hold.", unit: "By"
    ) { [weak self] in Double(self?.requests.limit ?? 0) }
  }
}
