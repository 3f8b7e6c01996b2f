internal import TelemetryData

/// Where the randomness of an item came from: the label `policy` of the metrics, as the Collector has it.
enum RandomnessSource: Int, CaseIterable, Sendable {
  case traceIDHash, traceIDW3C, samplingRandomness, samplingPriority, missingRandomness
  /// The attribute that `from_attribute` names.
  case attribute
}

/// Why an item cannot be sampled by what it says; `fail_closed` decides about it.
enum SamplingFault: Int, CaseIterable, Sendable {
  /// `tracestate`, or an attribute about sampling, cannot be read.
  case malformed
  /// Neither a trace id nor anything else to sample by.
  case missingRandomness
  /// It says that it was sampled with a threshold that would have rejected it.
  case inconsistentThreshold
  /// Mode `hash_seed` meets what another kind of sampler has written.
  case randomnessInUse, thresholdInUse

  var reason: String {
    switch self {
    case .malformed: "malformed"
    case .missingRandomness: "missing_randomness"
    case .inconsistentThreshold: "inconsistent_threshold"
    case .randomnessInUse: "randomness_in_use"
    case .thresholdInUse: "threshold_in_use"
    }
  }
}

/// What an item says about how it was sampled so far.
struct SamplingSigns {
  var isMalformed = false
  /// The `rv` of tracestate, or `sampling.randomness` of a log record.
  var randomness: UInt64?
  /// The `th` of tracestate, or `sampling.threshold` of a log record.
  var threshold: SamplingThreshold?
}

/// What becomes of an item.
struct SamplingVerdict {
  var isKept: Bool
  var policy: RandomnessSource
  var fault: SamplingFault?
  /// To be written into an item that is kept; nil leaves what is there.
  var randomness: UInt64?
  var threshold: SamplingThreshold?
}

/// Decides about one item after the other, in one of the three modes.
///
/// Source: OpenTelemetry specification, "TraceState: Probability Sampling"; the order of checks and what becomes of faulty
/// items follow the Collector.
struct Sampler: Sendable {
  enum Mode: Sendable, Equatable {
    /// 0 %.
    case never
    case hashing(SamplingThreshold)
    case equalizing(SamplingThreshold)
    /// A ratio, and what keeps that much of what nobody has sampled before.
    case proportional(Double, SamplingThreshold)
  }
  let mode: Mode
  /// Digits of thresholds.
  let precision: Int
  let failsClosed: Bool

  var isHashing: Bool { if case .hashing = mode { true } else { false } }

  init(_ config: ProbabilisticSamplerProcessor.Config) {
    precision = config.samplingPrecision
    failsClosed = config.failClosed
    mode = Self.mode(config)
  }

  private static func mode(_ config: ProbabilisticSamplerProcessor.Config) -> Mode {
    // The Collector keeps the percentage in 32 bits, and what it keeps depends on that.
    let percentage = min(Float(config.samplingPercentage), 100)
    if percentage <= 0 { return .never }
    let ratio = max(Double(percentage) / 100, 1 / Double(SamplingThreshold.space))
    switch config.mode {
    case .equalizing:
      let threshold = SamplingThreshold(probability: ratio, precision: config.samplingPrecision)
      return .equalizing(threshold ?? .never)
    case .proportional:
      let threshold = SamplingThreshold(probability: ratio, precision: config.samplingPrecision)
      return .proportional(ratio, threshold ?? .never)
    case .hashSeed, .unset:
      let accepted = config.acceptedBuckets
      if accepted == 0 { return .never }
      return .hashing(SamplingThreshold(rejected: UInt64(SamplingHash.buckets - accepted) << 42))
    }
  }

  /// - Parameters:
  ///   - own: randomness that was made of the item's id or attribute; nil when there is none.
  ///   - priority: a threshold that the item asks for, whatever else holds.
  func verdict(
    _ signs: SamplingSigns, own: (randomness: UInt64, policy: RandomnessSource)?, priority: SamplingThreshold?
  ) -> SamplingVerdict {
    var verdict = SamplingVerdict(isKept: false, policy: .missingRandomness)
    // An item without randomness of its own is kept wherever anything is.
    var randomness = SamplingThreshold.space - 1
    var known = signs.threshold
    var isWritten = !signs.isMalformed
    if signs.isMalformed { verdict.fault = .malformed }
    switch mode {
    case .never: verdict.policy = .samplingPriority
    case .hashing:
      if let own { (randomness, verdict.policy) = own }
      if signs.randomness != nil || signs.threshold != nil {
        verdict.fault = signs.randomness != nil ? .randomnessInUse : .thresholdInUse
        isWritten = false
      } else if isWritten {
        verdict.randomness = own?.randomness
      }
    case .equalizing, .proportional:
      if signs.isMalformed { break }
      if let explicit = signs.randomness {
        (randomness, verdict.policy) = (explicit, .samplingRandomness)
      } else if let own {
        (randomness, verdict.policy) = own
      }
    }
    if verdict.fault == nil {
      if verdict.policy == .missingRandomness {
        verdict.fault = .missingRandomness
      } else if let threshold = known, !threshold.keeps(randomness) {
        known = nil
        verdict.fault = .inconsistentThreshold
      }
    }
    var threshold = verdict.fault == nil ? decide(known) : failsClosed ? .never : .always
    if let priority {
      threshold = priority
      verdict.policy = .samplingPriority
    }
    verdict.isKept = threshold.keeps(randomness)
    if !verdict.isKept || !isWritten {
      verdict.randomness = nil
    } else if known.map({ $0 <= threshold }) ?? true {
      // A threshold never gets smaller: what was rejected before cannot be made good for.
      verdict.threshold = threshold
    }
    return verdict
  }

  private func decide(_ known: SamplingThreshold?) -> SamplingThreshold {
    switch mode {
    case .never: .never
    case .hashing(let threshold): threshold
    case .equalizing(let threshold): max(threshold, known ?? .always)
    case .proportional(let ratio, let threshold):
      if let known {
        SamplingThreshold(probability: known.probability * ratio, precision: precision) ?? .never
      } else {
        threshold
      }
    }
  }
}
