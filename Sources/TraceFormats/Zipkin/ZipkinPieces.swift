@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// The pieces between `|` of a text in which the Collector carries what Zipkin has no fields for.
struct ZipkinPieces: ~Escapable {
  private let text: Span<UInt8>
  private var pieces: [WireRange] = []

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) {
    self.text = text
    var start = 0
    for index in text.indices where text[index] == UInt8(ascii: "|") {
      pieces.append(WireRange(start, index))
      start = index + 1
    }
    pieces.append(WireRange(start, text.count))
  }

  var count: Int { pieces.count }
  var first: WireRange? { pieces.first }

  /// The last piece as a count of what was dropped.
  var droppedCount: UInt64? {
    pieces.last.flatMap { UInt32(BytesView(text.extracting($0.range)).string) }.map(UInt64.init)
  }

  /// The attributes that stand as JSON between a piece and the last one, each a field of a message; nil when they are no
  /// JSON, or there is no count behind them.
  func attributes(from position: Int, field: UInt32) -> [UInt8]? {
    guard pieces.count > position + 1, droppedCount != nil else { return nil }
    // The JSON may hold the separator.
    let range = pieces[position].lowerBound..<pieces[pieces.count - 2].upperBound
    var scanner = JSONScanner(text.extracting(range))
    guard let attributes = try? Self.attributes(&scanner) else { return nil }
    var writer = WireWriter(capacity: range.count + 64)
    writer.attributeFields(field, attributes)
    return writer.finish()
  }

  private static func attributes(_ scanner: inout JSONScanner) throws(JSONFault) -> Attributes {
    var attributes = Attributes()
    scanner.skipSpace()
    var goesOn = try scanner.takeOpening(0x7B, closing: 0x7D, .object)
    while goesOn {
      let key = try string(&scanner)
      scanner.skipSpace()
      try scanner.take(0x3A, .colon)
      scanner.skipSpace()
      attributes.append(key, try value(&scanner))
      goesOn = try scanner.takeSeparator(closing: 0x7D, .commaOrBrace)
    }
    scanner.skipSpace()
    if scanner.position < scanner.text.count { throw JSONFault(.trailingText, at: scanner.position) }
    return attributes
  }

  private static func value(_ scanner: inout JSONScanner) throws(JSONFault) -> AnyValue {
    let start = scanner.position
    switch scanner.next {
    case 0x22: return .string(try string(&scanner))
    case 0x74, 0x66: return .bool(try scanner.takeBoolean())
    case 0x2D, 0x30...0x39:
      let number = try JSONNumber(scanner.text, at: start, allowingLeadingZeros: false)
      scanner.position = number.end
      let value = number.double(scanner.text, from: start)
      return Int64(exactly: value).map { .int($0) } ?? .double(value)
    default:
      // Lists and objects stay what they are.
      try scanner.skipValue()
      return .string(BytesView(scanner.text.extracting(start..<scanner.position)).string)
    }
  }

  private static func string(_ scanner: inout JSONScanner) throws(JSONFault) -> String {
    let raw = try scanner.takeString()
    if !raw.hasEscapes { return BytesView(scanner.text.extracting(raw.start..<raw.end)).string }
    return String(decoding: try scanner.resolved(raw), as: UTF8.self)
  }

  /// `trace id|span id|tracestate|attributes as JSON|count of those that were dropped` as a `Span.Link`; nil when it is
  /// something else.
  var link: [UInt8]? {
    guard pieces.count >= 5, let attributes = attributes(from: 3, field: 4),
      let traceID = Self.bytes(text.extracting(pieces[0].range), count: 16),
      let spanID = Self.bytes(text.extracting(pieces[1].range), count: 8)
    else { return nil }
    var writer = WireWriter(capacity: attributes.count + 64)
    if !traceID.isEmpty { writer.bytesField(1, traceID) }
    if !spanID.isEmpty { writer.bytesField(2, spanID) }
    if !pieces[2].isEmpty { writer.textField(3, text.extracting(pieces[2].range)) }
    writer.write(attributes.span)
    if let dropped = droppedCount, dropped > 0 { writer.varintField(5, dropped) }
    return writer.finish()
  }

  /// The bytes that hexadecimal digits stand for: so many, or none.
  private static func bytes(_ digits: Span<UInt8>, count: Int) -> [UInt8]? {
    if digits.isEmpty { return [] }
    guard digits.count == count * 2 else { return nil }
    var bytes: [UInt8] = []
    for index in 0..<count {
      guard let high = JSONCharacters.hexValue(digits[index * 2]),
        let low = JSONCharacters.hexValue(digits[index * 2 + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}

extension JSONScanner {
  /// The bytes of a string with its escapes resolved.
  func resolved(_ raw: RawString) throws(JSONFault) -> [UInt8] {
    var bytes: [UInt8] = []
    var place = raw.start
    while place < raw.end {
      let stop = endOfPlain(from: place, to: raw.end)
      BytesView(text.extracting(place..<stop)).append(to: &bytes)
      place = stop
      if place == raw.end { break }
      let (scalar, next) = try unescape(at: place, to: raw.end)
      bytes.append(contentsOf: String(Character(scalar)).utf8)
      place = next
    }
    return bytes
  }
}
