internal import TelemetryData
internal import WireFormat

/// The fields of a histogram's point, of either kind.
private struct HistogramFields {
  var start: UInt64 = 0
  var time: UInt64 = 0
  var count: UInt64 = 0
  var sum: Double?
  var isStale = false
  var scale: Int64 = 0
  var zeroCount: UInt64 = 0
  var zeroThreshold = 0.0
  var positive = WireRange(start: 0, end: 0)
  var negative = WireRange(start: 0, end: 0)

  var point: SeriesPoint {
    SeriesPoint(
      value: 0, timestamp: SeriesWalker.milliseconds(time), start: SeriesWalker.milliseconds(start))
  }
}

extension SeriesWalker {
  /// A histogram with bounds: classic series, a native histogram with custom buckets, or both.
  ///
  /// A stale point ends every series that it tells of: `_sum`, `_count`, `+Inf`, and those of the bounds it still names.
  mutating func histogramPoint<Sink: SeriesSink & ~Copyable>(
    _ range: WireRange, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    beginPoint()
    bucketCounts.removeAll(keepingCapacity: true)
    bounds.removeAll(keepingCapacity: true)
    var fields = HistogramFields()
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(9): take(attribute: field.value, bytes)
      case .fixed64(2): fields.start = field.number
      case .fixed64(3): fields.time = field.number
      case .fixed64(4): fields.count = field.number
      case .fixed64(5): fields.sum = Double(bitPattern: field.number)
      case .varint(10): fields.isStale = field.number & Self.noRecordedValue != 0
      case .lengthDelimited(8): take(exemplar: field.value, bytes)
      case .lengthDelimited(6), .lengthDelimited(7):
        let isCounts = field.tag == .lengthDelimited(6)
        var offset = field.value.lowerBound
        while offset &+ 8 <= field.value.upperBound {
          let number = bytes.loadUInt64(at: offset)
          if isCounts { bucketCounts.append(number) } else { bounds.append(Double(bitPattern: number)) }
          offset &+= 8
        }
      case .fixed64(6): bucketCounts.append(field.number)
      case .fixed64(7): bounds.append(Double(bitPattern: field.number))
      default: break
      }
    }
    if fields.time == 0 { return drop(.time) }
    if !hasValidBuckets(isStale: fields.isStale) { return drop(.buckets) }
    if fields.time > newestTime { newestTime = fields.time }
    arrange(bytes)
    if isDelta, !fields.isStale {
      do throws(DeltaSums.Problem) {
        fields.start = try deltas.add(
          count: &fields.count, sum: &fields.sum, buckets: &bucketCounts, bounds: bounds, to: identity(bytes),
          start: fields.start, time: fields.time)
      } catch {
        return drop(error)
      }
    }
    sortExemplars(byBounds: bounds)
    beginPoint(at: bytes, into: &sink)
    if settings.convertsToCustomBuckets {
      makeCustomBuckets(fields)
      sendNative(fields, bytes, into: &sink)
      if !settings.keepsClassicHistograms { return }
    }
    sendClassic(fields, bytes, into: &sink)
  }

  /// One count more than bounds, or no buckets at all; bounds that grow.
  private func hasValidBuckets(isStale: Bool) -> Bool {
    for index in bounds.indices.dropFirst() where !(bounds[index - 1] < bounds[index]) { return false }
    if bounds.count == 1, bounds[0].isNaN { return false }
    if bucketCounts.isEmpty { return bounds.isEmpty || isStale }
    return bucketCounts.count == bounds.count + 1
  }

  private mutating func beginPoint<Sink: SeriesSink & ~Copyable>(
    at bytes: Span<UInt8>, into sink: inout Sink
  ) {
    sink.beginPoint(
      SeriesLabels(buffers: buffers(bytes), entries: main.entries.span, layout: main.number, slot: 0))
  }

  private mutating func sendClassic<Sink: SeriesSink & ~Copyable>(
    _ fields: HistogramFields, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    arrangeExtra(words.le, name: suffixNames.bucket, bytes)
    var point = fields.point
    var total: UInt64 = 0
    var exemplar = 0
    for index in bounds.indices {
      if !bucketCounts.isEmpty { total &+= bucketCounts[index] }
      if bounds[index] == .infinity { break }
      point.value = fields.isStale ? StaleMarker.value : Double(total)
      extra.entries[extra.extraSlot].value = boundText(of: bounds[index])
      let first = exemplar
      while exemplar < exemplars.count, exemplars[exemplar].bucket <= index { exemplar += 1 }
      sendExtra(point, exemplars: first..<exemplar, bytes, into: &sink)
    }
    let count = fields.isStale ? StaleMarker.value : Double(fields.count)
    point.value = count
    extra.entries[extra.extraSlot].value = boundText(of: .infinity)
    sendExtra(point, exemplars: exemplar..<exemplars.count, bytes, into: &sink)
    sendTotals(
      sum: fields.isStale ? StaleMarker.value : fields.sum, count: count, point, bytes, into: &sink)
  }

  /// An exponential histogram, which becomes a native one.
  mutating func exponentialPoint<Sink: SeriesSink & ~Copyable>(
    _ range: WireRange, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    beginPoint()
    var fields = HistogramFields()
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(1): take(attribute: field.value, bytes)
      case .fixed64(2): fields.start = field.number
      case .fixed64(3): fields.time = field.number
      case .fixed64(4): fields.count = field.number
      case .fixed64(5): fields.sum = Double(bitPattern: field.number)
      case .varint(6): fields.scale = Int64(Int32(truncatingIfNeeded: ZigZag.decode(field.number)))
      case .fixed64(7): fields.zeroCount = field.number
      case .lengthDelimited(8): fields.positive = field.value
      case .lengthDelimited(9): fields.negative = field.value
      case .varint(10): fields.isStale = field.number & Self.noRecordedValue != 0
      case .lengthDelimited(11): take(exemplar: field.value, bytes)
      case .fixed64(14): fields.zeroThreshold = Double(bitPattern: field.number)
      default: break
      }
    }
    if fields.time == 0 { return drop(.time) }
    if fields.scale < -4 { return drop(.scale) }
    if fields.time > newestTime { newestTime = fields.time }
    arrange(bytes)
    makeExponential(fields, bytes)
    beginPoint(at: bytes, into: &sink)
    sendNative(fields, bytes, into: &sink)
  }

  private mutating func sendNative<Sink: SeriesSink & ~Copyable>(
    _ fields: HistogramFields, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    if fields.isStale { native.becomeStale() }
    var point = fields.point
    point.value = native.sum
    let buffers = buffers(bytes)
    sink.histogram(
      SeriesLabels(buffers: buffers, entries: main.entries.span, layout: main.number, slot: 0), point, native,
      exemplars: SeriesExemplars(buffers: buffers, entries: exemplars.span, labels: exemplarLabels.span))
  }

  /// The threshold of the zero bucket where OTLP does not say it (OpenTelemetry's compatibility specification).
  private static var defaultZeroThreshold: Double { 1e-128 }

  private mutating func makeExponential(_ fields: HistogramFields, _ bytes: Span<UInt8>) {
    native.removeAll()
    native.isGauge = type == .gaugeHistogram
    native.schema = Int32(min(fields.scale, 8))
    native.count = Double(fields.count)
    native.sum = fields.sum ?? 0
    native.zeroCount = Double(fields.zeroCount)
    native.zeroThreshold = fields.zeroThreshold > 0 ? fields.zeroThreshold : Self.defaultZeroThreshold
    if fields.isStale { return }
    let shift = max(0, fields.scale - 8)
    Self.addBuckets(
      WireMessage(bytes, fields.positive), shift, &native.positiveSpans, &native.positiveCounts)
    Self.addBuckets(
      WireMessage(bytes, fields.negative), shift, &native.negativeSpans, &native.negativeCounts)
  }

  /// Makes sparse buckets of dense ones, of which 2^shift become one.
  ///
  /// OTLP counts buckets by their lower bounds and Prometheus by their upper ones: the same bucket is one further up.
  private static func addBuckets(
    _ message: WireMessage, _ shift: Int64, _ spans: inout [BucketSpan], _ counts: inout [Double]
  ) {
    if message.range.isEmpty { return }
    let buckets = BucketsView(message)
    var gathering = BucketGathering()
    var index = Int64(buckets.offset)
    buckets.bucketCounts.forEach { count in
      if count > 0 { gathering.add(count, at: (index >> shift) + 1, &spans, &counts) }
      index += 1
    }
    gathering.finish(&spans, &counts)
  }

  private mutating func makeCustomBuckets(_ fields: HistogramFields) {
    native.removeAll()
    native.isGauge = type == .gaugeHistogram
    native.schema = NativeHistogram.customBuckets
    native.count = Double(fields.count)
    native.sum = fields.sum ?? 0
    native.customBounds.append(contentsOf: bounds)
    if native.customBounds.last == .infinity { native.customBounds.removeLast() }
    if fields.isStale { return }
    var gathering = BucketGathering()
    for (index, count) in bucketCounts.enumerated() where count > 0 {
      gathering.add(
        count, at: Int64(min(index, native.customBounds.count)), &native.positiveSpans, &native.positiveCounts
      )
    }
    if bucketCounts.isEmpty, fields.count > 0 {
      gathering.add(fields.count, at: 0, &native.positiveSpans, &native.positiveCounts)
    }
    gathering.finish(&native.positiveSpans, &native.positiveCounts)
  }
}

