import WireFormat

@testable import ConfigSchema
@testable import LogData
@testable import NativeCodecs

/// What must hold for any stream of bytes that is cut into records.
///
/// The first byte chooses the encoding, the second the boundary, the third the limit and what becomes of longer records;
/// the fourth how the bytes are divided.
enum LineOracle {
  private static let encodings: [TextEncoding] =
    [
      "utf-8", "utf-8-raw", "utf-16le", "utf-16be", "latin1", "shift_jis", "iso-2022-jp", "utf-32le",
      "ibm037", "nop",
    ]
    .compactMap { TextEncoding(named: $0) }
  private static let patterns = ["^\\d", "START", "^$", "^", "END$", "END\\d*", ";", "$", "\\s+", "a*"]

  static func check(_ input: [UInt8]) throws {
    guard input.count >= 4 else { return }
    let encoding = encodings[Int(input[0] >> 3) % encodings.count]
    let framing = try framing(encoding, input)
    let body = Array(input[4...])
    let whole = try cut(body, framing, [body[...]])
    var chunks = Chunks(seed: UInt64(input[3]))
    let parts = try cut(body, framing, chunks.cut(body))
    // What a pattern matches in text that is malformed or reaches over lines may depend on what follows it.
    let isFirm = !framing.hasPattern || isFirm(body, encoding, input[1])
    try require(!isFirm || whole.lines == parts.lines, "the records depend on how the stream is divided")
    try require(!isFirm || whole.texts == parts.texts, "the texts depend on how the stream is divided")
    for result in [whole, parts] { try checkPositions(result.lines, framing, count: body.count) }
    try checkTexts(whole.texts, encoding)
    try checkGzip(body, seed: UInt64(input[3]))
  }

  private static func framing(_ encoding: TextEncoding, _ input: [UInt8]) throws -> LineFraming {
    var boundary = LineBoundary.lineFeed
    let choice = Int(input[1] & 63)
    if encoding != .bytes, choice > 20 {
      let pattern = try demand("a pattern") {
        BoundaryPattern(try Pattern(patterns[choice % patterns.count], matchesLines: true))
      }
      boundary =
        choice & 1 == 0
        ? .start(pattern, omits: input[1] & 64 != 0) : .end(pattern, omits: input[1] & 64 != 0)
    }
    return LineFraming(
      encoding: encoding, boundary: boundary, limit: input[2] < 128 ? 1 + Int(input[2] & 31) : 1 << 20,
      oversize: input[2] & 32 == 0 ? .split : .truncate, trimsLeading: input[2] & 64 == 0,
      trimsTrailing: input[0] & 1 == 0)
  }

  /// Whether a match within complete lines is one for ever.
  private static func isFirm(_ body: [UInt8], _ encoding: TextEncoding, _ choice: UInt8) -> Bool {
    guard patterns[Int(choice & 63) % patterns.count] != "\\s+" else { return false }
    return encoding == .utf8 || encoding == .utf8Raw || encoding == .latin1
  }

  private static func cut(
    _ body: [UInt8], _ framing: LineFraming, _ chunks: [ArraySlice<UInt8>]
  ) throws -> (lines: [FramedLine], texts: [[UInt8]]) {
    var framer = LineFramer(framing)
    var buffer: [UInt8] = []
    var lines: [FramedLine] = []
    var texts: [[UInt8]] = []
    var given = 0
    func take(_ input: LineFramer.Input) throws {
      var cursor = 0
      while let line = framer.next(in: buffer.span, at: &cursor, input) {
        lines.append(
          FramedLine(
            text: 0..<line.text.count, start: line.start, end: line.end, isTruncated: line.isTruncated))
        texts.append(Array(buffer[line.text]))
        // Part of a unit, or a carriage return whose line feed is missing, may stand at the end.
        let most = framing.limit + 2 * framing.units.width
        try require(line.text.count <= most, "\(line.text.count) bytes in a record")
      }
      buffer.removeFirst(cursor)
      try require(
        Int(framer.offset) == given - buffer.count,
        "at \(framer.offset) with \(buffer.count) of \(given) left")
    }
    for chunk in chunks {
      buffer += chunk
      given += chunk.count
      try take(.flowing)
      try require(buffer.count < framing.longestRest, "\(buffer.count) bytes at hand, and no record")
    }
    try take(.ended)
    try require(buffer.isEmpty, "\(buffer.count) bytes are left at the end")
    return (lines, texts)
  }

