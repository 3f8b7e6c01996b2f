@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// Reads lists of spans in Zipkin's second JSON format (zipkin-api `zipkin2-api.yaml`).
///
/// Members may come in any order and may be `null`; those that are not known are stepped over. A tag that is no string
/// is taken as it is written.
struct ZipkinJSONReader {
  /// What an object is, whose members are read.
  private enum Object { case span, local, remote, annotation, tags }

  private var span = ZipkinSpan()
  /// Of the span at hand, for messages.
  private var index = 0

  init() {}

  mutating func read(_ text: Span<UInt8>, into writer: inout ZipkinSpanWriter) throws(TraceFormatError) {
    var scanner = JSONScanner(text)
    do throws(JSONFault) {
      scanner.skipSpace()
      var goesOn = try scanner.takeOpening(0x5B, closing: 0x5D, .array)
      while goesOn {
        let isSpan = try readSpan(&scanner)
        if isSpan, !write(to: &writer) { throw JSONFault(.tooLarge, at: scanner.position) }
        index += 1
        goesOn = try scanner.takeSeparator(closing: 0x5D, .commaOrBracket)
      }
      scanner.skipSpace()
      if scanner.position < text.count { throw JSONFault(.trailingText, at: scanner.position) }
    } catch {
      throw failure(error, text)
    }
  }

  private func failure(_ fault: JSONFault, _ text: Span<UInt8>) -> TraceFormatError {
    if fault.reason == .tooLarge { return TraceFormatError(.tooLarge, at: fault.offset) }
    let shown = OTLPJSONError(fault, path: "[\(index)]", in: text)
    return TraceFormatError(.json("malformed Zipkin JSON: \(shown)"), at: fault.offset)
  }

  /// Whether there was room for the span.
  private func write(to writer: inout ZipkinSpanWriter) -> Bool {
    do throws(TraceFormatError) {
      try writer.write(span)
      return true
    } catch {
      return false
    }
  }

  /// Whether there was a span, and not `null`.
  private mutating func readSpan(_ scanner: inout JSONScanner) throws(JSONFault) -> Bool {
    let isNull = try scanner.takeNull()
    if isNull { return false }
    span.reset()
    try readMembers(&scanner, of: .span)
    return true
  }

  private mutating func readMembers(_ scanner: inout JSONScanner, of object: Object) throws(JSONFault) {
    var goesOn = try scanner.takeOpening(0x7B, closing: 0x7D, .object)
    while goesOn {
      let key = try text(&scanner, .name)
      scanner.skipSpace()
      try scanner.take(0x3A, .colon)
      scanner.skipSpace()
      let isNull = try scanner.takeNull()
      if !isNull { try readMember(key, of: object, &scanner) }
      goesOn = try scanner.takeSeparator(closing: 0x7D, .commaOrBrace)
    }
  }

  private mutating func readMember(
    _ key: [UInt8], of object: Object, _ scanner: inout JSONScanner
  ) throws(JSONFault) {
    let name = String(decoding: key, as: UTF8.self)
    switch object {
    case .span: try readSpanMember(name, &scanner)
    case .local: try readEndpointMember(name, \.local, &scanner)
    case .remote: try readEndpointMember(name, \.remote, &scanner)
    case .annotation: try readAnnotationMember(name, &scanner)
    case .tags:
      let value = try anyText(&scanner)
      let place = span.keep(key.span)
      span.addTag(place, span.keep(value.span))
    }
  }

  private mutating func readSpanMember(_ name: String, _ scanner: inout JSONScanner) throws(JSONFault) {
    switch name {
    case "traceId":
      let digits = try text(&scanner)
      (span.traceHigh, span.traceLow) = Self.id(digits) ?? (0, 0)
    case "id":
      let digits = try text(&scanner)
      span.id = Self.shortID(digits)
    case "parentId":
      let digits = try text(&scanner)
      span.parent = Self.shortID(digits)
    case "kind":
      let kind = try text(&scanner)
      span.kind = ZipkinSpan.kind(String(decoding: kind, as: UTF8.self))
    case "name": span.name = try keptText(&scanner)
    case "timestamp": span.timestamp = try number(&scanner)
    case "duration": span.duration = try number(&scanner)
    case "localEndpoint": try readMembers(&scanner, of: .local)
    case "remoteEndpoint": try readMembers(&scanner, of: .remote)
    case "annotations": try readAnnotations(&scanner)
    case "tags": try readMembers(&scanner, of: .tags)
    default: try scanner.skipValue()
    }
  }

