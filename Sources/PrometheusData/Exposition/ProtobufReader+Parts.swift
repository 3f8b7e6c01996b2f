internal import TelemetryData
internal import WireFormat

/// The parts of a family that are said before its metrics.
struct FamilyParts {
  var name = WireRange(0, 0)
  var help = WireRange(0, 0)
  var unit = WireRange(0, 0)
  var type = ExpositionType.counter
  /// The part of the message with the metrics not read yet.
  var rest = WireRange(0, 0)
}

/// One metric of a family: a point with its labels.
struct MetricParts {
  var range = WireRange(0, 0)
  var timestamp: Int64 = 0
  var created: Int64?
  var value = 0.0
  var exemplar = WireRange(0, 0)
  /// Whether it has been read ahead.
  var isPrepared = false
}

extension ProtobufReader {
  /// Reads the next family that has metrics; false at the end.
  @_lifetime(self: copy self)
  mutating func readFamily() throws(ExpositionError) -> Bool {
    while offset < bytes.count {
      message += 1
      messageStart = offset
      var parts = FamilyParts()
      var type: UInt64 = 0
      var hasMetrics = false
      do throws(WireError) {
        if bytes.count > UInt32.max { throw WireError(.tooLarge, at: offset) }
        var stream = WireCursor(bytes, in: WireRange(offset, bytes.count))
        let range = try stream.readLengthDelimited()
        offset = stream.offset
        messageStart = range.lowerBound
        var cursor = WireCursor(bytes, in: range)
        parts.rest = range
        while let tag = try cursor.nextTag() {
          switch tag {
          case .lengthDelimited(1): parts.name = try cursor.readString()
          case .lengthDelimited(2): parts.help = try cursor.readString()
          case .varint(3): type = try cursor.readVarint()
          case .lengthDelimited(4):
            _ = try cursor.readLengthDelimited()
            hasMetrics = true
          case .lengthDelimited(5): parts.unit = try cursor.readString()
          default: try cursor.skip(tag)
          }
        }
      } catch {
        throw fault(error)
      }
      guard let known = ExpositionType(protobuf: type) else {
        throw fault("unknown type \(type) of a family", at: messageStart)
      }
      if !hasMetrics { continue }
      if parts.name.isEmpty { throw fault("a family without a name", at: messageStart) }
      parts.type = known
      family = parts
      try checkUnit()
      return true
    }
    return false
  }

  /// The name of a family ends in its unit, before the `_total` of a counter.
  private func checkUnit() throws(ExpositionError) {
    let unit = bytes.extracting(family.unit.range)
    if unit.isEmpty { return }
    var end = family.name.upperBound
    let total = "_total"
    if family.type == .counter, family.name.count > total.utf8.count,
      bytes.hasBytes(total.utf8.span, at: end - total.utf8.count)
    {
      end -= total.utf8.count
    }
    let start = end - unit.count
    if start - 1 <= family.name.lowerBound || bytes[start - 1] != 0x5F || !bytes.hasBytes(unit, at: start) {
      throw fault("the name of the family does not end in its unit", at: family.unit.lowerBound)
    }
  }

  /// Reads the next metric of the family; false when there is none.
  @_lifetime(self: copy self)
  mutating func readMetric() throws(ExpositionError) -> Bool {
    var point: WireRange?
    var hasUnnamedLabel = false
    do throws(WireError) {
      var cursor = WireCursor(bytes, in: family.rest)
      guard let range = cursor.nextPayload(of: .lengthDelimited(4)) else { return false }
      family.rest = WireRange(cursor.offset, family.rest.upperBound)
      metric = MetricParts()
      metric.range = range
      seriesText.removeLabels()
      cursor = WireCursor(bytes, in: range)
      let wanted = family.type.pointTag
      while let tag = try cursor.nextTag() {
        switch tag {
        case .lengthDelimited(1):
          let (name, value) = try cursor.readLabelPair()
          if name.isEmpty { hasUnnamedLabel = true }
          seriesText.addLabel(bytes, name: name, value: value)
        case wanted: point = try cursor.readLengthDelimited()
        case .varint(6): metric.timestamp = Int64(bitPattern: try cursor.readVarint())
        default: try cursor.skip(tag)
        }
      }
    } catch {
      throw fault(error)
    }
    if hasUnnamedLabel { throw fault("a label without a name", at: metric.range.lowerBound) }
    guard let point else { throw fault("a metric without a value", at: metric.range.lowerBound) }
    isNative = false
    do throws(WireError) {
      switch family.type {
      case .histogram, .gaugeHistogram: try readHistogram(point)
      case .summary: try readSummary(point)
      default: try readNumber(point)
      }
    } catch {
      throw fault(error)
    }
    if distribution.isNative, histograms != .classic, family.type != .summary {
      histogram = try readNativeHistogram(point)
      isNative = true
    }
    metric.isPrepared = true
    return true
  }

