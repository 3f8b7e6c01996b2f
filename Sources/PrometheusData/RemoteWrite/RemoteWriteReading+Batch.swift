internal import TelemetryData
internal import WireFormat

/// The second pass over a request: writes an OTLP export request from series whose places are known.
struct RemoteWriteBatchWriting: ~Copyable {
  private let message: RemoteWriteReader.Message
  private let fields: RemoteWriteFields
  private let symbols: [WireRange]
  private var writer: WireWriter
  /// The attributes of one series, written once for all its samples.
  private var attributes = WireWriter(capacity: 512)
  private var labels: RemoteWriteLabelReading
  private var exemplars: RemoteWriteExemplarWriting

  init(message: RemoteWriteReader.Message, symbols: [WireRange], capacity: Int) {
    self.message = message
    self.symbols = symbols
    fields = RemoteWriteFields(message)
    writer = WireWriter(capacity: capacity)
    labels = RemoteWriteLabelReading(message, symbols: symbols)
    exemplars = RemoteWriteExemplarWriting(message, symbols: symbols)
  }

  consuming func write(_ scan: RemoteWriteScan, _ bytes: Span<UInt8>) -> [UInt8] {
    let groups = scan.groups
    for resource in groups.resources where resource.scopes.first >= 0 {
      let mark = writer.beginMessage(1)
      writeResource(resource, bytes)
      var scope = resource.scopes.first
      while scope >= 0 {
        let entry = groups.scopes[Int(scope)]
        writeScope(entry, groups, bytes)
        scope = entry.next
      }
      writer.endMessage(mark)
    }
    return writer.finish()
  }

  private mutating func writeResource(_ resource: RemoteWriteGroups.Resource, _ bytes: Span<UInt8>) {
    let mark = writer.beginMessage(1)
    let (namespace, name) = Self.service(resource.job, bytes)
    if !namespace.isEmpty { writer.attribute(1, ResourceKey.namespace, bytes.extracting(namespace.range)) }
    if !name.isEmpty { writer.attribute(1, ResourceKey.name, bytes.extracting(name.range)) }
    if !resource.instance.isEmpty {
      writer.attribute(1, ResourceKey.instance, bytes.extracting(resource.instance.range))
    }
    if !resource.info.isEmpty {
      labels.load(bytes, resource.info)
      for label in labels.labels where !label.value.isEmpty {
        let key = bytes.extracting(label.name.range)
        if key.isSame(as: KnownLabel.name) || key.isSame(as: KnownLabel.job)
          || key.isSame(as: KnownLabel.instance)
        {
          continue
        }
        writer.attribute(1, key, bytes.extracting(label.value.range))
      }
    }
    writer.endMessage(mark)
  }

  /// `namespace/name`, where both are there; else the whole is the name, so that it comes back as it was.
  private static func service(_ job: WireRange, _ bytes: Span<UInt8>) -> (WireRange, WireRange) {
    let none = WireRange(start: 0, end: 0)
    var position = job.lowerBound
    while position < job.upperBound, bytes[position] != UInt8(ascii: "/") { position += 1 }
    guard position > job.lowerBound, position + 1 < job.upperBound else { return (none, job) }
    return (WireRange(job.lowerBound, position), WireRange(position + 1, job.upperBound))
  }

  private mutating func writeScope(
    _ scope: RemoteWriteGroups.Scope, _ groups: RemoteWriteGroups, _ bytes: Span<UInt8>
  ) {
    let mark = writer.beginMessage(2)
    let schemaURL = writeScopeFields(scope, bytes)
    var metric = scope.metrics.first
    while metric >= 0 {
      let entry = groups.metrics[Int(metric)]
      writeMetric(entry, groups, bytes)
      metric = entry.next
    }
    if !schemaURL.isEmpty { writer.bytesField(3, bytes.extracting(schemaURL.range)) }
    writer.endMessage(mark)
  }

