internal import TelemetryData
internal import WireFormat

/// What sampling needs of a span, found in one walk over its fields.
struct SpanSamplingFields {
  private(set) var traceID = WireRange(start: 0, end: 0)
  private(set) var traceState = WireRange(start: 0, end: 0)
  /// What `sampling.priority` asks for (OpenTracing): 0 leaves the span out, more keeps it.
  private(set) var priority: SamplingThreshold?

  private static var priorityKey: String { "sampling.priority" }

  init(_ span: WireMessage) {
    var hasPriority = false
    var cursor = span.fields
    do throws(WireError) {
      while !cursor.isAtEnd {
        let tag = try cursor.readTag()
        switch tag {
        case .lengthDelimited(1): traceID = try cursor.readLengthDelimited()
        case .lengthDelimited(3): traceState = try cursor.readLengthDelimited()
        case .lengthDelimited(9):
          let place = try cursor.readLengthDelimited()
          if hasPriority { continue }
          let key = AttributeView.keyRange(in: cursor.bytes, place)
          if key.count != Self.priorityKey.utf8.count { continue }
          let attribute = AttributeView(WireMessage(cursor.bytes, place))
          guard attribute.key == Self.priorityKey else { continue }
          hasPriority = true
          priority = Self.priority(attribute.value)
        default: try cursor.skip(tag)
        }
      }
    } catch { assertionFailure("a batch holds what is not well-formed: \(error)") }
  }

  private static func priority(_ value: AnyValueView) -> SamplingThreshold? {
    let number: Double
    switch value.kind {
    case .int: number = Double(value.int)
    case .double: number = value.double
    case .string:
      let text = value.string
      guard let parsed = Double(text) else { return nil }
      // Digits beyond the range are no number to the Collector; `inf` is one.
      if parsed.isInfinite, text.contains(where: \.isNumber) { return nil }
      number = parsed
    default: return nil
    }
    return number == 0 ? .never : number > 0 ? .always : nil
  }
}

extension ProbabilisticSamplerProcessor {
  func sampleSpans(_ batch: Batch) -> Batch? {
    var kept = ItemSet(capacity: batch.recordCount)
    var keptCount = 0
    var states = NewTraceStates()
    var state = TraceState()
    var tally = SamplingTally()
    let bytes = batch.bytes.span
    let items = batch.index.items
    for item in items.indices {
      let fields = SpanSamplingFields(WireMessage(bytes, items[item].payload))
      let text = bytes.extracting(fields.traceState.range)
      var signs = SamplingSigns()
      if state.read(text) {
        signs.randomness = state.randomness
        signs.threshold = state.threshold
      } else {
        signs.isMalformed = true
      }
      let verdict = sampler.verdict(
        signs, own: own(TraceID(fields.traceID, in: bytes)), priority: fields.priority)
      tally.count(verdict)
      if !verdict.isKept { continue }
      kept.insert(item)
      if verdict.randomness != nil || verdict.threshold != nil {
        states.add(item: keptCount, replacing: text) { output in
          state.write(text, randomness: verdict.randomness, threshold: verdict.threshold, to: &output)
        }
      }
      keptCount += 1
    }
    publish(tally, .traces)
    guard let selected = select(kept, of: batch) else { return nil }
    return states.written(to: selected)
  }

  /// Randomness of a trace id.
  func own(_ id: TraceID?) -> (randomness: UInt64, policy: RandomnessSource)? {
    guard let id else { return nil }
    if sampler.isHashing { return (hash.randomness(of: id), .traceIDHash) }
    return (id.low & (SamplingThreshold.space - 1), .traceIDW3C)
  }
}

/// The tracestates of the spans that are kept, as far as they change.
private struct NewTraceStates {
  private var text: [UInt8] = []
  private var places: [(item: Int, range: Range<Int>)] = []

  mutating func add(item: Int, replacing old: Span<UInt8>, _ write: (inout [UInt8]) -> Void) {
    let start = text.count
    write(&text)
    if text.span.extracting(start..<text.count).hasSameBytes(as: old) {
      text.removeLast(text.count - start)
    } else {
      places.append((item, start..<text.count))
    }
  }

  func written(to batch: Batch) -> Batch {
    if places.isEmpty { return batch }
    var editor = BatchEditor(batch)
    for (item, range) in places {
      editor.set(3, on: .item(item)) { $0.bytesField(3, text.span.extracting(range)) }
    }
    // Only a result beyond 4 GiB cannot be addressed; the batch then goes on without its probabilities.
    return (try? editor.finish()) ?? batch
  }
}

extension TraceID {
  /// The id in 16 bytes; nil for other lengths, and for zeros, which are no id.
  init?(_ range: WireRange, in bytes: Span<UInt8>) {
    guard range.count == 16 else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for index in 0..<8 {
      high = high << 8 | UInt64(bytes[range.lowerBound + index])
      low = low << 8 | UInt64(bytes[range.lowerBound + 8 + index])
    }
    if high == 0, low == 0 { return nil }
    self.init(high: high, low: low)
  }
}
