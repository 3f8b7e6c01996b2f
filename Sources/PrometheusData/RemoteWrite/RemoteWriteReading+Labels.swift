internal import WireFormat

/// A label where it stands in a request.
struct RemoteWriteLabelPlace {
  var name: WireRange
  var value: WireRange
  /// The label's field in a 1.0 series, or its two references in a 2.0 series.
  var field: WireRange
}

/// What is wrong with a series, so that it is left out.
enum RemoteWriteSeriesFault {
  case noName
  case emptyLabelName
  case unsorted(WireRange)
  case duplicate(WireRange)
  case notUTF8
  case symbol(UInt64)
  case oddReferences
  case noSample
  case samplesAndHistograms
  case timestamp(Int64)
  case histogram(NativeHistogram.Fault)
  case mixedHistograms

  func text(_ bytes: Span<UInt8>) -> String {
    switch self {
    case .noName: return "the label __name__ is missing"
    case .emptyLabelName: return "a label has an empty name"
    case .unsorted(let name):
      return "labels are not sorted by name: \(Self.quoted(name, bytes)) comes too late"
    case .duplicate(let name): return "the label \(Self.quoted(name, bytes)) is there twice"
    case .notUTF8: return "a label is not valid UTF-8"
    case .symbol(let reference): return "symbol \(reference) is not in the table"
    case .oddReferences: return "labels_refs must be pairs of a name and a value"
    case .noSample: return "a series has neither a sample nor a histogram"
    case .samplesAndHistograms: return "a series has both samples and histograms"
    case .timestamp(let time): return "timestamp \(time) cannot be represented"
    case .histogram(let fault): return fault.rawValue
    case .mixedHistograms: return "a series has both exponential and custom buckets"
    }
  }

  private static func quoted(_ name: WireRange, _ bytes: Span<UInt8>) -> String {
    var text: [UInt8] = []
    for position in name.range.prefix(80) { text.append(bytes[position]) }
    return "\"" + String(decoding: text, as: UTF8.self) + "\""
  }
}

/// Finds the labels of series and exemplars; one value is used for many, so that its memory is.
struct RemoteWriteLabelReading {
  let message: RemoteWriteReader.Message
  /// The strings of a 2.0 request; one that is not UTF-8 ends before it starts.
  let symbols: [WireRange]
  private(set) var labels: [RemoteWriteLabelPlace] = []
  private var pendingName: UInt64?
  private var pendingStart = 0

  init(_ message: RemoteWriteReader.Message, symbols: [WireRange]) {
    self.message = message
    self.symbols = symbols
  }

  mutating func begin() {
    labels.removeAll(keepingCapacity: true)
    pendingName = nil
  }

  /// Reads field 1 of a series or exemplar, `labels` or `labels_refs`, whose tag was just read.
  ///
  /// - Returns: What is wrong with the labels by themselves.
  mutating func readField(
    _ tag: WireTag, at start: Int, _ cursor: inout WireCursor
  ) throws(WireError) -> RemoteWriteSeriesFault? {
    switch (message, tag.type) {
    case (.v1, .lengthDelimited):
      var label = try cursor.readMessage()
      var place = RemoteWriteLabelPlace(
        name: WireRange(start: 0, end: 0), value: WireRange(start: 0, end: 0),
        field: WireRange(start, cursor.offset))
      while let tag = try label.nextTag() {
        switch tag {
        case .lengthDelimited(1): place.name = try label.readLengthDelimited()
        case .lengthDelimited(2): place.value = try label.readLengthDelimited()
        default: try label.skip(tag)
        }
      }
      labels.append(place)
      let bytes = cursor.bytes
      let isText =
        UTF8Check.firstInvalid(in: bytes, from: place.name.lowerBound, to: place.name.upperBound) < 0
        && UTF8Check.firstInvalid(in: bytes, from: place.value.lowerBound, to: place.value.upperBound) < 0
      return isText ? nil : .notUTF8
    case (.v2, .lengthDelimited):
      var packed = try cursor.readMessage()
      var fault: RemoteWriteSeriesFault?
      while !packed.isAtEnd {
        let start = packed.offset
        let reference = try packed.readVarint()
        fault = append(reference, WireRange(start, packed.offset)) ?? fault
      }
      return fault
    case (.v2, .varint):
      let reference = try cursor.readVarint()
      return append(reference, WireRange(start, cursor.offset))
    default: throw WireError(.wrongWireType, at: start)
    }
  }