  /// Writes the `InstrumentationScope` and returns where its schema URL stands.
  private mutating func writeScopeFields(
    _ scope: RemoteWriteGroups.Scope, _ bytes: Span<UInt8>
  ) -> WireRange {
    var schemaURL = WireRange(start: 0, end: 0)
    let mark = writer.beginMessage(1)
    if !scope.key.isEmpty {
      labels.load(bytes, scope.example)
      for label in labels.labels where !label.value.isEmpty {
        let key = bytes.extracting(label.name.range)
        guard key.starts(with: KnownLabel.scopePrefix) else { continue }
        let value = bytes.extracting(label.value.range)
        if key.isSame(as: KnownLabel.scopeName) {
          writer.bytesField(1, value)
        } else if key.isSame(as: KnownLabel.scopeVersion) {
          writer.bytesField(2, value)
        } else if key.isSame(as: KnownLabel.scopeSchemaURL) {
          schemaURL = label.value
        } else {
          writer.attribute(3, key.extracting(droppingFirst: KnownLabel.scopePrefix.count), value)
        }
      }
    }
    writer.endMessage(mark)
    return schemaURL
  }

  private mutating func writeMetric(
    _ metric: RemoteWriteGroups.Metric, _ groups: RemoteWriteGroups, _ bytes: Span<UInt8>
  ) {
    var type = metric.known?.type ?? ExpositionType(rawValue: metric.type) ?? .unknown
    if metric.kind != .number, type != .gaugeHistogram { type = .histogram }
    let mark = writer.beginMessage(2)
    writer.bytesField(1, bytes.extracting(metric.name.range))
    if let known = metric.known {
      if !known.help.isEmpty { writer.stringField(2, known.help) }
      if !known.unit.isEmpty { writer.stringField(3, known.unit) }
    } else {
      if !metric.help.isEmpty { writer.bytesField(2, bytes.extracting(metric.help.range)) }
      if !metric.unit.isEmpty { writer.bytesField(3, bytes.extracting(metric.unit.range)) }
    }
    let data = writer.beginMessage(Self.data(of: metric.kind, type).rawValue)
    var series = metric.series.first
    while series >= 0 {
      let entry = groups.series[Int(series)]
      loadAttributes(entry.payload, metric.kind, bytes)
      switch metric.kind {
      case .number: writeSamples(entry, groups, bytes)
      case .exponential, .explicit: writeHistograms(entry, metric.kind, groups, bytes)
      }
      series = entry.next
    }
    switch Self.data(of: metric.kind, type) {
    case .sum:
      writer.varintField(2, 2)
      if type == .counter { writer.varintField(3, 1) }
    case .histogram, .exponentialHistogram: writer.varintField(2, 2)
    case .gauge, .summary: break
    }
    writer.endMessage(data)
    writer.attribute(12, ResourceKey.type, Array(type.word.utf8))
    writer.endMessage(mark)
  }

  private static func data(of kind: RemoteWriteKind, _ type: ExpositionType) -> MetricKind {
    switch (kind, type) {
    case (.exponential, _): .exponentialHistogram
    case (.explicit, _): .histogram
    case (.number, .counter), (.number, .info), (.number, .stateSet): .sum
    case (.number, _): .gauge
    }
  }

  /// Writes the labels of a series that are not about its name, resource or scope.
  private mutating func loadAttributes(
    _ payload: WireRange, _ kind: RemoteWriteKind, _ bytes: Span<UInt8>
  ) {
    let number: UInt32 =
      switch kind {
      case .number: 7
      case .exponential: 1
      case .explicit: 9
      }
    labels.load(bytes, payload)
    attributes.removeAll()
    for label in labels.labels where !label.value.isEmpty {
      let key = bytes.extracting(label.name.range)
      if key.isSame(as: KnownLabel.name) || key.isSame(as: KnownLabel.job)
        || key.isSame(as: KnownLabel.instance) || key.starts(with: KnownLabel.scopePrefix)
      {
        continue
      }
      attributes.attribute(number, key, bytes.extracting(label.value.range))
    }
  }