/// Puts counts into spans: neighbours with the same index become one bucket, and a gap of up to two is filled.
private struct BucketGathering {
  private var index: Int64 = 0
  private var count: UInt64 = 0
  private var isOpen = false
  /// The bucket after the last one written.
  private var next: Int64 = 0

  mutating func add(
    _ count: UInt64, at index: Int64, _ spans: inout [BucketSpan], _ counts: inout [Double]
  ) {
    if isOpen, index == self.index {
      self.count &+= count
      return
    }
    finish(&spans, &counts)
    isOpen = true
    (self.index, self.count) = (index, count)
  }

  mutating func finish(_ spans: inout [BucketSpan], _ counts: inout [Double]) {
    if !isOpen { return }
    isOpen = false
    let gap = index - next
    if spans.isEmpty || gap > 2 {
      spans.append(BucketSpan(offset: Int32(clamping: gap), length: 0))
    } else {
      for _ in 0..<max(0, gap) { append(0, &spans, &counts) }
    }
    append(count, &spans, &counts)
    next = index + 1
  }

  private func append(_ count: UInt64, _ spans: inout [BucketSpan], _ counts: inout [Double]) {
    spans[spans.count - 1].length += 1
    counts.append(Double(count))
  }
}

extension NativeHistogram {
  /// Becomes an empty histogram and keeps the memory.
  mutating func removeAll() {
    schema = 0
    (zeroThreshold, zeroCount, count, sum) = (0, 0, 0, 0)
    positiveSpans.removeAll(keepingCapacity: true)
    negativeSpans.removeAll(keepingCapacity: true)
    positiveCounts.removeAll(keepingCapacity: true)
    negativeCounts.removeAll(keepingCapacity: true)
    customBounds.removeAll(keepingCapacity: true)
    isFloat = false
    isGauge = false
  }

  /// Says that the series has ended.
  mutating func becomeStale() {
    let (schema, isGauge) = (schema, isGauge)
    removeAll()
    (self.schema, self.isGauge) = (schema, isGauge)
    sum = StaleMarker.value
  }
}