  private mutating func append(_ reference: UInt64, _ place: WireRange) -> RemoteWriteSeriesFault? {
    guard let name = pendingName else {
      pendingName = reference
      pendingStart = place.lowerBound
      return nil
    }
    pendingName = nil
    let last = max(name, reference)
    guard last < UInt64(symbols.count) else { return .symbol(last) }
    let place = RemoteWriteLabelPlace(
      name: symbols[Int(truncatingIfNeeded: name)], value: symbols[Int(truncatingIfNeeded: reference)],
      field: WireRange(pendingStart, place.upperBound))
    if place.name.count < 0 || place.value.count < 0 { return .notUTF8 }
    labels.append(place)
    return nil
  }

  /// What is wrong with the labels together: each name once, in the order of their bytes, and none without a name.
  func fault(_ bytes: Span<UInt8>) -> RemoteWriteSeriesFault? {
    if pendingName != nil { return .oddReferences }
    for position in labels.indices {
      let name = labels[position].name
      if name.isEmpty { return .emptyLabelName }
      if position == 0 { continue }
      let order = bytes.extracting(labels[position - 1].name.range).order(bytes.extracting(name.range))
      if order == 0 { return .duplicate(name) }
      if order > 0 { return .unsorted(name) }
    }
    return nil
  }

  /// Reads the labels of a series or exemplar that has been found valid.
  mutating func load(_ bytes: Span<UInt8>, _ payload: WireRange) {
    begin()
    var cursor = WireCursor(bytes, in: payload)
    do throws(WireError) {
      while !cursor.isAtEnd {
        let start = cursor.offset
        let tag = try cursor.readTag()
        if tag.fieldNumber == 1 {
          _ = try readField(tag, at: start, &cursor)
        } else {
          try cursor.skip(tag)
        }
      }
    } catch {
      labels.removeAll(keepingCapacity: true)
    }
  }
}

extension Span where Element == UInt8 {
  /// How two byte strings are ordered: below, at or above 0.
  func order(_ other: Span<UInt8>) -> Int {
    let shared = Swift.min(count, other.count)
    var position = 0
    while position < shared {
      let difference = Int(self[position]) - Int(other[position])
      if difference != 0 { return difference }
      position &+= 1
    }
    return count - other.count
  }

  /// Whether these are the same bytes as others.
  func isSame(as other: [UInt8]) -> Bool { hasSameBytes(as: other.span) }

  /// Whether the bytes begin with others.
  func starts(with prefix: [UInt8]) -> Bool {
    count >= prefix.count && extracting(first: prefix.count).hasSameBytes(as: prefix.span)
  }
}

/// Labels that mean something to OpenTelemetry.
enum KnownLabel {
  static let name = Array("__name__".utf8)
  static let job = Array("job".utf8)
  static let instance = Array("instance".utf8)
  static let scopePrefix = Array("otel_scope_".utf8)
  static let scopeName = Array("otel_scope_name".utf8)
  static let scopeVersion = Array("otel_scope_version".utf8)
  static let scopeSchemaURL = Array("otel_scope_schema_url".utf8)
  static let servicePrefix = Array("service.".utf8)
  static let bound = Array("le".utf8)
  static let quantile = Array("quantile".utf8)
  static let traceID = Array("trace_id".utf8)
  static let spanID = Array("span_id".utf8)
  static let targetInfo = Array("target_info".utf8)
}