  private mutating func writeAttributes() { Self.append(attributes, to: &writer) }

  private static func append(_ source: borrowing WireWriter, to writer: inout WireWriter) {
    writer.write(source.bytes)
  }

  private mutating func writeSamples(
    _ series: RemoteWriteGroups.Series, _ groups: RemoteWriteGroups, _ bytes: Span<UInt8>
  ) {
    let created = seriesCreated(series.payload, bytes)
    let last = lastPoint(series.payload, fields.samples, bytes)
    let wanted = WireTag.lengthDelimited(fields.samples)
    var cursor = WireCursor(bytes, in: series.payload)
    while let payload = cursor.nextPayload(of: wanted) {
      guard let sample = try? RemoteWriteSample(WireCursor(bytes, in: payload), message) else { continue }
      let mark = writer.beginMessage(1)
      writeTimes(start: sample.start == 0 ? created : sample.start, sample.timestamp)
      let isStale = StaleMarker.isStale(sample.value)
      if !isStale { writer.doubleField(4, sample.value) }
      if payload == last { writeExemplars(5, of: series, groups, bytes) }
      writeAttributes()
      if isStale { writer.varintField(8, 1) }
      writer.endMessage(mark)
    }
  }

  private mutating func writeHistograms(
    _ series: RemoteWriteGroups.Series, _ kind: RemoteWriteKind, _ groups: RemoteWriteGroups,
    _ bytes: Span<UInt8>
  ) {
    let created = seriesCreated(series.payload, bytes)
    let last = lastPoint(series.payload, fields.histograms, bytes)
    let wanted = WireTag.lengthDelimited(fields.histograms)
    let isExponential = kind == .exponential
    var cursor = WireCursor(bytes, in: series.payload)
    while let payload = cursor.nextPayload(of: wanted) {
      guard let histogram = try? NativeHistogram.Reading(WireCursor(bytes, in: payload)) else { continue }
      let mark = writer.beginMessage(1)
      if isExponential { writeAttributes() }
      writeTimes(start: histogram.start == 0 ? created : histogram.start, histogram.timestamp)
      let isStale = StaleMarker.isStale(histogram.value.sum)
      if !isStale {
        if isExponential {
          histogram.value.writeExponential(&writer)
        } else {
          histogram.value.writeExplicit(&writer)
        }
      }
      if payload == last { writeExemplars(isExponential ? 11 : 8, of: series, groups, bytes) }
      if !isExponential { writeAttributes() }
      if isStale { writer.varintField(10, 1) }
      writer.endMessage(mark)
    }
  }

  private mutating func writeTimes(start: Int64, _ time: Int64) {
    let start = RemoteWriteTime.nanoseconds(start)
    if start != 0 { writer.fixed64Field(2, start) }
    let time = RemoteWriteTime.nanoseconds(time)
    if time != 0 { writer.fixed64Field(3, time) }
  }

  /// The time in milliseconds at which a 2.0 series says it was created; 0 for unknown.
  private func seriesCreated(_ payload: WireRange, _ bytes: Span<UInt8>) -> Int64 {
    if fields.created == 0 { return 0 }
    return Int64(bitPattern: WireMessage(bytes, payload).number(.varint(fields.created)))
  }

  /// The last sample or histogram of a series, which its exemplars go with.
  private func lastPoint(_ payload: WireRange, _ number: UInt32, _ bytes: Span<UInt8>) -> WireRange {
    WireMessage(bytes, payload).payload(number)
  }

  private mutating func writeExemplars(
    _ number: UInt32, of series: RemoteWriteGroups.Series, _ groups: RemoteWriteGroups, _ bytes: Span<UInt8>
  ) {
    exemplars.write(number, series.payload, bytes, &writer)
    var other = series.exemplars.first
    while other >= 0 {
      let entry = groups.exemplarSeries[Int(other)]
      exemplars.write(number, entry.payload, bytes, &writer)
      other = entry.next
    }
  }
}