  private mutating func readAnnotations(_ scanner: inout JSONScanner) throws(JSONFault) {
    var goesOn = try scanner.takeOpening(0x5B, closing: 0x5D, .array)
    while goesOn {
      let isNull = try scanner.takeNull()
      if !isNull {
        span.annotations.append(ZipkinAnnotation())
        try readMembers(&scanner, of: .annotation)
      }
      goesOn = try scanner.takeSeparator(closing: 0x5D, .commaOrBracket)
    }
  }

  private mutating func readAnnotationMember(
    _ name: String, _ scanner: inout JSONScanner
  ) throws(JSONFault) {
    let last = span.annotations.count - 1
    switch name {
    case "timestamp": span.annotations[last].time = try number(&scanner)
    case "value": span.annotations[last].value = try keptText(&scanner)
    default: try scanner.skipValue()
    }
  }

  private mutating func readEndpointMember(
    _ name: String, _ side: WritableKeyPath<ZipkinSpan, ZipkinEndpoint>, _ scanner: inout JSONScanner
  ) throws(JSONFault) {
    var endpoint = span[keyPath: side]
    switch name {
    case "serviceName": endpoint.service = try keptText(&scanner)
    case "ipv4": endpoint.ipv4 = try keptText(&scanner)
    case "ipv6": endpoint.ipv6 = try keptText(&scanner)
    case "port":
      let port = try number(&scanner)
      endpoint.port = port <= 65_535 ? port : 0
    default: try scanner.skipValue()
    }
    span[keyPath: side] = endpoint
  }

  // Values.

  /// A string with its escapes resolved.
  private func text(
    _ scanner: inout JSONScanner, _ expectation: OTLPJSONError.Expectation = .string
  ) throws(JSONFault) -> [UInt8] {
    let raw = try scanner.takeString(expectation)
    if !raw.hasEscapes { return BytesView(scanner.text.extracting(raw.start..<raw.end)).array }
    return try scanner.resolved(raw)
  }

  private mutating func keptText(_ scanner: inout JSONScanner) throws(JSONFault) -> WireRange {
    let bytes = try text(&scanner)
    return span.keep(bytes.span)
  }

  /// A string, or another value as it is written.
  private func anyText(_ scanner: inout JSONScanner) throws(JSONFault) -> [UInt8] {
    if scanner.next == 0x22 { return try text(&scanner) }
    let start = scanner.position
    try scanner.skipValue()
    return BytesView(scanner.text.extracting(start..<scanner.position)).array
  }

  /// A whole number from zero up.
  private func number(_ scanner: inout JSONScanner) throws(JSONFault) -> UInt64 {
    let start = scanner.position
    guard scanner.next == 0x2D || JSONCharacters.isDigit(scanner.next) else {
      throw scanner.unexpected(.number)
    }
    let number = try JSONNumber(scanner.text, at: start, allowingLeadingZeros: false)
    guard !number.isNegative || number.significand == 0, let value = number.magnitude else {
      throw JSONFault(.numberOutOfRange, at: start)
    }
    scanner.position = number.end
    return value
  }

  /// Up to 32 hexadecimal digits; nil when there is something else.
  private static func id(_ text: [UInt8]) -> (high: UInt64, low: UInt64)? {
    guard (1...32).contains(text.count) else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for byte in text {
      guard let digit = JSONCharacters.hexValue(byte) else { return nil }
      high = high << 4 | low >> 60
      low = low << 4 | UInt64(digit)
    }
    return (high, low)
  }

  /// Up to 16 hexadecimal digits; 0 when there is something else.
  private static func shortID(_ text: [UInt8]) -> UInt64 {
    text.count <= 16 ? id(text)?.low ?? 0 : 0
  }
}
