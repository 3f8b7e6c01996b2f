internal import WireFormat

/// Reads OTLP messages from JSON into their protobuf bytes (OTLP specification, "JSON Protobuf Encoding").
///
/// One pass over the text, guided by ``OTLPMessageTable``, writes the fields in the order in which they come;
/// no tree of objects is built. Names may be lowerCamelCase or as in the `.proto` file, ids hexadecimal in
/// either case, integers numbers or strings, enum values numbers or names, base64 of either alphabet with or
/// without padding; `null` is an absent field, and unknown fields of any shape are passed over. A field that
/// is given twice counts as protobuf would have it: the last value, all elements, or the merged messages.
package struct OTLPJSONReader: ~Copyable, ~Escapable {
  var scanner: JSONScanner
  var writer: WireWriter
  /// The messages that are open.
  private(set) var depth = 0
  /// The way to a fault, from the inside out; filled while it travels up.
  private var path: [PathStep] = []

  private enum PathStep {
    case field(Int)
    case element(Int)
  }

  @_lifetime(copy text)
  private init(_ text: Span<UInt8>) {
    scanner = JSONScanner(text)
    // JSON takes more than twice the room of protobuf; what is too little grows.
    writer = WireWriter(capacity: text.count / 2 + 64)
  }

  /// The protobuf bytes of the message that a text holds.
  ///
  /// - Throws: ``OTLPJSONError`` with the place and the path of the first fault.
  package static func read(_ message: OTLPMessage, _ text: Span<UInt8>) throws(OTLPJSONError) -> [UInt8] {
    let table = OTLPMessageTable.shared
    var reader = OTLPJSONReader(text)
    do throws(JSONFault) {
      reader.scanner.skipSpace()
      try reader.readMessage(Int(message.rawValue), OTLPTableView(table))
      reader.scanner.skipSpace()
      if reader.scanner.position < text.count {
        throw JSONFault(.trailingText, at: reader.scanner.position)
      }
    } catch {
      throw OTLPJSONError(error, path: reader.pathText(table), in: text)
    }
    return reader.writer.finish()
  }

  private func pathText(_ table: OTLPMessageTable) -> String {
    var text = ""
    for step in path.reversed() {
      switch step {
      case .field(let index):
        if !text.isEmpty { text += "." }
        text += table.jsonName(ofField: index)
      case .element(let index): text += "[\(index)]"
      }
    }
    return text
  }

  // Messages.

  private mutating func readMessage(_ message: Int, _ table: borrowing OTLPTableView) throws(JSONFault) {
    if depth > StructureCheck.maxDepth { throw JSONFault(.tooDeep, at: scanner.position) }
    depth &+= 1
    let first = Int(table.starts[message])
    var seen: UInt32 = 0
    var expected = first
    var goesOn = try scanner.takeOpening(0x7B, closing: 0x7D, .object)
    while goesOn {
      let index = try readName(message, expected, table)
      if index < 0 {
        try scanner.skipValue()
      } else if try !scanner.takeNull() {
        let field = table.fields[index]
        do throws(JSONFault) {
          // A value that replaces another is written even when it is the default.
          try readField(field, isSecond: seen & field.bit != 0, table)
        } catch {
          path.append(.field(index))
          throw error
        }
        seen |= field.bit
        expected = index &+ 1
      }
      goesOn = try scanner.takeSeparator(closing: 0x7D, .commaOrBrace)
    }
    depth &-= 1
  }

  private mutating func readField(
    _ field: OTLPField, isSecond: Bool, _ table: borrowing OTLPTableView
  ) throws(JSONFault) {
    let number = field.number
    if field.presence != .repeated {
      let keepsDefault = isSecond || field.presence == .explicit
      return try readValue(field, number, keepsDefault: keepsDefault, table)
    }
    var goesOn = try scanner.takeOpening(0x5B, closing: 0x5D, .array)
    var element = 0
    let mark = goesOn && field.wireType != 2 ? writer.beginMessage(number) : nil
    let isAttribute = field.kind == .message && field.detail == OTLPMessage.keyValue.rawValue
    do throws(JSONFault) {
      while goesOn {
        if !isAttribute || !readAttribute(number, table) {
          try readElement(field, number, isPacked: mark != nil, table)
        }
        goesOn = try scanner.takeSeparator(closing: 0x5D, .commaOrBracket)
        element &+= 1
      }
    } catch {
      path.append(.element(element))
      throw error
    }
    if let mark { writer.endMessage(mark) }
  }

  private mutating func readElement(
    _ field: OTLPField, _ number: UInt32, isPacked: Bool, _ table: borrowing OTLPTableView
  ) throws(JSONFault) {
    if try scanner.takeNull() {
      // As the Collector has it: a message without fields. Of anything else there is no such element.
      if field.kind != .message { throw JSONFault(.nullElement, at: scanner.position - 4) }
      let empty = writer.beginMessage(number)
      writer.endMessage(empty)
    } else if isPacked {
      try readPackedValue(field)
    } else {
      try readValue(field, number, keepsDefault: true, table)
    }
  }

  @inline(__always)
  private mutating func readValue(
    _ field: OTLPField, _ number: UInt32, keepsDefault: Bool, _ table: borrowing OTLPTableView
  ) throws(JSONFault) {
    switch field.kind {
    case .message:
      let mark = writer.beginMessage(number)
      try readMessage(Int(field.detail), table)
      writer.endMessage(mark)
    case .string: try readString(number, keepsDefault)
    case .bytes: try readBase64(number, keepsDefault)
    case .traceID: try readID(number, keepsDefault, digits: 32, .invalidTraceID)
    case .spanID: try readID(number, keepsDefault, digits: 16, .invalidSpanID)
    case .fixed64, .sfixed64, .double:
      let value = try readFixed64(field.kind)
      if value != 0 || keepsDefault { writer.fixed64Field(number, value) }
    case .fixed32:
      let value = UInt32(truncatingIfNeeded: try scanner.takeUnsigned(upTo: UInt64(UInt32.max)))
      if value != 0 || keepsDefault { writer.fixed32Field(number, value) }
    default:
      let value = try readVarint(field)
      if value != 0 || keepsDefault { writer.varintField(number, value) }
    }
  }

  private mutating func readPackedValue(_ field: OTLPField) throws(JSONFault) {
    switch field.kind {
    case .fixed64, .sfixed64, .double: writer.writeFixed64(try readFixed64(field.kind))
    case .fixed32:
      writer.writeFixed32(UInt32(truncatingIfNeeded: try scanner.takeUnsigned(upTo: UInt64(UInt32.max))))
    default: writer.writeVarint(try readVarint(field))
    }
  }

  // Numbers.

  @inline(__always)
  private mutating func readFixed64(_ kind: OTLPFieldKind) throws(JSONFault) -> UInt64 {
    switch kind {
    case .double: try scanner.takeDouble().bitPattern
    case .sfixed64: UInt64(bitPattern: try scanner.takeSigned(in: .min ... .max))
    default: try scanner.takeUnsigned(upTo: .max)
    }
  }

  /// The value of a varint field as it is encoded.
  @inline(__always)
  private mutating func readVarint(_ field: OTLPField) throws(JSONFault) -> UInt64 {
    let int32 = Int64(Int32.min)...Int64(Int32.max)
    switch field.kind {
    case .bool: return try scanner.takeBoolean() ? 1 : 0
    case .int64: return UInt64(bitPattern: try scanner.takeSigned(in: .min ... .max))
    case .uint64: return try scanner.takeUnsigned(upTo: .max)
    case .uint32: return try scanner.takeUnsigned(upTo: UInt64(UInt32.max))
    case .sint32: return ZigZag.encode(try scanner.takeSigned(in: int32))
    case .enumeration: return try readEnumeration(field, int32)
    default: return UInt64(bitPattern: try scanner.takeSigned(in: int32))
    }
  }

  private mutating func readEnumeration(
    _ field: OTLPField, _ range: ClosedRange<Int64>
  ) throws(JSONFault) -> UInt64 {
    let start = scanner.position
    guard scanner.next == 0x22 else {
      return UInt64(bitPattern: try scanner.takeSigned(in: range, .enumeration))
    }
    let name = try scanner.contents(try scanner.takeString())
    if let first = name.first, first == 0x2D || JSONCharacters.isDigit(first) {
      scanner.position = start
      return UInt64(bitPattern: try scanner.takeSigned(in: range, .enumeration))
    }
    guard let value = OTLPMessageTable.shared.value(ofName: name, enumeration: field.detail) else {
      throw JSONFault(.unknownEnumName, at: start)
    }
    return UInt64(value)
  }
}
