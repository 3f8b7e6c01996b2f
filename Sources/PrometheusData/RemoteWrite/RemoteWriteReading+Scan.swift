internal import TelemetryData
internal import WireFormat

/// The first pass over a request: checks everything, and finds which series belong together.
struct RemoteWriteScan {
  let message: RemoteWriteReader.Message
  let metadata: RemoteWriteMetadataCache
  let limit: Int
  private(set) var groups = RemoteWriteGroups()
  private(set) var symbols: [WireRange] = []
  private(set) var written = RemoteWriteCounts()
  private(set) var rejectedSeries = 0
  private(set) var firstFault = ""
  private(set) var lostExemplars = 0
  /// Bytes of the batch, about, and never much less.
  private(set) var expected = 0
  private(set) var needsEmptySymbol = false
  private var series: [WireRange] = []
  private var infos: [(payload: WireRange, resource: Int, name: WireRange, facts: Facts)] = []
  private var looseExemplars: [(payload: WireRange, count: Int)] = []

  /// What one series holds besides labels.
  private struct Facts {
    var samples = 0
    var histograms = 0
    var exemplars = 0
    var kind = RemoteWriteKind.number
    var type: UInt8 = 0
    var help = WireRange(start: 0, end: 0)
    var unit = WireRange(start: 0, end: 0)
    /// Bytes of buckets, written out.
    var bucketBytes = 0
    var lastValue = 0.0
    var fault: RemoteWriteSeriesFault?
  }

  init(message: RemoteWriteReader.Message, metadata: RemoteWriteMetadataCache, limit: Int) {
    self.message = message
    self.metadata = metadata
    self.limit = limit
  }

  var isOverLimit: Bool { expected > limit }

  mutating func read(_ bytes: Span<UInt8>) throws(WireError) {
    try findParts(bytes)
    if message == .v2, !series.isEmpty, symbols.first.map({ !$0.isEmpty }) ?? true {
      needsEmptySymbol = true
      return
    }
    var labels = RemoteWriteLabelReading(message, symbols: symbols)
    for (position, payload) in series.enumerated() {
      let facts = try examine(bytes, payload, &labels)
      if let fault = facts.fault ?? labels.fault(bytes) {
        reject(fault, position, bytes)
      } else {
        place(facts, payload, position, labels.labels, bytes)
      }
      if isOverLimit { return }
    }
    if !looseExemplars.isEmpty { placeLooseExemplars(bytes) }
  }

  private mutating func reject(_ fault: RemoteWriteSeriesFault, _ position: Int, _ bytes: Span<UInt8>) {
    if rejectedSeries == 0 { firstFault = "series \(position + 1): \(fault.text(bytes))" }
    rejectedSeries += 1
  }

  /// Finds series, symbols and metadata, which may come in any order.
  private mutating func findParts(_ bytes: Span<UInt8>) throws(WireError) {
    let seriesTag = WireTag.lengthDelimited(message == .v1 ? 1 : 5)
    var cursor = WireCursor(bytes)
    while let tag = try cursor.nextTag() {
      if tag == seriesTag {
        series.append(try cursor.readLengthDelimited())
      } else if message == .v1, tag == .lengthDelimited(3) {
        try readMetadata(try cursor.readMessage())
      } else if message == .v2, tag == .lengthDelimited(4) {
        let symbol = try cursor.readLengthDelimited()
        let invalid = UTF8Check.firstInvalid(in: bytes, from: symbol.lowerBound, to: symbol.upperBound)
        symbols.append(invalid < 0 ? symbol : WireRange(start: 1, end: 0))
      } else {
        try cursor.skip(tag)
      }
    }
  }

