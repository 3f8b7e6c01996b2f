/// Compiles layouts of strptime, with the directives of the Collector.
enum StrptimeCompiler {
  static func compile(_ source: String) throws(TimeLayoutError) -> [TimeElement] {
    let bytes = Array(source.utf8)
    guard !bytes.isEmpty else { throw TimeLayoutError("the layout is empty", at: 0) }
    if !bytes.contains(UInt8(ascii: "%")) {
      let isGo = ["2006", "15:04", "Jan"].contains { source.contains($0) }
      throw TimeLayoutError(
        "the layout has no directive such as %Y",
        help: isGo ? "it looks like a layout of Go: set layout_type: gotime" : nil, at: 0)
    }
    var elements: [TimeElement] = []
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == UInt8(ascii: "%") else {
        if (0x30...0x39).contains(byte) {
          throw TimeLayoutError(
            "a layout of strptime has no digits of its own",
            help: "write %L, %f or %s for fractions of a second", at: position)
        }
        TimeElement.append([byte], to: &elements)
        position += 1
        continue
      }
      guard position + 1 < bytes.count else {
        throw TimeLayoutError(
          "the layout ends with a lone %", help: "write %% for a percent sign", at: position)
      }
      let letter = bytes[position + 1]
      if let digits = fractions[letter] {
        elements.append(try fraction(digits, letter, before: position, &elements))
      } else if !append(directive: letter, to: &elements) {
        throw unknown(bytes, at: position)
      }
      position += 2
    }
    return elements
  }

  /// The directives of fractions, with their digits.
  private static let fractions: [UInt8: UInt8] = [
    UInt8(ascii: "L"): 3, UInt8(ascii: "f"): 6, UInt8(ascii: "s"): 9,
  ]

  /// A fraction takes over the dot or comma before it: both are left out when there is none.
  private static func fraction(
    _ digits: UInt8, _ letter: UInt8, before position: Int, _ elements: inout [TimeElement]
  ) throws(TimeLayoutError) -> TimeElement {
    guard let last = elements.last, last.piece == .literal,
      last.argument == UInt8(ascii: ".") || last.argument == UInt8(ascii: ",")
    else {
      let name = Character(Unicode.Scalar(letter))
      throw TimeLayoutError(
        "%\(name) is a fraction of a second and must follow a dot or a comma",
        help: name == "s" ? "for seconds since 1970 set layout_type: epoch and layout: s" : "write .%\(name)",
        at: position)
    }
    elements.removeLast()
    let comma = last.argument == UInt8(ascii: ",") ? TimeElement.comma : 0
    return TimeElement(piece: .fraction, argument: digits | comma | TimeElement.keepsZeros)
  }

  private static func append(directive letter: UInt8, to elements: inout [TimeElement]) -> Bool {
    if let expansion = expansions[letter] {
      for byte in expansion.utf8 {
        if byte == UInt8(ascii: "^") {
          elements.append(TimeElement(piece: .anyYear, isLenient: true))
        } else if (0x41...0x7A).contains(byte) {
          _ = append(directive: byte, to: &elements)
        } else {
          TimeElement.append([byte], to: &elements)
        }
      }
      return true
    }
    if let piece = pieces[letter] {
      elements.append(TimeElement(piece: piece, isLenient: piece.isNumber))
      return true
    }
    switch UnicodeScalar(letter) {
    case "z": elements.append(.offset([.zulu, .minutes, .any], isLenient: true))
    case "w": elements.append(.offset([.minutes, .seconds]))
    case "i": elements.append(.offset([]))
    case "j": elements.append(.offset([.minutes, .colons]))
    case "k": elements.append(.offset([.minutes, .seconds, .colons]))
    case "n": elements.append(.literal(0x0A))
    case "t": elements.append(.literal(0x09))
    case "%": elements.append(.literal(UInt8(ascii: "%")))
    default: return false
    }
    return true
  }

  private static let pieces: [UInt8: TimePiece] = [
    UInt8(ascii: "Y"): .year, UInt8(ascii: "y"): .shortYear, UInt8(ascii: "m"): .twoMonth,
    UInt8(ascii: "o"): .spacedMonth, UInt8(ascii: "q"): .month, UInt8(ascii: "b"): .monthName,
    UInt8(ascii: "h"): .monthName, UInt8(ascii: "B"): .longMonthName, UInt8(ascii: "d"): .twoDay,
    UInt8(ascii: "e"): .spacedDay, UInt8(ascii: "g"): .day, UInt8(ascii: "a"): .weekdayName,
    UInt8(ascii: "A"): .longWeekdayName, UInt8(ascii: "H"): .hour, UInt8(ascii: "I"): .twoHour12,
    UInt8(ascii: "l"): .hour12, UInt8(ascii: "p"): .upperMeridiem, UInt8(ascii: "P"): .lowerMeridiem,
    UInt8(ascii: "M"): .twoMinute, UInt8(ascii: "S"): .twoSecond, UInt8(ascii: "Z"): .zoneName,
  ]

  /// Directives made of others; `^` is a year of two digits or four.
  private static let expansions: [UInt8: String] = [
    UInt8(ascii: "D"): "m/d/^", UInt8(ascii: "x"): "m/d/^", UInt8(ascii: "F"): "Y-m-d",
    UInt8(ascii: "T"): "H:M:S", UInt8(ascii: "X"): "H:M:S", UInt8(ascii: "r"): "I:M:S P",
    UInt8(ascii: "R"): "H:M", UInt8(ascii: "c"): "a b d H:M:S Y",
  ]

  /// What to write in place of directives that other programs know.
  private static let advice: [Character: String] = [
    "N": "write %s for nanoseconds", "Q": "write %L for milliseconds", "G": "write %Y for the year",
    "C": "write %Y for the whole year", "E": "write the directive without the E",
    "O": "write the directive without the O", "u": "write %a for the weekday", "U": "a week gives no date",
    "V": "a week gives no date", "W": "a week gives no date", "v": "write %e-%b-%Y",
    "+": "write %a %b %e %H:%M:%S %Z %Y", ":": "write %j for +hh:mm, or %z for any offset",
    "3": "write %L for milliseconds", "6": "write %f for microseconds", "9": "write %s for nanoseconds",
    "-": "numbers without leading zeros are read by the plain directive",
    "_": "numbers with spaces in front are read by the plain directive",
    "^": "names are read in upper and lower case by the plain directive",
  ]

  private static func unknown(_ bytes: [UInt8], at position: Int) -> TimeLayoutError {
    let rest = String(decoding: bytes[(position + 1)...], as: UTF8.self)
    let name = rest.first ?? " "
    var help = advice[name]
    if help == nil {
      // Of most directives the other case exists.
      let other = name.isUppercase ? name.lowercased() : name.uppercased()
      if "YymoqbhBdegaAHIlpPMSLfsZzwijkDxFTXrRntc".contains(other) { help = "did you mean %\(other)?" }
    }
    return TimeLayoutError("there is no directive %\(name)", help: help, at: position)
  }
}

extension TimePiece {
  /// Whether it is read from digits.
  var isNumber: Bool {
    switch self {
    case .year, .shortYear, .anyYear, .month, .twoMonth, .spacedMonth, .day, .twoDay, .spacedDay, .hour,
      .hour12, .twoHour12, .minute, .twoMinute, .second, .twoSecond:
      true
    default: false
    }
  }
}
