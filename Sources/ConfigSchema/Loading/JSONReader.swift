/// Reads JSON (RFC 8259) into a ``ConfigNode`` tree with positions, for texts that are data.
///
/// YAML would read most of it, but not escapes of two UTF-16 halves, and takes what is no JSON.
struct JSONReader {
  /// The deepest nesting of objects and lists.
  static let deepest = 100

  private let source: ConfigSourceText
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0

  /// What is wrong, and where.
  private struct Problem: Error {
    let message: String
    let position: Int
  }

  private init(source: ConfigSourceText, text: String) {
    self.source = source
    bytes = Array(text.utf8)
  }

  /// The tree of a text; nil after an error was reported.
  static func read(_ text: String, source: ConfigSourceText, diagnostics: inout Diagnostics) -> ConfigNode? {
    var reader = JSONReader(source: source, text: text)
    do throws(Problem) {
      let node = try reader.value(depth: 0)
      reader.skipSpace()
      guard reader.position == reader.bytes.count else {
        throw Problem(message: "nothing more is expected behind the value", position: reader.position)
      }
      return node
    } catch {
      diagnostics.error("json-syntax", "not JSON: \(error.message)", at: reader.origin(of: error.position))
      return nil
    }
  }

  /// Columns count Unicode scalars, as everywhere.
  private func origin(of position: Int) -> Origin {
    var column = 1
    for byte in bytes[min(lineStart, position)..<min(position, bytes.count)] where byte & 0xc0 != 0x80 {
      column += 1
    }
    return Origin(source: source, line: line, column: column)
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x0a:
        line += 1
        lineStart = position + 1
      case 0x20, 0x09, 0x0d: break
      default: return
      }
      position += 1
    }
  }

  private mutating func value(depth: Int) throws(Problem) -> ConfigNode {
    skipSpace()
    guard position < bytes.count else {
      throw Problem(message: "the text ends too early", position: position)
    }
    guard depth <= Self.deepest else {
      throw Problem(message: "values are nested more than \(Self.deepest) levels deep", position: position)
    }
    let place = origin(of: position)
    switch bytes[position] {
    case UInt8(ascii: "{"): return ConfigNode(.map(try members(depth)), origin: place)
    case UInt8(ascii: "["): return ConfigNode(.list(try elements(depth)), origin: place)
    case UInt8(ascii: "\""):
      return ConfigNode(.scalar(ConfigScalar(try string(), style: .quoted)), origin: place)
    default: return ConfigNode(.scalar(ConfigScalar(try word())), origin: place)
    }
  }

  private mutating func members(_ depth: Int) throws(Problem) -> [ConfigNode.Entry] {
    var entries: [ConfigNode.Entry] = []
    position += 1
    if take("}") { return entries }
    repeat {
      skipSpace()
      let place = origin(of: position)
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw Problem(message: "a name in quotes is expected", position: position)
      }
      let key = try string()
      guard take(":") else { throw Problem(message: "a colon is expected", position: position) }
      entries.append(ConfigNode.Entry(key: key, keyOrigin: place, value: try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw Problem(message: "a comma or a } is expected", position: position) }
    return entries
  }

  private mutating func elements(_ depth: Int) throws(Problem) -> [ConfigNode] {
    var elements: [ConfigNode] = []
    position += 1
    if take("]") { return elements }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw Problem(message: "a comma or a ] is expected", position: position) }
    return elements
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// A number, `true`, `false` or `null`.
  private mutating func word() throws(Problem) -> String {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      guard
        byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
          || byte == 0x2b || byte == 0x2d || byte == 0x2e
      else { break }
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if ["true", "false", "null"].contains(text) || Self.isNumber(bytes[start..<position]) { return text }
    throw Problem(message: "a value is expected", position: start)
  }

  private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text
    func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
      let count = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == 0x2d { rest = rest.dropFirst() }
    let leadsWithZero = rest.first == 0x30
    let whole = digits(&rest)
    guard whole == 1 || whole > 1 && !leadsWithZero else { return false }
    if rest.first == 0x2e {
      rest = rest.dropFirst()
      if digits(&rest) == 0 { return false }
    }
    if let first = rest.first, first | 0x20 == 0x65 {
      rest = rest.dropFirst()
      if rest.first == 0x2b || rest.first == 0x2d { rest = rest.dropFirst() }
      if digits(&rest) == 0 { return false }
    }
    return rest.isEmpty
  }

  private mutating func string() throws(Problem) -> String {
    position += 1
    var out: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: out, as: UTF8.self)
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &out)
      case 0..<0x20: throw Problem(message: "a string holds a control character", position: position)
      default:
        out.append(byte)
        position += 1
      }
    }
    throw Problem(message: "a string does not end", position: position)
  }

  private mutating func escape(into out: inout [UInt8]) throws(Problem) {
    let start = position
    guard position < bytes.count else { return }
    position += 1
    switch bytes[start] {
    case UInt8(ascii: "n"): out.append(0x0a)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "r"): out.append(0x0d)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(bytes[start])
    case UInt8(ascii: "u"):
      var units = [try unit()]
      if units[0] & 0xfc00 == 0xd800, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        units.append(try unit())
      }
      // A half without its other becomes the replacement character.
      out += Array(String(decoding: units, as: UTF16.self).utf8)
    default: throw Problem(message: "a string holds an unknown escape", position: start)
    }
  }

  private mutating func unit() throws(Problem) -> UInt16 {
    guard position + 4 <= bytes.count,
      bytes[position..<(position + 4)].allSatisfy({
        $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66
      }),
      let unit = UInt16(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
    else { throw Problem(message: "four hexadecimal digits are expected", position: position) }
    position += 4
    return unit
  }
}