/// Writes the exemplars of series.
struct RemoteWriteExemplarWriting {
  private let tag: WireTag
  private var labels: RemoteWriteLabelReading

  init(_ message: RemoteWriteReader.Message, symbols: [WireRange]) {
    tag = .lengthDelimited(RemoteWriteFields(message).exemplars)
    labels = RemoteWriteLabelReading(message, symbols: symbols)
  }

  /// Writes those of one series as fields of a number.
  mutating func write(
    _ number: UInt32, _ series: WireRange, _ bytes: Span<UInt8>, _ writer: inout WireWriter
  ) {
    var cursor = WireCursor(bytes, in: series)
    while let payload = cursor.nextPayload(of: tag) {
      let message = WireMessage(bytes, payload)
      let mark = writer.beginMessage(number)
      let time = RemoteWriteTime.nanoseconds(Int64(bitPattern: message.number(.varint(3))))
      if time != 0 { writer.fixed64Field(2, time) }
      writer.doubleField(3, Double(bitPattern: message.number(.fixed64(2))))
      labels.load(bytes, payload)
      for label in labels.labels where !label.value.isEmpty {
        let key = bytes.extracting(label.name.range)
        let value = bytes.extracting(label.value.range)
        if key.isSame(as: KnownLabel.traceID), value.isID(digits: 32) {
          writer.hexField(5, value)
        } else if key.isSame(as: KnownLabel.spanID), value.isID(digits: 16) {
          writer.hexField(4, value)
        } else {
          writer.attribute(7, key, value)
        }
      }
      writer.endMessage(mark)
    }
  }
}

private enum ResourceKey {
  static let namespace = Array("service.namespace".utf8)
  static let name = Array("service.name".utf8)
  static let instance = Array("service.instance.id".utf8)
  static let type = Array("prometheus.type".utf8)
}

extension WireWriter {
  /// Writes a `KeyValue` field with a string value.
  fileprivate mutating func attribute(_ number: UInt32, _ key: Span<UInt8>, _ value: Span<UInt8>) {
    let text = Varint.fieldLength(1, payload: value.count)
    writeTag(.lengthDelimited(number))
    writeVarint(UInt64(Varint.fieldLength(1, payload: key.count) + Varint.fieldLength(2, payload: text)))
    bytesField(1, key)
    writeTag(.lengthDelimited(2))
    writeVarint(UInt64(text))
    bytesField(1, value)
  }

  fileprivate mutating func attribute(_ number: UInt32, _ key: [UInt8], _ value: Span<UInt8>) {
    attribute(number, key.span, value)
  }

  fileprivate mutating func attribute(_ number: UInt32, _ key: [UInt8], _ value: [UInt8]) {
    attribute(number, key.span, value.span)
  }

  /// Writes an id given as 16 or 32 lower-case hexadecimal digits.
  fileprivate mutating func hexField(_ number: UInt32, _ digits: Span<UInt8>) {
    writeTag(.lengthDelimited(number))
    writeVarint(UInt64(digits.count / 2))
    for half in 0..<digits.count / 16 {
      var value: UInt64 = 0
      for position in 16 * half..<16 * half + 16 {
        let digit = digits[position]
        value = value << 4 | UInt64(digit < 58 ? digit - 48 : digit - 87)
      }
      writeFixed64(value.byteSwapped)
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether these are so many lower-case hexadecimal digits, not all zero.
  fileprivate func isID(digits: Int) -> Bool {
    guard count == digits else { return false }
    var isZero = true
    for position in indices {
      let digit = self[position]
      guard (48...57).contains(digit) || (97...102).contains(digit) else { return false }
      if digit != 48 { isZero = false }
    }
    return !isZero
  }
}
