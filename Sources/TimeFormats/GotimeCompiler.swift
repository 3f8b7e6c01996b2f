/// Compiles layouts of Go, which are an example: 2 January 2006, 15:04:05, seven hours west of Greenwich.
enum GotimeCompiler {
  static func compile(_ source: String) throws(TimeLayoutError) -> [TimeElement] {
    let bytes = Array(source.utf8)
    guard !bytes.isEmpty else { throw TimeLayoutError("the layout is empty", at: 0) }
    var elements: [TimeElement] = []
    var position = 0
    var isPlain = true
    while position < bytes.count {
      if let (element, length) = element(bytes, at: position) {
        elements.append(element)
        position += length
        isPlain = false
        continue
      }
      if bytes[position] == UInt8(ascii: "9"), position > 0, bytes[position - 1] != UInt8(ascii: "9") {
        let digits = bytes[position...].prefix { $0 == UInt8(ascii: "9") }
        throw TimeLayoutError(
          "\(String(decoding: digits, as: UTF8.self)) is a fraction of a second and must follow a dot or a comma",
          at: position)
      }
      TimeElement.append([bytes[position]], to: &elements)
      position += 1
    }
    if isPlain {
      let isStrptime = source.contains("%")
      throw TimeLayoutError(
        "the layout has no part of Go's reference time, Mon Jan 2 15:04:05 MST 2006",
        help: isStrptime
          ? "it looks like a layout of strptime: set layout_type: strptime"
          : "write the layout as that time would look, such as 2006-01-02 15:04:05", at: 0)
    }
    return elements
  }

  /// Texts that stand for one piece; a longer one comes before its beginning.
  private static let words: [(text: [UInt8], element: TimeElement)] = [
    ("January", TimeElement(piece: .longMonthName)), ("Monday", TimeElement(piece: .longWeekdayName)),
    ("MST", TimeElement(piece: .zoneName)), ("002", TimeElement(piece: .yearDay)),
    ("01", TimeElement(piece: .twoMonth)), ("02", TimeElement(piece: .twoDay)),
    ("03", TimeElement(piece: .twoHour12)), ("04", TimeElement(piece: .twoMinute)),
    ("05", TimeElement(piece: .twoSecond)), ("06", TimeElement(piece: .shortYear)),
    ("15", TimeElement(piece: .hour)), ("1", TimeElement(piece: .month)),
    ("2006", TimeElement(piece: .year)), ("2", TimeElement(piece: .day)),
    ("__2", TimeElement(piece: .spacedYearDay)), ("3", TimeElement(piece: .hour12)),
    ("4", TimeElement(piece: .minute)), ("5", TimeElement(piece: .second)),
    ("PM", TimeElement(piece: .upperMeridiem)), ("pm", TimeElement(piece: .lowerMeridiem)),
    ("-070000", .offset([.minutes, .seconds])), ("-07:00:00", .offset([.minutes, .seconds, .colons])),
    ("-0700", .offset([.minutes])), ("-07:00", .offset([.minutes, .colons])), ("-07", .offset([])),
    ("Z070000", .offset([.zulu, .minutes, .seconds])),
    ("Z07:00:00", .offset([.zulu, .minutes, .seconds, .colons])), ("Z0700", .offset([.zulu, .minutes])),
    ("Z07:00", .offset([.zulu, .minutes, .colons])), ("Z07", .offset([.zulu])),
  ].map { (Array($0.0.utf8), $0.1) }

  private static func element(_ bytes: [UInt8], at position: Int) -> (TimeElement, length: Int)? {
    let rest = bytes[position...]
    // `Jan` and `Mon` are none where a word goes on, as in `Month`.
    for (text, piece) in [("Jan", TimePiece.monthName), ("Mon", .weekdayName)]
    where rest.starts(with: text.utf8) {
      let isLong = rest.starts(with: "January".utf8) || rest.starts(with: "Monday".utf8)
      let goesOn = rest.dropFirst(3).first.map { (0x61...0x7A).contains($0) } ?? false
      if !isLong, !goesOn { return (TimeElement(piece: piece), 3) }
    }
    // `_2006` is an underscore and a year.
    if rest.starts(with: "_2".utf8), !rest.starts(with: "_2006".utf8) {
      return (TimeElement(piece: .spacedDay), 2)
    }
    for (text, element) in words where rest.starts(with: text) { return (element, text.count) }
    return fraction(rest)
  }

  /// A dot or comma with zeros, which must all be there, or nines, which need not.
  private static func fraction(_ rest: ArraySlice<UInt8>) -> (TimeElement, length: Int)? {
    guard let separator = rest.first, separator == UInt8(ascii: ".") || separator == UInt8(ascii: ","),
      let digit = rest.dropFirst().first, digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9")
    else { return nil }
    let digits = rest.dropFirst().prefix { $0 == digit }.count
    if let next = rest.dropFirst(1 + digits).first, (0x30...0x39).contains(next) { return nil }
    let count = UInt8(min(digits, 63)) | (separator == UInt8(ascii: ",") ? TimeElement.comma : 0)
    let piece: TimePiece = digit == UInt8(ascii: "0") ? .exactFraction : .fraction
    return (TimeElement(piece: piece, argument: count), 1 + digits)
  }
}
