package import WireFormat

/// Writes OTLP messages from their protobuf bytes as JSON (OTLP specification, "JSON Protobuf Encoding").
///
/// No message is decoded into objects: one walk over the bytes, guided by ``OTLPMessageTable``, writes the
/// text. Names are lowerCamelCase, trace and span ids hexadecimal, 64-bit numbers strings, enumerations
/// numbers, other bytes base64; fields with default values and unknown fields are left out.
///
/// Encoders write the fields of a message in order and each once, and repeated ones side by side; that is
/// what the walk expects. Bytes that use all of protobuf's freedom (a singular field twice, a repeated field
/// in pieces) make it start over in a mode that looks at every message before writing it, at about twice the
/// cost.
package struct OTLPJSONWriter: ~Copyable {
  /// How messages are expected to lie in the bytes.
  enum Order {
    /// Fields once and side by side; found otherwise, the walk stops.
    case assumed
    /// Anything; every message is looked at first.
    case checked
  }

  var output: JSONOutput
  private var order = Order.assumed
  /// The messages that are open.
  private var depth = 0

  private init(output: consuming JSONOutput) { self.output = output }

  /// Appends the JSON form of a message.
  ///
  /// - Throws: ``WireError`` when the bytes are not a well-formed message; the array is then as it was
  ///   before.
  package static func append(
    _ message: OTLPMessage, _ bytes: Span<UInt8>, to json: inout [UInt8]
  ) throws(WireError) {
    let table = OTLPMessageTable.shared
    let row = Int(message.rawValue)
    let text = try JSONOutput.text(expecting: bytes.count * 3) { (output) throws(WireError) in
      var writer = OTLPJSONWriter(output: output)
      if !(try writer.write(row, WireCursor(bytes), OTLPTableView(table))) {
        writer.output.truncate(to: 0)
        writer.order = .checked
        writer.depth = 0
        _ = try writer.write(row, WireCursor(bytes), OTLPTableView(table))
      }
      return writer.output
    }
    if json.isEmpty {
      json = text
    } else {
      json.append(contentsOf: text)
    }
  }

  /// Writes one message, braces included.
  ///
  /// - Returns: false when the fields lie in an order that ``Order/assumed`` excludes.
  mutating func write(
    _ message: Int, _ cursor: WireCursor, _ table: borrowing OTLPTableView
  ) throws(WireError) -> Bool {
    let start = try open(at: cursor.offset)
    if case .checked = order, !(try isInOrder(message, cursor, table)) {
      try writeOutOfOrder(message, [WireRange(cursor.offset, cursor.end)], cursor.bytes, table)
    } else if !(try writeInOrder(message, cursor, table)) {
      return false
    }
    close(start)
    return true
  }

  /// Begins a message; the brace comes with the first field or the end.
  mutating func open(at offset: Int) throws(WireError) -> Int {
    if depth > StructureCheck.maxDepth { throw WireError(.tooDeep, at: offset) }
    depth &+= 1
    return output.count
  }

  /// Ends a message. Every field brought a comma in front; the first becomes the brace.
  mutating func close(_ start: Int) {
    if output.count == start {
      output.append(0x7B)
    } else {
      output.replace(at: start, with: 0x7B)
    }
    output.append(0x7D)
    depth &-= 1
  }

  /// Writes the fields of a message as they come; an array stays open until another field is written.
  private mutating func writeInOrder(
    _ message: Int, _ source: WireCursor, _ table: borrowing OTLPTableView
  ) throws(WireError) -> Bool {
    var cursor = source
    var seen: UInt32 = 0
    var open: UInt32 = 0
    while cursor.offset < cursor.end {
      let tag = try cursor.readTag()
      let index = Int(table.index(message, tag))
      if index == Int(OTLPMessageTable.none) {
        try cursor.skip(tag)
        continue
      }
      let field = table.fields[index]
      if field.presence == .repeated {
        if try cursor.isEmptyPacked(tag, field) { continue }
        if open == field.bit {
          output.append(0x2C)
        } else {
          if seen & field.bit != 0 { return false }
          if open != 0 { output.append(0x5D) }
          seen |= field.bit
          open = field.bit
          output.appendLabel(table.names, at: Int(field.labelStart), length: Int(field.labelLength))
          output.append(0x5B)
        }
        if !(try writeElements(&cursor, tag, field, table)) { return false }
      } else {
        if seen & field.conflicts != 0 { return false }
        if field.presence == .implicit, try cursor.skipDefault(field) { continue }
        if open != 0 {
          output.append(0x5D)
          open = 0
        }
        seen |= field.bit
        output.appendLabel(table.names, at: Int(field.labelStart), length: Int(field.labelLength))
        if !(try writeValue(&cursor, field, table)) { return false }
      }
    }
    if open != 0 { output.append(0x5D) }
    return true
  }

  /// Writes one element of a repeated field, or the several that a packed field holds.
  @inline(__always)
  mutating func writeElements(
    _ cursor: inout WireCursor, _ tag: WireTag, _ field: OTLPField, _ table: borrowing OTLPTableView
  ) throws(WireError) -> Bool {
    if tag.rawValue & 7 == UInt32(field.wireType) {
      return try writeValue(&cursor, field, table)
    }
    var elements = try cursor.readMessage()
    var isFirst = true
    while !elements.isAtEnd {
      if !isFirst { output.append(0x2C) }
      isFirst = false
      _ = try writeValue(&elements, field, table)
    }
    return true
  }

  /// Writes the value that the cursor stands at.
  @inline(__always)
  mutating func writeValue(
    _ cursor: inout WireCursor, _ field: OTLPField, _ table: borrowing OTLPTableView
  ) throws(WireError) -> Bool {
    switch field.kind {
    case .message:
      let range = try cursor.readLengthDelimited()
      if field.detail == OTLPMessage.keyValue.rawValue, writeAttribute(cursor.bytes, range) { return true }
      return try write(Int(field.detail), WireCursor(cursor.bytes, in: range), table)
    case .string:
      let range = try cursor.readLengthDelimited()
      output.append(string: cursor.bytes, from: range.lowerBound, to: range.upperBound)
    case .traceID, .spanID:
      let range = try cursor.readLengthDelimited()
      output.append(hex: cursor.bytes, from: range.lowerBound, to: range.upperBound)
    case .bytes:
      let range = try cursor.readLengthDelimited()
      output.append(base64: cursor.bytes, from: range.lowerBound, to: range.upperBound)
    case .fixed64, .sfixed64, .double: writeFixed64(try cursor.readFixed64(), field.kind)
    case .fixed32: output.append(decimal: UInt64(try cursor.readFixed32()))
    default: writeVarint(try cursor.readVarint(), field.kind)
    }
    return true
  }

  @inline(__always)
  private mutating func writeFixed64(_ value: UInt64, _ kind: OTLPFieldKind) {
    switch kind {
    case .double: output.append(double: Double(bitPattern: value))
    case .sfixed64: output.append(quoted: Int64(bitPattern: value))
    default: output.append(quoted: value)
    }
  }

  @inline(__always)
  private mutating func writeVarint(_ value: UInt64, _ kind: OTLPFieldKind) {
    switch kind {
    case .int64: output.append(quoted: Int64(bitPattern: value))
    case .uint64: output.append(quoted: value)
    case .bool: output.append(value == 0 ? "false" : "true")
    case .uint32: output.append(decimal: UInt64(UInt32(truncatingIfNeeded: value)))
    case .sint32:
      output.append(
        int32: Int32(truncatingIfNeeded: ZigZag.decode(UInt64(UInt32(truncatingIfNeeded: value)))))
    default: output.append(int32: Int32(truncatingIfNeeded: value))
    }
  }
}

