internal import ConfigSchema
internal import NIOCore

/// Reads the requests of an HTTP/1.1 connection out of its bytes (RFC 9112).
///
/// Strict wherever two readers could see different requests in the same bytes: lines end in CRLF, nothing stands between
/// a name and its colon, no field is folded, and the length of a body is said once and in one way. What it says does
/// not depend on how the bytes are cut. It keeps no bytes: what it cannot use yet stays in the buffer, which the limits
/// bound.
struct HTTPRequestReader {
  /// What the next bytes are.
  enum Part {
    case head(RequestHead)
    /// Some of the body, without what frames it.
    case body(ByteBuffer)
    case end
  }

  enum Failure: Error, Equatable {
    /// What is wrong with it.
    case malformed(String)
    /// The request line, or the fields of head or trailer, are more than the limits allow.
    case tooLong
  }

  private enum State {
    case requestLine
    case fields
    /// So many bytes of the body are to come.
    case length(Int)
    case chunkSize
    /// So many bytes of the chunk are to come, and the end of its line.
    case chunk(Int)
    case trailers
  }

  /// Bytes of a line that says how long a chunk is, extensions included.
  private static let maxChunkLine = 8 << 10

  private let maxHeaderBytes: Int
  private let maxHeaderCount: Int
  private var state = State.requestLine
  /// Where in the buffer the current line starts, and how far it was looked at.
  private var lineStart = 0
  private var scanned = 0
  /// Whether the blank after the method was seen.
  private var isBehindMethod = false
  /// Bytes and number of the fields so far, trailers included.
  private var fieldBytes = 0
  private var fieldCount = 0
  private var head = RequestHead()

  init(_ limits: ServerLimits) {
    maxHeaderBytes = limits.maxHeaderBytes.bytes
    maxHeaderCount = limits.maxHeaderCount
  }

  /// Takes the next part out of the buffer; nil when more bytes are needed for it. Not to be called again after a
  /// failure.
  ///
  /// - Parameter buffer: what the last call left, and what came since then behind it.
  mutating func next(from buffer: inout ByteBuffer) throws(Failure) -> Part? {
    while true {
      switch state {
      case .requestLine:
        skipEmptyLines(&buffer)
        guard try readRequestLine(buffer.readableBytesUInt8Span) else { return nil }
      case .fields:
        guard try readFields(buffer.readableBytesUInt8Span) else { return nil }
        return .head(try takeHead(&buffer))
      case .length(let left):
        if left == 0 { return end() }
        guard let bytes = Self.takeBody(left, from: &buffer) else { return nil }
        state = .length(left - bytes.readableBytes)
        return .body(bytes)
      case .chunkSize:
        guard let line = try readChunkSize(buffer.readableBytesUInt8Span) else { return nil }
        buffer.moveReaderIndex(forwardBy: line)
      case .chunk(0):
        guard try readChunkEnd(buffer.readableBytesUInt8Span) else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
      case .chunk(let left):
        guard let bytes = Self.takeBody(left, from: &buffer) else { return nil }
        state = .chunk(left - bytes.readableBytes)
        return .body(bytes)
      case .trailers:
        guard let line = try readTrailer(buffer.readableBytesUInt8Span) else { return nil }
        buffer.moveReaderIndex(forwardBy: line)
        if line == 2 { return end() }
      }
    }
  }

  /// As much as there is, but no more than is left of the body; nil when there is nothing.
  private static func takeBody(_ left: Int, from buffer: inout ByteBuffer) -> ByteBuffer? {
    buffer.readableBytes == 0 ? nil : buffer.readSlice(length: min(left, buffer.readableBytes))
  }

  private mutating func end() -> Part {
    state = .requestLine
    (fieldBytes, fieldCount) = (0, 0)
    return .end
  }

  // MARK: Lines

  /// How the bytes of a line are looked at.
  private enum LineKind {
    case request, field, chunk
  }

  /// The end of the line that starts at `lineStart`, without its CRLF; nil when it has not come.
  private mutating func endOfLine(_ bytes: Span<UInt8>, _ kind: LineKind, atMost limit: Int) throws(Failure)
    -> Int?
  {
    let (stop, count) = (scan(bytes, kind), bytes.count)
    scanned = stop
    if stop - lineStart > limit {
      throw kind == .chunk ? .malformed("the chunk extensions are too long") : .tooLong
    }
    if stop == count { return nil }
    guard bytes[stop] == Byte.carriageReturn else { throw Self.unexpected(bytes[stop], kind) }
    if stop + 1 == count { return nil }
    guard bytes[stop + 1] == Byte.lineFeed else { throw .malformed("a line ends in CR without LF") }
    return stop
  }

  /// Where the line has a byte that cannot stand in it, such as the one that ends it.
  private mutating func scan(_ bytes: Span<UInt8>, _ kind: LineKind) -> Int {
    var at = scanned
    let end = bytes.count
    if kind == .request {
      while at < end, !isBehindMethod {
        guard HTTPToken.isNameByte(bytes[at]) else {
          guard bytes[at] == Byte.space, at > lineStart else { return at }
          isBehindMethod = true
          break
        }
        at += 1
      }
    }
    while at < end, bytes[at] >= Byte.space && bytes[at] != Byte.delete || bytes[at] == Byte.tab { at += 1 }
    return at
  }

  private static func unexpected(_ byte: UInt8, _ kind: LineKind) -> Failure {
    if byte == Byte.lineFeed { return .malformed("a line ends in LF without CR") }
    switch kind {
    case .request: return .malformed("this is no request line of HTTP/1.1")
    case .field: return .malformed("a header field holds a control character")
    case .chunk: return .malformed("the size of a chunk is no hexadecimal number")
    }
  }

