@testable import LogData
@testable import NativeCodecs

/// Streams cut into lines of about 200 bytes, as nginx writes them; items are lines.
extension Operation {
  static func lines() throws -> [Operation] {
    let lines = accessLines().prefix(1300)
    let text = Array(lines.joined(separator: [0x0A])) + [0x0A]
    let wide = text.flatMap { [$0, 0] as [UInt8] }
    let start = LineBoundary.start(BoundaryPattern(try Pattern("^\\d+\\.", matchesLines: true)), omits: false)
    return [
      cutting("log lines: cut and checked", lines.count, text, LineFraming(), goal: 20),
      cutting(
        "log lines: cut and read as UTF-16", lines.count, wide, LineFraming(encoding: .utf16LittleEndian)),
      cutting("log lines: cut before a pattern", lines.count, text, LineFraming(boundary: start)),
    ]
  }

  private static func cutting(
    _ name: String, _ count: Int, _ bytes: [UInt8], _ framing: LineFraming, goal: Double? = nil
  ) -> Operation {
    Operation(name, items: count, goal: goal, bytes: bytes.count) {
      var framer = LineFramer(framing)
      var decoder = LineDecoder(framing.encoding)
      var cursor = 0
      var sum = 0
      while let line = framer.next(in: bytes.span, at: &cursor, .ended) {
        if decoder.decode(bytes.span.extracting(line.text)) != .bytes { sum &+= line.text.count }
      }
      return sum
    }
  }
}
