/// Values of attributes as text, as labels and tags need them.
///
/// Source: OpenTelemetry, "Common specification concepts", attributes as strings: numbers and booleans as JSON has them,
/// bytes in base64, arrays and maps as JSON.
package enum AttributeValueText {
  /// Deeper values are left out (`null`).
  private static let maxDepth = 32

  /// Appends a value; nothing for an empty one.
  package static func append(_ value: borrowing AnyValueView, to output: inout [UInt8]) {
    switch value.kind {
    case .string: value.bytes.append(to: &output)
    case .empty, .stringIndex: break
    case .bool: output.append(contentsOf: (value.bool ? "true" : "false").utf8)
    case .int: output.append(contentsOf: String(value.int).utf8)
    case .double: AttributeFloat.append(value.double, to: &output)
    case .bytes: appendBase64(value.bytes.span, to: &output)
    case .array, .keyValueList: appendJSON(value, to: &output, depth: 0)
    }
  }

  private static func appendJSON(_ value: borrowing AnyValueView, to output: inout [UInt8], depth: Int) {
    if depth >= maxDepth { return output.append(contentsOf: "null".utf8) }
    switch value.kind {
    case .string: appendQuoted(value.bytes.span, to: &output)
    case .empty, .stringIndex: output.append(contentsOf: "null".utf8)
    case .bytes:
      output.append(0x22)
      appendBase64(value.bytes.span, to: &output)
      output.append(0x22)
    case .double where !value.double.isFinite: output.append(contentsOf: "null".utf8)
    case .array:
      output.append(0x5b)
      var elements = value.array.makeIterator()
      var isFirst = true
      while let element = elements.next() {
        if !isFirst { output.append(0x2c) }
        isFirst = false
        appendJSON(element, to: &output, depth: depth + 1)
      }
      output.append(0x5d)
    case .keyValueList: appendObject(value.keyValueList, to: &output, depth: depth)
    case .bool, .int, .double: append(value, to: &output)
    }
  }

  /// Appends attributes as a JSON object.
  package static func appendJSON(_ attributes: borrowing AttributesView, to output: inout [UInt8]) {
    appendObject(attributes, to: &output, depth: 0)
  }

  private static func appendObject(
    _ attributes: borrowing AttributesView, to output: inout [UInt8], depth: Int
  ) {
    output.append(0x7b)
    var entries = attributes.makeIterator()
    var isFirst = true
    while let entry = entries.next() {
      if !isFirst { output.append(0x2c) }
      isFirst = false
      appendQuoted(entry.key.span, to: &output)
      output.append(0x3a)
      appendJSON(entry.value, to: &output, depth: depth + 1)
    }
    output.append(0x7d)
  }

  /// Appends a text as a JSON string.
  package static func appendQuoted(_ text: Span<UInt8>, to output: inout [UInt8]) {
    output.append(0x22)
    for index in text.indices {
      switch text[index] {
      case 0x22: output.append(contentsOf: [0x5c, 0x22])
      case 0x5c: output.append(contentsOf: [0x5c, 0x5c])
      case 0x0a: output.append(contentsOf: [0x5c, 0x6e])
      case 0x0d: output.append(contentsOf: [0x5c, 0x72])
      case 0x09: output.append(contentsOf: [0x5c, 0x74])
      case let byte where byte < 0x20:
        output.append(contentsOf: [0x5c, 0x75, 0x30, 0x30, hexDigit(byte >> 4), hexDigit(byte & 15)])
      case let byte: output.append(byte)
      }
    }
    output.append(0x22)
  }

  package static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

  /// Base64 of RFC 4648 §4.
  private static func appendBase64(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    func character(_ value: Int) -> UInt8 {
      switch value & 63 {
      case let value where value < 26: UInt8(0x41 + value)
      case let value where value < 52: UInt8(0x61 + value - 26)
      case let value where value < 62: UInt8(0x30 + value - 52)
      case 62: 0x2b
      default: 0x2f
      }
    }
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let word =
        Int(bytes[index]) << 16 | (left > 1 ? Int(bytes[index + 1]) << 8 : 0)
        | (left > 2 ? Int(bytes[index + 2]) : 0)
      output.append(character(word >> 18))
      output.append(character(word >> 12))
      output.append(left > 1 ? character(word >> 6) : 0x3d)
      output.append(left > 2 ? character(word) : 0x3d)
      index += 3
    }
  }
}
