internal import TelemetryData
internal import WireFormat

/// What the tags of a span say about its fields, its resource and its links, and which tags stay attributes.
struct ZipkinTagReading {
  /// What Jaeger has a name for too.
  private(set) var fields: JaegerTagReading
  /// For each tag whether it is an attribute, of the span or of its resource.
  private(set) var isKept: [Bool]
  /// For each tag whether it describes the process.
  private(set) var isOfResource: [Bool]
  /// The key that the name of the service goes to, where that is not `service.name`.
  private(set) var serviceNameSource: WireRange?
  /// Links of the span, encoded as `Span.Link`.
  private(set) var links: [[UInt8]] = []

  init(_ span: ZipkinSpan, _ text: Span<UInt8>) {
    let isLast = RepeatedKeys.areLast(span.tags[...], in: text)
    fields = JaegerTagReading(span.tags, isKept: isLast, in: text, readsHTTPStatus: false)
    isKept = fields.isKept
    isOfResource = [Bool](repeating: false, count: span.tags.count)
    var numbered: [(Int, [UInt8])] = []
    var error: Int?
    for (position, tag) in span.tags.enumerated() where isKept[position] {
      let key = text.extracting(tag.key.range)
      if key.hasSameBytes(as: JaegerName.error.utf8.span) {
        error = position
      } else if key.hasSameBytes(as: ZipkinName.serviceNameSource.utf8.span) {
        serviceNameSource = tag.value.isEmpty ? nil : tag.value
        isKept[position] = false
      } else if let number = Self.linkNumber(key) {
        guard let link = ZipkinPieces(text.extracting(tag.value.range)).link else { continue }
        numbered.append((number, link))
        isKept[position] = false
      } else if Self.mayBeOfResource(key), ZipkinName.isOfResource(BytesView(key).string) {
        isOfResource[position] = true
      }
    }
    links = numbered.sorted { $0.0 < $1.0 }.map(\.1)
    if let error { readError(error, span.tags[error], text) }
  }

  /// `error` alone makes a span one that failed, as Zipkin sees it, whatever its value: usually that is a message.
  private mutating func readError(_ position: Int, _ tag: JaegerTag, _ text: Span<UInt8>) {
    let value = text.extracting(tag.value.range)
    if value.hasSameBytes(as: "false".utf8.span) { return }
    let wasSaid = fields.status == 2
    fields.setError()
    if value.hasSameBytes(as: "true".utf8.span) || value.isEmpty {
      isKept[position] = false
    } else if fields.statusText.isEmpty {
      fields.setStatusText(tag.value)
      if wasSaid { isKept[position] = false }
    }
  }

  /// Whether a tag with a key is an attribute of the span.
  func has(_ key: String, _ span: ZipkinSpan) -> Bool {
    let text = span.text.span
    for (position, tag) in span.tags.enumerated() where isKept[position] {
      if text.extracting(tag.key.range).hasSameBytes(as: key.utf8.span) { return true }
    }
    return false
  }

  /// The number behind `otlp.link.`, of up to three digits.
  private static func linkNumber(_ key: Span<UInt8>) -> Int? {
    let prefix = ZipkinName.link.utf8.span
    guard key.count > prefix.count, key.count <= prefix.count + 3,
      key.extracting(first: prefix.count).hasSameBytes(as: prefix)
    else { return nil }
    return Int(BytesView(key.extracting(droppingFirst: prefix.count)).string)
  }

  /// A look at the first character spares most keys the look-up.
  private static func mayBeOfResource(_ key: Span<UInt8>) -> Bool {
    guard key.count > 5, key.count < 40 else { return false }
    switch key[0] {
    case UInt8(ascii: "a"), UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "f"), UInt8(ascii: "h"),
      UInt8(ascii: "k"), UInt8(ascii: "o"), UInt8(ascii: "p"), UInt8(ascii: "s"), UInt8(ascii: "t"),
      UInt8(ascii: "w"):
      return true
    default: return false
    }
  }
}

/// What a tag's text reads like, see `parse_string_tags`.
enum ZipkinTagValue {
  case text
  case integer(Int64)
  case double(Double)
  case bool(Bool)

  init(_ text: Span<UInt8>) {
    self = .text
    if text.hasSameBytes(as: "true".utf8.span) {
      self = .bool(true)
    } else if text.hasSameBytes(as: "false".utf8.span) {
      self = .bool(false)
    } else if let isWhole = Self.isWholeNumber(text) {
      let string = BytesView(text).string
      if isWhole {
        if let number = Int64(string) { self = .integer(number) }
      } else if let number = Double(string), number.isFinite {
        self = .double(number)
      }
    }
  }

  /// Whether a text is a number without (true) or with (false) a fraction, both with digits on every side; nil when it is
  /// none.
  private static func isWholeNumber(_ text: Span<UInt8>) -> Bool? {
    // Longer ones are no numbers that anybody counts with.
    guard (1...64).contains(text.count) else { return nil }
    var position = text[0] == 0x2D ? 1 : 0
    var point: Int?
    let first = position
    while position < text.count {
      if text[position] == 0x2E, point == nil, position > first {
        point = position
      } else if text[position] &- 0x30 >= 10 {
        return nil
      }
      position += 1
    }
    if position == first { return nil }
    if let point { return point == text.count - 1 ? nil : false }
    return true
  }
}
