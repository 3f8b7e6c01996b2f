internal import TelemetryData
internal import WireFormat

// Gauges, sums and summaries, and the exemplars of all points.
extension SeriesWalker {
  /// Bit 0 of a point's flags: there is no value any more.
  static var noRecordedValue: UInt64 { 1 }

  static func milliseconds(_ nanoseconds: UInt64) -> Int64 {
    Int64(truncatingIfNeeded: nanoseconds / 1_000_000)
  }

  mutating func numberPoint<Sink: SeriesSink & ~Copyable>(
    _ range: WireRange, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    beginPoint()
    var (start, time, flags): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var value = 0.0
    var hasValue = false
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(7): take(attribute: field.value, bytes)
      case .fixed64(2): start = field.number
      case .fixed64(3): time = field.number
      case .fixed64(4):
        value = Double(bitPattern: field.number)
        hasValue = true
      case .fixed64(6):
        value = Double(Int64(bitPattern: field.number))
        hasValue = true
      case .varint(8): flags = field.number
      case .lengthDelimited(5): if takesExemplars { take(exemplar: field.value, bytes) }
      default: break
      }
    }
    if flags & Self.noRecordedValue != 0 {
      value = StaleMarker.value
    } else if !hasValue {
      return drop(.value)
    }
    if time == 0 { return drop(.time) }
    if time > newestTime { newestTime = time }
    arrange(bytes)
    if isDelta, flags & Self.noRecordedValue == 0 {
      do throws(DeltaSums.Problem) {
        (value, start) = try deltas.add(value, to: identity(bytes), start: start, time: time)
      } catch {
        return drop(error)
      }
    }
    let point = SeriesPoint(
      value: value, timestamp: Self.milliseconds(time), start: Self.milliseconds(start))
    let buffers = buffers(bytes)
    let labels = SeriesLabels(buffers: buffers, entries: main.entries.span, layout: main.number, slot: 0)
    sink.beginPoint(labels)
    sink.sample(
      labels, point,
      exemplars: SeriesExemplars(buffers: buffers, entries: exemplars.span, labels: exemplarLabels.span))
  }

  /// The bytes of the labels that all series of the point at hand have.
  func identity(_ bytes: Span<UInt8>) -> [UInt8] {
    var identity: [UInt8] = []
    let buffers = buffers(bytes)
    for entry in main.entries {
      identity.append(buffers.text(entry.name))
      identity.append(0xff)
      identity.append(buffers.text(entry.value))
      identity.append(0xff)
    }
    return identity
  }

  mutating func drop(_ problem: DeltaSums.Problem) {
    switch problem {
    case .outOfOrder: drop(.deltaOrder)
    case .tooManySeries: drop(.deltaSeries)
    }
  }

  mutating func summaryPoint<Sink: SeriesSink & ~Copyable>(
    _ range: WireRange, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    beginPoint()
    var (start, time, flags, count): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var total = 0.0
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(7): take(attribute: field.value, bytes)
      case .fixed64(2): start = field.number
      case .fixed64(3): time = field.number
      case .fixed64(4): count = field.number
      case .fixed64(5): total = Double(bitPattern: field.number)
      case .varint(8): flags = field.number
      default: break
      }
    }
    if time == 0 { return drop(.time) }
    if time > newestTime { newestTime = time }
    arrange(bytes)
    let isStale = flags & Self.noRecordedValue != 0
    var point = SeriesPoint(value: 0, timestamp: Self.milliseconds(time), start: Self.milliseconds(start))
    do {
      let labels = SeriesLabels(
        buffers: buffers(bytes), entries: main.entries.span, layout: main.number, slot: 0)
      sink.beginPoint(labels)
    }
    arrangeExtra(words.quantile, name: familyName, bytes)
    var quantiles = WireCursor(bytes, in: range)
    while let payload = quantiles.nextPayload(of: .lengthDelimited(6)) {
      let quantile = QuantileView(WireMessage(bytes, payload))
      extra.entries[extra.extraSlot].value = boundText(of: quantile.quantile)
      point.value = isStale ? StaleMarker.value : quantile.value
      sendExtra(point, exemplars: 0..<0, bytes, into: &sink)
    }
    sendTotals(
      sum: isStale ? StaleMarker.value : total, count: isStale ? StaleMarker.value : Double(count), point,
      bytes, into: &sink)
  }

  /// Makes the layout of buckets or quantiles ready for the point at hand.
  mutating func arrangeExtra(_ label: TextPlace, name: TextPlace, _ bytes: Span<UInt8>) {
    if extra.origin != main.number || !hasShape {
      let number = nextNumber()
      var layout = LabelLayout()
      swap(&layout, &extra)
      layout.derive(from: main, number: number, name: name, extra: label, buffers(bytes))
      swap(&layout, &extra)
    }
    extra.fill(attributes)
  }

  /// Sends the series of `_sum`, if there is one, and `_count`.
  mutating func sendTotals<Sink: SeriesSink & ~Copyable>(
    sum value: Double?, count number: Double, _ point: SeriesPoint, _ bytes: Span<UInt8>,
    into sink: inout Sink
  ) {
    var point = point
    let isNew = count.origin != main.number || !hasShape
    if let value {
      if isNew || sum.origin != main.number {
        sum.derive(from: main, number: nextNumber(), name: suffixNames.sum)
      }
      sum.fill(attributes)
      point.value = value
      let buffers = buffers(bytes)
      sink.sample(
        SeriesLabels(buffers: buffers, entries: sum.entries.span, layout: sum.number, slot: 2), point,
        exemplars: SeriesExemplars(
          buffers: buffers, entries: exemplars.span.extracting(0..<0), labels: exemplarLabels.span))
    }
    if isNew { count.derive(from: main, number: nextNumber(), name: suffixNames.count) }
    count.fill(attributes)
    point.value = number
    let buffers = buffers(bytes)
    sink.sample(
      SeriesLabels(buffers: buffers, entries: count.entries.span, layout: count.number, slot: 3), point,
      exemplars: SeriesExemplars(
        buffers: buffers, entries: exemplars.span.extracting(0..<0), labels: exemplarLabels.span))
  }

  /// Sends the series of a bucket or quantile, whose label is in its place.
  @inline(__always)
  mutating func sendExtra<Sink: SeriesSink & ~Copyable>(
    _ point: SeriesPoint, exemplars range: Range<Int>, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    let buffers = buffers(bytes)
    sink.sample(
      SeriesLabels(buffers: buffers, entries: extra.entries.span, layout: extra.number, slot: 1), point,
      exemplars: SeriesExemplars(
        buffers: buffers, entries: exemplars.span.extracting(range), labels: exemplarLabels.span))
  }

  /// The text of a bound or quantile.
  mutating func boundText(of value: Double) -> TextPlace {
    for index in knownBounds.indices where knownBounds[index].bitPattern == value.bitPattern {
      return boundPlaces[index]
    }
    if knownBounds.count >= 256 || boundText.count > 16384 { forgetBounds() }
    let start = boundText.count
    ExpositionFloat.append(value, to: &boundText)
    let place = TextPlace(.bounds, start, boundText.count)
    knownBounds.append(value)
    boundPlaces.append(place)
    return place
  }

  private mutating func forgetBounds() {
    knownBounds.removeAll(keepingCapacity: true)
    boundPlaces.removeAll(keepingCapacity: true)
    boundText.removeAll(keepingCapacity: true)
  }
}
