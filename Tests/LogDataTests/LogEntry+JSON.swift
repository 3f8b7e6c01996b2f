import WireFormat

@testable import LogData

extension LogEntry {
  /// A value as JSON, to be compared in tests.
  func json(_ value: LogValue) -> String {
    switch value.kind {
    case .null: return "null"
    case .bool: return "\(value.bool)"
    case .int: return "\(value.int)"
    case .double: return "\(value.double)".replacing("e+", with: "e")
    case .string: return quoted(value.range)
    case .bytes: return "bytes" + quoted(value.range)
    case .list:
      var elements: [String] = []
      if let chain = value.chain { forEach(in: chain) { elements.append(json($1)) } }
      return "[" + elements.joined(separator: ",") + "]"
    case .map:
      var elements: [String] = []
      if let chain = value.chain { forEach(in: chain) { elements.append(quoted($0) + ":" + json($1)) } }
      return "{" + elements.joined(separator: ",") + "}"
    }
  }

  /// The attributes as JSON.
  var attributesJSON: String { json(value(at: FieldPath(.attributes)) ?? .null) }

  private func quoted(_ range: WireRange) -> String {
    var text = "\""
    for scalar in String(decoding: arena[range.range], as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
