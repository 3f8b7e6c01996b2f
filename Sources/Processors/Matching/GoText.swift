internal import NativeCodecs
internal import TelemetryData

/// Values of any type as the Collector makes text of them (`AsString`), except that bytes stay bytes.
enum GoText {
  /// Deeper values are left out (`null`).
  private static let maxDepth = 32

  static func append(_ value: borrowing AnyValueView, to output: inout [UInt8]) {
    switch value.kind {
    case .string, .bytes: output += value.bytes.array
    case .empty, .stringIndex: break
    case .bool, .int, .double: output += scalar(value).utf8
    case .array, .keyValueList: appendJSON(value, to: &output, depth: 0)
    }
  }

  private static func scalar(_ value: borrowing AnyValueView) -> String {
    switch value.kind {
    case .bool: value.bool ? "true" : "false"
    case .int: String(value.int)
    default: text(of: value.double)
    }
  }

  /// Without an exponent from 1e-6 to below 1e21, as in JavaScript.
  private static func text(of value: Double) -> String {
    if !value.isFinite { return "json: unsupported value: \(GoNumber.text(of: value))" }
    let size = value.magnitude
    if size == 0 || 1e-6..<1e21 ~= size { return GoNumber.text(of: value) }
    let text = "\(value)".replacing(".0e", with: "e")
    return text.replacing("e-0", with: "e-")
  }

  private static func appendJSON(_ value: borrowing AnyValueView, to output: inout [UInt8], depth: Int) {
    if depth >= maxDepth {
      output += "null".utf8
      return
    }
    switch value.kind {
    case .string: appendQuoted(value.string, to: &output)
    case .empty, .stringIndex: output += "null".utf8
    case .bytes: output += "\"\(Base64.encoded(value.bytes.array))\"".utf8
    case .bool, .int, .double: output += scalar(value).utf8
    case .array:
      var separator = "["
      value.array.forEach {
        output += separator.utf8
        separator = ","
        appendJSON($0, to: &output, depth: depth + 1)
      }
      output += (separator == "[" ? "[]" : "]").utf8
    case .keyValueList:
      var members: [(key: String, value: [UInt8])] = []
      value.keyValueList.forEach {
        var text: [UInt8] = []
        appendJSON($0.value, to: &text, depth: depth + 1)
        members.append(($0.key.string, text))
      }
      // Go writes maps in the order of their keys' bytes.
      members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      var separator = "{"
      for member in members {
        output += separator.utf8
        separator = ","
        appendQuoted(member.key, to: &output)
        output.append(0x3A)
        output += member.value
      }
      output += (separator == "{" ? "{}" : "}").utf8
    }
  }

  private static func appendQuoted(_ text: String, to output: inout [UInt8]) {
    output.append(0x22)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\"".utf8
      case "\\": output += "\\\\".utf8
      case "\n": output += "\\n".utf8
      case "\r": output += "\\r".utf8
      case "\t": output += "\\t".utf8
      case "\u{8}": output += "\\b".utf8
      case "\u{C}": output += "\\f".utf8
      // Go escapes what could end a script in HTML.
      case "\u{0}"..<"\u{20}", "<", ">", "&", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      default: output += UTF8.encode(scalar).map { Array($0) } ?? []
      }
    }
    output.append(0x22)
  }
}