  /// Keeps a `MetricMetadata` of 1.0.
  private func readMetadata(_ message: consuming WireCursor) throws(WireError) {
    var cursor = message
    var type: UInt64 = 0
    var texts = (family: WireRange(0, 0), help: WireRange(0, 0), unit: WireRange(0, 0))
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): type = try cursor.readVarint()
      case .lengthDelimited(2): texts.family = try cursor.readLengthDelimited()
      case .lengthDelimited(4): texts.help = try cursor.readLengthDelimited()
      case .lengthDelimited(5): texts.unit = try cursor.readLengthDelimited()
      default: try cursor.skip(tag)
      }
    }
    let bytes = cursor.bytes
    if texts.family.isEmpty { return }
    metadata.insert(
      bytes.extracting(texts.family.range),
      KnownMetadata(
        type: ExpositionType(rawValue: UInt8(truncatingIfNeeded: min(type, 255))) ?? .unknown,
        help: BytesView(bytes.extracting(texts.help.range)).string,
        unit: BytesView(bytes.extracting(texts.unit.range)).string))
  }

  /// Reads everything of a series once; `labels` then holds its labels.
  private func examine(
    _ bytes: Span<UInt8>, _ payload: WireRange, _ labels: inout RemoteWriteLabelReading
  ) throws(WireError) -> Facts {
    var facts = Facts()
    var isGauge = false
    var exemplarLabels = RemoteWriteLabelReading(message, symbols: symbols)
    let fields = RemoteWriteFields(message)
    labels.begin()
    var cursor = WireCursor(bytes, in: payload)
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      switch tag.fieldNumber {
      case 1:
        if let fault = try labels.readField(tag, at: start, &cursor) { facts.fault = facts.fault ?? fault }
      case fields.samples:
        try tag.expect(.lengthDelimited, at: start)
        let sample = try RemoteWriteSample(try cursor.readMessage(), message)
        if !sample.isRepresentable { facts.fault = facts.fault ?? .timestamp(sample.timestamp) }
        facts.samples += 1
        facts.lastValue = sample.value
      case fields.exemplars:
        try tag.expect(.lengthDelimited, at: start)
        let fault = try examineExemplar(bytes, try cursor.readLengthDelimited(), &exemplarLabels)
        facts.fault = facts.fault ?? fault
        facts.exemplars += 1
        for label in exemplarLabels.labels { facts.bucketBytes += label.name.count + label.value.count + 12 }
      case fields.histograms:
        try tag.expect(.lengthDelimited, at: start)
        let histogram = try NativeHistogram.Reading(try cursor.readMessage())
        let kind: RemoteWriteKind =
          histogram.value.schema == NativeHistogram.customBuckets ? .explicit : .exponential
        if let fault = histogram.value.fault { facts.fault = facts.fault ?? .histogram(fault) }
        if !histogram.isRepresentable { facts.fault = facts.fault ?? .timestamp(histogram.timestamp) }
        if facts.histograms > 0, kind != facts.kind { facts.fault = facts.fault ?? .mixedHistograms }
        facts.kind = kind
        if histogram.value.isGauge { isGauge = true }
        facts.histograms += 1
        if facts.fault == nil { facts.bucketBytes += histogram.value.writtenSize }
      case fields.metadata:
        try tag.expect(.lengthDelimited, at: start)
        try examineMetadata(try cursor.readMessage(), &facts)
      default:
        try cursor.skip(tag)
      }
    }
    if isGauge { facts.type = ExpositionType.gaugeHistogram.rawValue }
    if facts.samples > 0, facts.histograms > 0 { facts.fault = facts.fault ?? .samplesAndHistograms }
    if facts.samples + facts.histograms + facts.exemplars == 0 { facts.fault = facts.fault ?? .noSample }
    return facts
  }

  private func examineExemplar(
    _ bytes: Span<UInt8>, _ payload: WireRange, _ labels: inout RemoteWriteLabelReading
  ) throws(WireError) -> RemoteWriteSeriesFault? {
    labels.begin()
    var found: RemoteWriteSeriesFault?
    var cursor = WireCursor(bytes, in: payload)
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      if tag.fieldNumber == 1 {
        if let fault = try labels.readField(tag, at: start, &cursor) { found = found ?? fault }
      } else {
        try cursor.skip(tag)
      }
    }
    return found ?? labels.fault(bytes)
  }

  /// Reads the `Metadata` of a 2.0 series.
  private func examineMetadata(_ message: consuming WireCursor, _ facts: inout Facts) throws(WireError) {
    var cursor = message
    while let tag = try cursor.nextTag() {
      switch tag {
      case .varint(1): facts.type = UInt8(truncatingIfNeeded: min(try cursor.readVarint(), 255))
      case .varint(3): facts.help = symbol(try cursor.readVarint(), &facts)
      case .varint(4): facts.unit = symbol(try cursor.readVarint(), &facts)
      default: try cursor.skip(tag)
      }
    }
    if ExpositionType(rawValue: facts.type) == nil { facts.type = 0 }
  }

  private func symbol(_ reference: UInt64, _ facts: inout Facts) -> WireRange {
    guard reference < UInt64(symbols.count) else {
      facts.fault = facts.fault ?? .symbol(reference)
      return WireRange(start: 0, end: 0)
    }
    let place = symbols[Int(truncatingIfNeeded: reference)]
    if place.count < 0 { facts.fault = facts.fault ?? .notUTF8 }
    return place
  }

  /// Bytes of a point besides its attributes: tags, lengths, two times, a value and flags.
  private static let pointSize = 40

  /// Puts a valid series where it belongs.
  private mutating func place(
    _ facts: Facts, _ payload: WireRange, _ position: Int, _ labels: [RemoteWriteLabelPlace],
    _ bytes: Span<UInt8>
  ) {
    let none = WireRange(start: 0, end: 0)
    var (name, job, instance, scope) = (none, none, none, none)
    /// Bytes that the labels take at each point, and once for its resource and scope.
    var (size, sharedSize) = (0, 64)
    for label in labels {
      let key = bytes.extracting(label.name.range)
      let labelSize = label.name.count + label.value.count + 12
      if label.value.isEmpty { continue }
      if key.isSame(as: KnownLabel.name) {
        name = label.value
      } else if key.isSame(as: KnownLabel.job) {
        job = label.value
      } else if key.isSame(as: KnownLabel.instance) {
        instance = label.value
      } else if key.starts(with: KnownLabel.scopePrefix) {
        scope = scope.isEmpty ? label.field : WireRange(start: scope.start, end: label.field.end)
        sharedSize += labelSize
      } else {
        size += labelSize
      }
    }
    sharedSize += job.count + instance.count
    if name.isEmpty { return reject(.noName, position, bytes) }
    let points = facts.samples + facts.histograms
    if points == 0 {
      looseExemplars.append((payload, facts.exemplars))
      expected += facts.bucketBytes + 40 * facts.exemplars
      return
    }
    written.samples += facts.samples
    written.histograms += facts.histograms
    written.exemplars += facts.exemplars
    expected += points * (size + Self.pointSize) + facts.bucketBytes + 40 * facts.exemplars
    let (resources, scopes) = (groups.resources.count, groups.scopes.count)
    let resource = groups.resource(bytes, job: job, instance: instance)
    if facts.kind == .number, facts.lastValue == 1, facts.samples == 1, !(job.isEmpty && instance.isEmpty),
      bytes.extracting(name.range).isSame(as: KnownLabel.targetInfo)
    {
      infos.append((payload, resource, name, facts))
      expected += sharedSize
      return
    }
    let index = groups.scope(bytes, resource: resource, key: scope, of: payload)
    if groups.resources.count > resources || groups.scopes.count > scopes { expected += sharedSize }
    add(facts, payload, name, toScope: index, bytes)
  }

  private mutating func add(
    _ facts: Facts, _ payload: WireRange, _ name: WireRange, toScope scope: Int, _ bytes: Span<UInt8>
  ) {
    let (metric, isNew) = groups.metric(
      bytes, scope: scope, name: name, kind: facts.kind, type: facts.type, help: facts.help, unit: facts.unit)
    if isNew {
      let known = facts.type == 0 ? metadata.metadata(ofSeries: bytes.extracting(name.range)) : nil
      groups.setKnown(known, ofMetric: metric)
      expected += name.count + facts.help.count + facts.unit.count + 64
      if let known { expected += known.help.utf8.count + known.unit.utf8.count }
    }
    groups.add(payload, toMetric: metric)
  }

  /// Makes a `target_info` part of its resource where the request has other series of that resource, and a metric
  /// otherwise.
  mutating func placeTargetInfos(_ bytes: Span<UInt8>) {
    var labels = RemoteWriteLabelReading(message, symbols: symbols)
    for info in infos {
      let resource = groups.resources[info.resource]
      labels.load(bytes, info.payload)
      let isOther = labels.labels.contains { label in
        bytes.extracting(label.name.range).starts(with: KnownLabel.servicePrefix)
          || bytes.extracting(label.name.range).starts(with: KnownLabel.scopePrefix)
      }
      if resource.scopes.first >= 0, resource.info.isEmpty, !isOther, info.facts.exemplars == 0 {
        groups.setInfo(info.payload, ofResource: info.resource)
      } else {
        let key = scopeKey(labels.labels, bytes)
        let scope = groups.scope(bytes, resource: info.resource, key: key, of: info.payload)
        add(info.facts, info.payload, info.name, toScope: scope, bytes)
      }
    }
  }

  private func scopeKey(_ labels: [RemoteWriteLabelPlace], _ bytes: Span<UInt8>) -> WireRange {
    var key = WireRange(start: 0, end: 0)
    for label in labels where !label.value.isEmpty {
      guard bytes.extracting(label.name.range).starts(with: KnownLabel.scopePrefix) else { continue }
      key = key.isEmpty ? label.field : WireRange(start: key.start, end: label.field.end)
    }
    return key
  }

  /// Gives exemplars that came in series of their own to the first series with samples and the same labels.
  private mutating func placeLooseExemplars(_ bytes: Span<UInt8>) {
    var table = RemoteWriteTable()
    var labels = RemoteWriteLabelReading(message, symbols: symbols)
    var other = labels
    func find(_ hash: UInt64) -> Int? {
      var probe = table.probe(hash)
      while let found = table.next(&probe) {
        other.load(bytes, groups.series[found].payload)
        if labels.isSame(as: other, bytes) { return found }
      }
      return nil
    }
    for index in groups.series.indices {
      labels.load(bytes, groups.series[index].payload)
      let hash = labels.hash(bytes)
      // Each label set once, so that many of the same are not compared with each other.
      if find(hash) == nil { table.insert(index, hash) }
    }
    for loose in looseExemplars {
      labels.load(bytes, loose.payload)
      if let target = find(labels.hash(bytes)) {
        groups.add(exemplarsOf: loose.payload, toSeries: target)
        written.exemplars += loose.count
      } else {
        lostExemplars += loose.count
      }
    }
  }
}

