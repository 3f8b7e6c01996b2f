/// What stands where in the text of a pattern, which need not be right.
enum PatternSpelling {
  /// The pattern with its named groups as older versions of RE2 want them: `(?P<name>…)`, where Go takes `(?<name>…)` too.
  static func olderGroups(of text: String) -> String {
    guard text.contains("(?<") else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var copied = 0
    for place in parentheses(in: bytes) where bytes[place...].starts(with: "(?<".utf8) {
      // Looking behind, which does not exist, is told by its own name.
      if place + 3 < bytes.count,
        bytes[place + 3] == UInt8(ascii: "=") || bytes[place + 3] == UInt8(ascii: "!")
      {
        continue
      }
      result += bytes[copied..<place + 2]
      result.append(UInt8(ascii: "P"))
      copied = place + 2
    }
    result += bytes[copied...]
    return String(decoding: result, as: UTF8.self)
  }

  /// The offsets of the parentheses that are neither escaped nor in a class.
  static func parentheses(in bytes: [UInt8]) -> [Int] {
    var places: [Int] = []
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"):
        if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "Q") {
          index = endOfQuotation(bytes, from: index + 2)
          continue
        }
        index += 1
      case UInt8(ascii: "["): index = endOfClass(bytes, from: index + 1)
      case UInt8(ascii: "("), UInt8(ascii: ")"): places.append(index)
      default: break
      }
      index += 1
    }
    return places
  }

  /// The offset behind `\E`.
  private static func endOfQuotation(_ bytes: [UInt8], from start: Int) -> Int {
    var index = start
    while index + 1 < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "E") { return index + 2 }
      index += 1
    }
    return bytes.count
  }

  /// The offset of the bracket that closes a class; one that stands first is an element.
  private static func endOfClass(_ bytes: [UInt8], from start: Int) -> Int {
    var index = start
    if index < bytes.count, bytes[index] == UInt8(ascii: "^") { index += 1 }
    var isFirst = true
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "]") where !isFirst: return index
      case UInt8(ascii: "\\"): index += 1
      case UInt8(ascii: "[") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: ":"):
        if let end = endOfNamedClass(bytes, from: index + 2) { index = end }
      default: break
      }
      isFirst = false
      index += 1
    }
    return index
  }

  /// The offset of the bracket that closes `[:name:]`.
  private static func endOfNamedClass(_ bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index + 1 < bytes.count, bytes[index] != UInt8(ascii: "]") {
      if bytes[index] == UInt8(ascii: ":"), bytes[index + 1] == UInt8(ascii: "]") { return index + 1 }
      index += 1
    }
    return nil
  }
}