extension WireCursor {
  /// Steps over a packed field without elements; such a field does not make an array.
  @inline(__always)
  mutating func isEmptyPacked(_ tag: WireTag, _ field: OTLPField) throws(WireError) -> Bool {
    if tag.rawValue & 7 == UInt32(field.wireType) || offset >= end || bytes[offset] != 0 { return false }
    _ = try readVarint()
    return true
  }

  /// Steps over the value at the cursor when it is the default of its kind.
  ///
  /// Minus zero is not a default: it differs from zero in its bits.
  @inline(__always)
  mutating func skipDefault(_ field: OTLPField) throws(WireError) -> Bool {
    if offset >= end || bytes[offset] != 0 { return try skipLongDefault(field) }
    let start = offset
    switch field.wireType {
    case 1: if try readFixed64() == 0 { return true }
    case 5: if try readFixed32() == 0 { return true }
    default:
      offset &+= 1
      return true
    }
    offset = start
    return false
  }

  /// Like ``skipDefault(_:)`` for a varint or a length that spends several bytes on nothing.
  @inline(__always)
  private mutating func skipLongDefault(_ field: OTLPField) throws(WireError) -> Bool {
    if field.wireType & 1 != 0 || offset >= end || bytes[offset] != 0x80 { return false }
    let start = offset
    if try readVarint() == 0 { return true }
    offset = start
    return false
  }
}