  private mutating func beginLine(at place: Int) {
    lineStart = place
    scanned = place
  }

  // MARK: Heads

  /// Some clients send an empty line after a body (RFC 9112 §2.2).
  private func skipEmptyLines(_ buffer: inout ByteBuffer) {
    while scanned == 0, buffer.readableBytesUInt8Span.starts(with: Byte.carriageReturn, Byte.lineFeed) {
      buffer.moveReaderIndex(forwardBy: 2)
    }
  }

  /// Whether the request line is complete; its bytes stay in the buffer until the fields are.
  private mutating func readRequestLine(_ bytes: Span<UInt8>) throws(Failure) -> Bool {
    // Half of an empty line.
    if bytes.count == 1, bytes[0] == Byte.carriageReturn { return false }
    guard let end = try endOfLine(bytes, .request, atMost: maxHeaderBytes) else { return false }
    try head.setRequestLine(bytes, end: end)
    beginLine(at: end + 2)
    state = .fields
    return true
  }

  /// Whether all fields of the head are there; its bytes stay in the buffer.
  private mutating func readFields(_ bytes: Span<UInt8>) throws(Failure) -> Bool {
    while let end = try endOfLine(bytes, .field, atMost: maxFieldLine) {
      let start = lineStart
      beginLine(at: end + 2)
      if end == start { return true }
      try count(end - start)
      try head.add(try HeaderFields.Place(bytes, from: start, to: end), in: bytes)
    }
    return false
  }

  /// The bytes that the next field may have: a colon and a blank are not counted.
  private var maxFieldLine: Int { maxHeaderBytes - fieldBytes + 2 }

  private mutating func count(_ line: Int) throws(Failure) {
    fieldBytes += max(1, line - 2)
    fieldCount += 1
    if fieldCount > maxHeaderCount || fieldBytes > maxHeaderBytes { throw .tooLong }
  }

  private mutating func takeHead(_ buffer: inout ByteBuffer) throws(Failure) -> RequestHead {
    var head = head
    self.head = RequestHead()
    try head.finish(buffer.readBytes(length: lineStart) ?? [])
    beginLine(at: 0)
    isBehindMethod = false
    switch head.framing {
    case .length(let length): state = .length(length)
    case .chunked: state = .chunkSize
    }
    return head
  }

  // MARK: Chunks

  /// Bytes of the line, nil when it is not there.
  private mutating func readChunkSize(_ bytes: Span<UInt8>) throws(Failure) -> Int? {
    guard let end = try endOfLine(bytes, .chunk, atMost: Self.maxChunkLine) else { return nil }
    var (size, at) = (0, 0)
    while at < end, let digit = Self.hexDigit(bytes[at]) {
      // A length that no body has, and that no sum overflows with.
      guard size < 1 << 55 else { throw .malformed("the size of a chunk is too large") }
      size = size << 4 | digit
      at += 1
    }
    guard at > 0, at == end || bytes[at] == UInt8(ascii: ";") else {
      throw .malformed("the size of a chunk is no hexadecimal number")
    }
    guard Self.areExtensions(bytes, at..<end) else { throw .malformed("a chunk extension is malformed") }
    beginLine(at: 0)
    state = size == 0 ? .trailers : .chunk(size)
    return end + 2
  }

  /// Whether bytes are `;name`, `;name=value` or `;name="value"`, any number of them (RFC 9112 §7.1.1).
  private static func areExtensions(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var (at, end) = (range.lowerBound, range.upperBound)
    func token() -> Bool {
      let start = at
      while at < end, HTTPToken.isNameByte(bytes[at]) { at += 1 }
      return at > start
    }
    func quoted() -> Bool {
      at += 1
      while at < end, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
      at += 1
      return at <= end
    }
    while at < end {
      guard bytes[at] == UInt8(ascii: ";") else { return false }
      at += 1
      guard token() else { return false }
      guard at < end, bytes[at] == UInt8(ascii: "=") else { continue }
      at += 1
      guard at < end, bytes[at] == UInt8(ascii: "\"") ? quoted() : token() else { return false }
    }
    return true
  }

  private static func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x37
    case 0x61...0x66: Int(byte) - 0x57
    default: nil
    }
  }

  /// Whether the end of a chunk is there.
  private mutating func readChunkEnd(_ bytes: Span<UInt8>) throws(Failure) -> Bool {
    if bytes.count > 0, bytes[0] != Byte.carriageReturn || bytes.count > 1 && bytes[1] != Byte.lineFeed {
      throw .malformed("a chunk is longer than its size says")
    }
    if bytes.count < 2 { return false }
    state = .chunkSize
    return true
  }

  /// Bytes of the next line of the trailer section, which is checked and dropped; 2 for its end.
  private mutating func readTrailer(_ bytes: Span<UInt8>) throws(Failure) -> Int? {
    guard let end = try endOfLine(bytes, .field, atMost: maxFieldLine) else { return nil }
    beginLine(at: 0)
    if end > 0 {
      try count(end)
      let field = try HeaderFields.Place(bytes, from: 0, to: end)
      for name in ["content-length", "transfer-encoding"] where HeaderFields.matches(bytes, field.name, name)
      {
        throw .malformed("a trailer says how long the body is")
      }
    }
    return end + 2
  }

  /// Bytes of the message syntax.
  enum Byte {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let delete: UInt8 = 0x7F
  }
}

extension Span<UInt8> {
  fileprivate func starts(with first: UInt8, _ second: UInt8) -> Bool {
    count > 1 && self[0] == first && self[1] == second
  }
}
