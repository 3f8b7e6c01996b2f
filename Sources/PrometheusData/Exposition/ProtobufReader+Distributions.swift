internal import WireFormat

/// What a Summary or Histogram message has apart from its quantiles, buckets and spans.
struct DistributionParts {
  var count = 0.0
  var sum = 0.0
  /// The quantiles or buckets not read yet.
  var rest = WireRange(0, 0)
  var hasParts = false
  /// How many quantiles or buckets have been read.
  var position = 0
  /// Whether the bucket of everything has been read, or there is none to expect.
  var isComplete = false
  var isPartPrepared = false
  /// Whether there is a native histogram in it.
  var isNative = false
}

extension ProtobufReader {
  @_lifetime(self: copy self)
  mutating func readSummary(_ point: WireRange) throws(WireError) {
    distribution = DistributionParts()
    distribution.rest = point
    // A summary needs nothing added.
    distribution.isComplete = true
    var cursor = WireCursor(bytes, in: point)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): distribution.count = Double(try cursor.readVarint())
      case .fixed64(2): distribution.sum = Double(bitPattern: try cursor.readFixed64())
      case .lengthDelimited(4): metric.created = try cursor.readTime()
      default: try cursor.skip(tag)
      }
    }
  }

  @_lifetime(self: copy self)
  mutating func readHistogram(_ point: WireRange) throws(WireError) {
    distribution = DistributionParts()
    distribution.rest = point
    var floatCount = 0.0
    var cursor = WireCursor(bytes, in: point)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): distribution.count = Double(try cursor.readVarint())
      case .fixed64(2): distribution.sum = Double(bitPattern: try cursor.readFixed64())
      case .lengthDelimited(3):
        _ = try cursor.readLengthDelimited()
        distribution.hasParts = true
      case .fixed64(4): floatCount = Double(bitPattern: try cursor.readFixed64())
      case .fixed64(6), .fixed64(8):
        if Double(bitPattern: try cursor.readFixed64()) > 0 { distribution.isNative = true }
      case .varint(7): if try cursor.readVarint() > 0 { distribution.isNative = true }
      case .lengthDelimited(9), .lengthDelimited(12):
        _ = try cursor.readLengthDelimited()
        distribution.isNative = true
      case .lengthDelimited(15): metric.created = try cursor.readTime()
      case .lengthDelimited(16): _ = try cursor.readExemplar()
      default: try cursor.skip(tag)
      }
    }
    if floatCount != 0 { distribution.count = floatCount }
  }

  /// Makes the next quantile or bucket the current sample; false when there is none.
  @_lifetime(self: copy self)
  mutating func readPart() throws(ExpositionError) -> Bool {
    if distribution.isPartPrepared { return true }
    isNative = false
    do throws(WireError) {
      if family.type == .summary {
        if try !readQuantile() { return false }
      } else if try !readBucket() {
        return false
      }
    } catch {
      throw fault(error)
    }
    distribution.position += 1
    distribution.isPartPrepared = true
    return true
  }

  @_lifetime(self: copy self)
  private mutating func readQuantile() throws(WireError) -> Bool {
    guard let range = nextPart() else { return false }
    var quantile = 0.0
    value = 0
    exemplar = WireRange(0, 0)
    var cursor = WireCursor(bytes, in: range)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .fixed64(1): quantile = Double(bitPattern: try cursor.readFixed64())
      case .fixed64(2): value = Double(bitPattern: try cursor.readFixed64())
      default: try cursor.skip(tag)
      }
    }
    seriesText.setBound(quantile, at: distribution.position)
    seriesText.write(bytes, family.name, suffix: "", boundName: "quantile")
    return true
  }

  @_lifetime(self: copy self)
  private mutating func readBucket() throws(WireError) -> Bool {
    if distribution.isComplete { return false }
    exemplar = WireRange(0, 0)
    var bound = Double.infinity
    if let range = nextPart() {
      bound = 0
      value = 0
      var floatCount = 0.0
      var cursor = WireCursor(bytes, in: range)
      while let tag = try cursor.nextTag() {
        switch tag {
        case .varint(1): value = Double(try cursor.readVarint())
        case .fixed64(2): bound = Double(bitPattern: try cursor.readFixed64())
        case .lengthDelimited(3): exemplar = try cursor.readExemplar()
        case .fixed64(4): floatCount = Double(bitPattern: try cursor.readFixed64())
        default: try cursor.skip(tag)
        }
      }
      if floatCount != 0 { value = floatCount }
    } else {
      value = distribution.count
    }
    if bound == .infinity { distribution.isComplete = true }
    seriesText.setBound(bound, at: distribution.position)
    seriesText.write(bytes, family.name, suffix: "_bucket", boundName: "le")
    return true
  }

  @_lifetime(self: copy self)
  private mutating func nextPart() -> WireRange? {
    var cursor = WireCursor(bytes, in: distribution.rest)
    let range = cursor.nextPayload(of: .lengthDelimited(3))
    distribution.rest = WireRange(cursor.offset, distribution.rest.upperBound)
    return range
  }

  // Exemplars.

  package var hasExemplars: Bool { isNative ? !exemplars.isEmpty : !exemplar.isEmpty }

  package var exemplars: [ExpositionExemplar] {
    if !isNative { return exemplar.isEmpty ? [] : [readExemplar(exemplar)] }
    // Those of a native histogram, or else of its classic buckets, where they have a time: without one it cannot be
    // told which are new.
    guard let point = nativePoint else { return [] }
    var exemplars: [ExpositionExemplar] = []
    var cursor = WireCursor(bytes, in: point)
    while let range = cursor.nextPayload(of: .lengthDelimited(16)) { exemplars.append(readExemplar(range)) }
    if exemplars.isEmpty {
      cursor = WireCursor(bytes, in: point)
      while let bucket = cursor.nextPayload(of: .lengthDelimited(3)) {
        var fields = WireCursor(bytes, in: bucket)
        if let range = fields.nextPayload(of: .lengthDelimited(3)) { exemplars.append(readExemplar(range)) }
      }
    }
    return exemplars.filter { $0.timestamp != nil }
  }

  private var nativePoint: WireRange? {
    var cursor = WireCursor(bytes, in: metric.range)
    return cursor.nextPayload(of: .lengthDelimited(7))
  }

  private func readExemplar(_ range: WireRange) -> ExpositionExemplar {
    var exemplar = ExpositionExemplar(labels: LabelSet(), value: 0)
    var labels: [Label] = []
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(1): labels.append(label(field.value))
      case .fixed64(2): exemplar.value = Double(bitPattern: field.number)
      case .lengthDelimited(3):
        var time = WireCursor(bytes, in: WireRange(start: UInt32(field.start), end: field.value.end))
        _ = try? time.readTag()
        exemplar.timestamp = (try? time.readTime()) ?? nil
      default: break
      }
    }
    exemplar.labels = LabelSet(labels)
    return exemplar
  }
}

extension WireCursor {
  /// Steps over an Exemplar message whose labels are UTF-8.
  mutating func readExemplar() throws(WireError) -> WireRange {
    let start = offset
    var cursor = try readMessage()
    let range = WireRange(cursor.offset, cursor.end)
    while let tag = try cursor.nextTag() {
      switch tag {
      case .lengthDelimited(1): _ = try cursor.readLabelPair()
      case .lengthDelimited(3): _ = try cursor.readTime()
      default: try cursor.skip(tag)
      }
    }
    // An exemplar without anything in it is a value of zero; nobody sends one.
    return range.isEmpty ? WireRange(start, start) : range
  }
}