/// The field numbers that the two messages do not share.
struct RemoteWriteFields {
  let samples: UInt32 = 2
  let histograms: UInt32
  let exemplars: UInt32
  /// 0 where there is none.
  let metadata: UInt32
  let created: UInt32

  init(_ message: RemoteWriteReader.Message) {
    switch message {
    case .v1: (histograms, exemplars, metadata, created) = (4, 3, 0, 0)
    case .v2: (histograms, exemplars, metadata, created) = (3, 4, 5, 6)
    }
  }
}

/// A sample of a series, the same in both versions but for the start time.
struct RemoteWriteSample {
  var value = 0.0
  /// Milliseconds since the Unix epoch.
  var timestamp: Int64 = 0
  /// Milliseconds since the Unix epoch; 0 for unknown.
  var start: Int64 = 0

  init(_ message: consuming WireCursor, _ version: RemoteWriteReader.Message) throws(WireError) {
    var cursor = message
    while let tag = try cursor.nextTag() {
      switch tag {
      case .fixed64(1): value = Double(bitPattern: try cursor.readFixed64())
      case .varint(2): timestamp = Int64(bitPattern: try cursor.readVarint())
      case .varint(3) where version == .v2: start = Int64(bitPattern: try cursor.readVarint())
      default: try cursor.skip(tag)
      }
    }
  }

  var isRepresentable: Bool { RemoteWriteTime.isRepresentable(timestamp) }
}

/// Times of remote write, in milliseconds, as OTLP's nanoseconds.
enum RemoteWriteTime {
  static func isRepresentable(_ milliseconds: Int64) -> Bool {
    milliseconds >= 0 && milliseconds <= Int64.max / 1_000_000
  }

  /// 0 where the time is unknown or cannot be told.
  static func nanoseconds(_ milliseconds: Int64) -> UInt64 {
    isRepresentable(milliseconds) ? UInt64(milliseconds) * 1_000_000 : 0
  }
}

extension RemoteWriteLabelReading {
  func hash(_ bytes: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 5
    for label in labels { hash = bytes.hash(label.value, bytes.hash(label.name, hash)) }
    return hash
  }

  func isSame(as other: RemoteWriteLabelReading, _ bytes: Span<UInt8>) -> Bool {
    guard labels.count == other.labels.count else { return false }
    for (mine, theirs) in zip(labels, other.labels) {
      if !bytes.isSame(mine.name, theirs.name) || !bytes.isSame(mine.value, theirs.value) { return false }
    }
    return true
  }
}
