package import ConfigSchema

/// How the randomness of an item is made and compared.
package enum SamplerMode: String, ConfigEnum {
  case hashSeed = "hash_seed"
  case proportional
  case equalizing
  /// `hash_seed`.
  case unset = ""
}

/// Where the randomness of log records comes from.
package enum SamplerSource: String, ConfigEnum {
  case traceID
  case record
}

extension ProbabilisticSamplerProcessor {
  /// The settings of the `probabilistic_sampler` processor.
  package struct Config: ConfigGroup {
    package var samplingPercentage = 0.0
    package var mode = SamplerMode.unset
    package var hashSeed: UInt32 = 0
    package var failClosed = true
    package var samplingPrecision = 4
    package var attributeSource = SamplerSource.traceID
    package var fromAttribute = ""
    package var samplingPriority = ""

    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "sampling_percentage", \.samplingPercentage,
        "The share of items that is kept, in percent; 100 and more keep all, 0 keeps none.",
        check: .atLeast(0)),
      Field(
        "mode", \.mode,
        "`hash_seed` hashes trace ids or an attribute; `proportional` keeps the share of what comes in, whatever was "
          + "sampled before; `equalizing` keeps the share of what there was before any sampling."),
      Field(
        "hash_seed", \.hashSeed,
        "What the hash starts with: the same at all collectors of one tier, others at other tiers."),
      Field(
        "fail_closed", \.failClosed,
        "Whether items are left out that cannot be sampled, such as those without an id or with a malformed tracestate."
      ),
      Field(
        "sampling_precision", \.samplingPrecision,
        "Hexadecimal digits of the thresholds that are written.", check: .range(1...SamplingThreshold.digits)),
      Field(
        "attribute_source", \.attributeSource,
        "Logs in mode `hash_seed`: what is hashed, `traceID`, or with `record` the attribute `from_attribute`."
      ),
      Field(
        "from_attribute", \.fromAttribute,
        "Logs in mode `hash_seed`: the attribute that is hashed where there is no trace id, or with `attribute_source: "
          + "record`."),
      Field(
        "sampling_priority", \.samplingPriority,
        "Logs: an attribute that holds, as a number, the percentage to sample that record with."),
    ]

    /// How many of the hash's buckets are kept.
    var acceptedBuckets: Int {
      let percentage = min(Float(samplingPercentage), 100)
      // In 32 bits and cut off, as the Collector does it.
      return percentage > 0 ? Int(percentage * (Float(SamplingHash.buckets) / 100)) : 0
    }

    package func check(_ checker: inout ConfigChecker) {
      if checker.hasError(\.samplingPercentage) { return }
      let isHashing = mode == .unset || mode == .hashSeed
      if !samplingPercentage.isFinite {
        checker.error(\.samplingPercentage, "must be a number such as 10")
      } else if samplingPercentage > 0, samplingPercentage / 100 < 1 / Double(SamplingThreshold.space) {
        checker.error(\.samplingPercentage, "is too small: not one of 2^56 would be kept")
      } else if !checker.isPresent(\.samplingPercentage) {
        checker.warning(
          "without sampling_percentage nothing is kept", help: "set sampling_percentage: 10 to keep a tenth")
      } else if isHashing, samplingPercentage > 0, acceptedBuckets == 0 {
        checker.warning(
          \.samplingPercentage, "is rounded to 0 in mode hash_seed, which knows 16384 steps: nothing is kept",
          help: "mode: proportional keeps smaller shares")
      }
      if !isHashing, !fromAttribute.isEmpty {
        checker.warning(
          \.fromAttribute, "has no effect in mode \(mode.rawValue), which samples by trace ids only",
          help: "mode: hash_seed can sample by an attribute")
      }
      if isHashing, attributeSource == .record, fromAttribute.isEmpty {
        checker.warning(
          \.attributeSource, "needs from_attribute: log records have nothing to be sampled by",
          help: "name the attribute, such as from_attribute: log.id")
      }
    }
  }
}
