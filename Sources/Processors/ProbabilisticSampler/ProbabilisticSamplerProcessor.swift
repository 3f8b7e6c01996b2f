internal import Logging
package import PipelineKit
package import TelemetryData

/// Keeps a share of the spans or log records, decided by their trace ids or an attribute.
///
/// The same items are kept everywhere and at every time, so that several collectors keep whole traces. What goes on says
/// with which probability it was kept: spans in `tracestate`, log records in attributes. An item that is left out costs
/// one walk over its fields; what is kept is copied as it is wherever nothing is to be said.
package struct ProbabilisticSamplerProcessor: InlineProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "probabilistic_sampler", signals: [.traces, .logs],
    summary: "Keeps a share of traces or log records, by trace id or attribute.")

  let sampler: Sampler
  let hash: SamplingHash
  let source: SamplerSource
  /// The key of the attribute that is hashed; empty for none.
  let hashedKey: [UInt8]
  /// The key of the attribute that holds a percentage; empty for none.
  let priorityKey: [UInt8]
  private let meters: [Signal: SamplerMeters]
  private let complaints: RateLimitedLog

  package init(config: Config, context: ComponentContext) {
    sampler = Sampler(config)
    hash = SamplingHash(seed: config.hashSeed)
    source = config.attributeSource
    hashedKey = [UInt8](config.fromAttribute.utf8)
    priorityKey = [UInt8](config.samplingPriority.utf8)
    var meters: [Signal: SamplerMeters] = [:]
    for signal in context.signals {
      meters[signal] = SamplerMeters(context, signal: signal, attribute: config.fromAttribute)
    }
    self.meters = meters
    complaints = RateLimitedLog(context.logger, clock: context.clock)
  }

  package var removal: LedgerState { .sampled }

  package func process(_ batch: Batch) -> Batch? {
    switch batch.signal {
    case .traces: sampleSpans(batch)
    case .logs: sampleRecords(batch)
    case .metrics: batch
    }
  }

  func publish(_ tally: SamplingTally, _ signal: Signal) {
    meters[signal]?.add(tally)
    let faulty = tally.faulty
    if faulty == 0 { return }
    complaints.log(
      .info, "items cannot be sampled by what they say; fail_closed decides about them",
      metadata: [
        "items": "\(faulty)", "fail_closed": "\(sampler.failsClosed)",
        "reasons": "millrace_probabilistic_sampler_faulty_items",
      ])
  }

  /// The batch with the items that are kept; nil for none.
  func select(_ kept: ItemSet, of batch: Batch) -> Batch? {
    let count = kept.count
    if count == 0 { return nil }
    return count == kept.capacity ? batch : batch.selecting(kept)
  }
}