  /// Records come one after the other; between them lies only what was cut off.
  private static func checkPositions(_ lines: [FramedLine], _ framing: LineFraming, count: Int) throws {
    var position: UInt64 = 0
    var mayGap = true
    for line in lines {
      try require(line.start >= position && line.end > line.start, "a record at \(line.start)..<\(line.end)")
      try require(mayGap || line.start == position, "bytes \(position)..<\(line.start) are lost")
      position = line.end
      mayGap = line.isTruncated
      try require(!mayGap || framing.oversize == .truncate, "a record is truncated")
    }
    try require(Int(position) <= count && (mayGap || position == UInt64(count)), "the end is at \(position)")
  }

  private static func checkTexts(_ texts: [[UInt8]], _ encoding: TextEncoding) throws {
    var decoder = LineDecoder(encoding)
    for text in texts {
      switch decoder.decode(text.span) {
      case .text: try require(UTF8Check.isValid(text.span), "the text of a record is no UTF-8")
      case .converted:
        try require(UTF8Check.isValid(decoder.converted.span), "the converted text is no UTF-8")
        let converted = decoder.converted
        try require(
          decoder.length(of: text.span, convertedTo: converted.count) <= text.count,
          "more bytes than there are")
      case .bytes: try require(encoding == .bytes || encoding == .utf8Raw, "text became bytes")
      }
    }
  }

  /// However a gzip file is read, it gives the same.
  private static func checkGzip(_ body: [UInt8], seed: UInt64) throws {
    let whole = read(body, piece: body.count, room: 1 << 20)
    let parts = read(body, piece: 3 + Int(seed % 61), room: 1 + Int(seed))
    try require(whole.isDamaged == parts.isDamaged, "a damaged file is one only in parts")
    if whole.isDamaged { return }
    try require(whole.output == parts.output, "the output depends on how the file is read")
    try require(whole.problem == parts.problem, "what is wrong depends on how the file is read")
  }

  private static func read(
    _ file: [UInt8], piece: Int, room: Int
  ) -> (output: [UInt8], problem: GzipStream.Problem?, isDamaged: Bool) {
    let stream = GzipStream()
    var output: [UInt8] = []
    while output.count < 1 << 20 {
      let place = Int(stream.compressedOffset)
      let bytes = Array(file[place..<min(place + piece, file.count)])
      guard let isDone = try? stream.read(bytes.span, to: &output, room: room) else {
        return (output, nil, true)
      }
      let isStuck = isDone && Int(stream.compressedOffset) == place && bytes.count < 3
      if isDone, Int(stream.compressedOffset) == file.count || isStuck || stream.hasGarbage { break }
    }
    return (output, stream.problemAtEnd, false)
  }

  static var seeds: [[UInt8]] {
    let texts = [
      "one line\nanother\r\n\n  three  \nlast", "1 START a\nb\n2 START c END1\nd END\n\nSTART", "a;b;;c",
      String(repeating: "long ", count: 60) + "\nshort\n",
    ]
    let bytes = texts.map { Array($0.utf8) } + [texts[0].utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }]
    let choices: [[UInt8]] = [
      [0, 0, 255, 1], [8, 0, 7, 2], [16, 0, 39, 3], [0, 30, 255, 2], [1, 41, 20, 6], [32, 50, 52, 1],
    ]
    let gzip = (try? Compressor(.gzip).compress(bytes[3])) ?? []
    return choices.flatMap { choice in bytes.map { choice + $0 } } + [[0, 0, 255, 7] + gzip + gzip]
  }
}
