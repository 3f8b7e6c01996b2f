internal import TelemetryData
internal import WireFormat

/// What sampling needs of a log record.
private struct LogSamplingFields {
  var signs = SamplingSigns()
  var priority: SamplingThreshold?
  /// The bytes of the attribute that is hashed, if they are asked for; empty when it is not there.
  var hashed: [UInt8] = []

  static let thresholdKey = [UInt8]("sampling.threshold".utf8)
  static let randomnessKey = [UInt8]("sampling.randomness".utf8)

  init(_ attributes: AttributesView, hashedKey: [UInt8], priorityKey: [UInt8], precision: Int) {
    var (hasThreshold, hasRandomness, hasHashed, hasPriority) = (false, false, false, false)
    var iterator = attributes.makeIterator()
    while let attribute = iterator.next() {
      let key = attribute.key
      if !hasThreshold, key == Self.thresholdKey {
        hasThreshold = true
        let text = attribute.value.bytes
        if attribute.value.kind == .string, !text.isEmpty {
          signs.threshold = SamplingThreshold(text.span)
          if signs.threshold == nil { signs.isMalformed = true }
        }
      }
      if !hasRandomness, key == Self.randomnessKey {
        hasRandomness = true
        let text = attribute.value.bytes
        if attribute.value.kind == .string, !text.isEmpty {
          signs.randomness =
            text.count == SamplingThreshold.digits ? Hexadecimal.value(of: text.span) : nil
          if signs.randomness == nil { signs.isMalformed = true }
        }
      }
      if !hasHashed, !hashedKey.isEmpty, key == hashedKey {
        hasHashed = true
        GoText.append(attribute.value, to: &hashed)
      }
      if !hasPriority, !priorityKey.isEmpty, key == priorityKey {
        hasPriority = true
        priority = Self.priority(attribute.value, precision)
      }
    }
    if signs.isMalformed { (signs.randomness, signs.threshold) = (nil, nil) }
  }

  /// The percentage that a record asks for; 0 and what is out of range ask for nothing, as in the Collector.
  private static func priority(_ value: AnyValueView, _ precision: Int) -> SamplingThreshold? {
    switch value.kind {
    case .int: SamplingThreshold(probability: Double(value.int) / 100, precision: precision)
    case .double: SamplingThreshold(probability: value.double / 100, precision: precision)
    default: nil
    }
  }
}

extension ProbabilisticSamplerProcessor {
  func sampleRecords(_ batch: Batch) -> Batch? {
    var kept = ItemSet(capacity: batch.recordCount)
    var keptCount = 0
    var changes: [(item: Int, randomness: UInt64?, threshold: SamplingThreshold?)] = []
    var tally = SamplingTally()
    let bytes = batch.bytes.span
    let usesIDs = !sampler.isHashing || source == .traceID
    for item in 0..<batch.recordCount {
      let record = batch.logRecord(at: item)
      var own: (randomness: UInt64, policy: RandomnessSource)?
      if usesIDs { own = self.own(TraceID(record.message.payload(9), in: bytes)) }
      let fields = LogSamplingFields(
        record.attributes, hashedKey: own == nil && sampler.isHashing ? hashedKey : [],
        priorityKey: priorityKey,
        precision: sampler.precision)
      if own == nil, !fields.hashed.isEmpty {
        own = (hash.randomness(of: fields.hashed.span), .attribute)
      }
      let verdict = sampler.verdict(fields.signs, own: own, priority: fields.priority)
      tally.count(verdict)
      if !verdict.isKept { continue }
      kept.insert(item)
      if verdict.randomness != nil || verdict.threshold != nil {
        changes.append((keptCount, verdict.randomness, verdict.threshold))
      }
      keptCount += 1
    }
    publish(tally, .logs)
    guard let selected = select(kept, of: batch) else { return nil }
    return Self.write(changes, to: selected)
  }

  private static func write(
    _ changes: [(item: Int, randomness: UInt64?, threshold: SamplingThreshold?)], to batch: Batch
  ) -> Batch {
    if changes.isEmpty { return batch }
    var editor = BatchEditor(batch)
    var text: [UInt8] = []
    func set(_ key: [UInt8], on item: Int, _ editor: inout BatchEditor) {
      let known = batch.logRecord(at: item).attributes.first(key)
      if let known, known.kind == .string, known.bytes == text { return }
      editor.upsert(
        String(decoding: key, as: UTF8.self), .string(String(decoding: text, as: UTF8.self)), on: .item(item))
    }
    for (item, randomness, threshold) in changes {
      if let randomness {
        text.removeAll(keepingCapacity: true)
        Hexadecimal.write(randomness, to: &text)
        set(LogSamplingFields.randomnessKey, on: item, &editor)
      }
      if let threshold {
        text.removeAll(keepingCapacity: true)
        threshold.write(to: &text)
        set(LogSamplingFields.thresholdKey, on: item, &editor)
      }
    }
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on without its probabilities.
    return editor.isEmpty ? batch : (try? editor.finish()) ?? batch
  }
}