  /// Reads a Counter, Gauge or Untyped message; the fields of the first are no fields of the others.
  @_lifetime(self: copy self)
  private mutating func readNumber(_ point: WireRange) throws(WireError) {
    distribution = DistributionParts()
    var cursor = WireCursor(bytes, in: point)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .fixed64(1): metric.value = Double(bitPattern: try cursor.readFixed64())
      case .lengthDelimited(2) where family.type == .counter: metric.exemplar = try cursor.readExemplar()
      case .lengthDelimited(3) where family.type == .counter: metric.created = try cursor.readTime()
      default: try cursor.skip(tag)
      }
    }
  }

  package func labels() throws(ExpositionError) -> LabelSet {
    var name = familyName
    name += seriesText.suffix.description
    var labels = [Label("__name__", name)]
    var cursor = WireCursor(bytes, in: metric.range)
    while let pair = cursor.nextPayload(of: .lengthDelimited(1)) { labels.append(label(pair)) }
    if let bound = seriesText.boundLabel { labels.append(bound) }
    return try LabelSet.unique(
      labels, or: { (name) in fault("the label \(name) is there twice", at: metric.range.lowerBound) })
  }

  func label(_ pair: WireRange) -> Label {
    var cursor = WireCursor(bytes, in: pair)
    let (name, value) = (try? cursor.readLabelFields()) ?? (WireRange(0, 0), WireRange(0, 0))
    return Label(
      BytesView(bytes.extracting(name.range)).string, BytesView(bytes.extracting(value.range)).string)
  }
}

extension ExpositionType {
  /// The type that a number of the enumeration MetricType means.
  init?(protobuf number: UInt64) {
    switch number {
    case 0: self = .counter
    case 1: self = .gauge
    case 2: self = .summary
    case 3: self = .unknown
    case 4: self = .histogram
    case 5: self = .gaugeHistogram
    default: return nil
    }
  }

  /// The field of a Metric message that has the point.
  var pointTag: WireTag {
    switch self {
    case .gauge: .lengthDelimited(2)
    case .counter: .lengthDelimited(3)
    case .summary: .lengthDelimited(4)
    case .histogram, .gaugeHistogram: .lengthDelimited(7)
    default: .lengthDelimited(5)
    }
  }
}

extension WireCursor {
  /// Steps over a string field, which has to be UTF-8.
  mutating func readString() throws(WireError) -> WireRange {
    let range = try readLengthDelimited()
    let place = UTF8Check.firstInvalid(in: bytes, from: range.lowerBound, to: range.upperBound)
    if place >= 0 { throw WireError(.invalidUTF8, at: place) }
    return range
  }

  /// Steps over a LabelPair message.
  mutating func readLabelPair() throws(WireError) -> (name: WireRange, value: WireRange) {
    var cursor = try readMessage()
    return try cursor.readLabelFields()
  }

  mutating func readLabelFields() throws(WireError) -> (name: WireRange, value: WireRange) {
    var (name, value) = (WireRange(0, 0), WireRange(0, 0))
    while let tag = try nextTag() {
      switch tag {
      case .lengthDelimited(1): name = try readString()
      case .lengthDelimited(2): value = try readString()
      default: try skip(tag)
      }
    }
    return (name, value)
  }

  /// A `google.protobuf.Timestamp` in milliseconds since the epoch, or nil when it is out of all bounds.
  mutating func readTime() throws(WireError) -> Int64? {
    var cursor = try readMessage()
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): seconds = Int64(bitPattern: try cursor.readVarint())
      case .varint(2): nanoseconds = Int64(bitPattern: try cursor.readVarint())
      default: try cursor.skip(tag)
      }
    }
    let (milliseconds, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, carries) = milliseconds.addingReportingOverflow(nanoseconds / 1_000_000)
    return overflows || carries ? nil : sum
  }
}
