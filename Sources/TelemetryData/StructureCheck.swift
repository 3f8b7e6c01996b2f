import WireFormat

/// The walk over a whole export request that makes sure that no view can fail later.
///
/// It follows the Collector's decoder: known fields must have their wire type, lengths must fit, ids must
/// have 16 or 8 bytes or none, strings must be UTF-8 (protobuf's rule for proto3). Unknown fields are stepped
/// over, groups included. Values nested deeper than ``maxDepth`` messages are refused, so that the walk and
/// every later one is bounded.
///
/// One loop reads every message from a table of rules. Attributes, nine tenths of real traffic, have a way of
/// their own that expects the layout all SDKs write and falls back to the loop.
struct StructureCheck: ~Escapable {
  /// How deep messages may be nested: 8 for the deepest OTLP message that is not a value, and two for each
  /// level of arrays or key-value lists, 64 of them.
  static var maxDepth: Int { 8 + 2 * 64 }

  let bytes: Span<UInt8>
  let rules: Span<UInt8>

  @_lifetime(copy bytes, copy rules)
  init(bytes: Span<UInt8>, rules: Span<UInt8>) {
    self.bytes = bytes
    self.rules = rules
  }

  /// Checks an export request.
  static func check(_ bytes: Span<UInt8>, signal: Signal) throws(WireError) {
    let rules = MessageKind.rules
    let kind: MessageKind =
      switch signal {
      case .traces: .exportTraces
      case .metrics: .exportMetrics
      case .logs: .exportLogs
      }
    let check = StructureCheck(bytes: bytes, rules: rules.span)
    try check.message(kind.rawValue, in: WireRange(0, bytes.count), depth: 0)
  }

  func message(_ kind: UInt8, in range: WireRange, depth: Int) throws(WireError) {
    if depth > Self.maxDepth { throw WireError(.tooDeep, at: range.lowerBound) }
    var cursor = WireCursor(bytes, in: range)
    let base = Int(kind) &* 32
    while cursor.offset < cursor.end {
      let start = cursor.offset
      let tag = try cursor.readTag()
      let number = Int(tag.fieldNumber)
      let rule = number < 32 ? rules[base &+ number] : 0
      let type = tag.rawValue & 7
      switch rule {
      case FieldRule.message(.keyValue).rawValue:
        try tag.expect(.lengthDelimited, at: start)
        try attribute(in: try cursor.readLengthDelimited(), depth: depth &+ 1)
      case 16...:
        try tag.expect(.lengthDelimited, at: start)
        try message(rule &- 16, in: try cursor.readLengthDelimited(), depth: depth &+ 1)
      case FieldRule.varint.rawValue:
        try tag.expect(.varint, at: start)
        _ = try cursor.readVarint()
      case FieldRule.fixed64.rawValue:
        try tag.expect(.fixed64, at: start)
        try cursor.skip(tag)
      case FieldRule.fixed32.rawValue:
        try tag.expect(.fixed32, at: start)
        try cursor.skip(tag)
      case FieldRule.string.rawValue:
        try tag.expect(.lengthDelimited, at: start)
        try utf8(try cursor.readLengthDelimited())
      case FieldRule.bytes.rawValue:
        try tag.expect(.lengthDelimited, at: start)
        try cursor.skip(tag)
      case FieldRule.traceID.rawValue:
        try tag.expect(.lengthDelimited, at: start)
        let count = try cursor.readLengthDelimited().count
        if count != 16, count != 0 { throw WireError(.wrongLength, at: start) }
      case FieldRule.spanID.rawValue:
        try tag.expect(.lengthDelimited, at: start)
        let count = try cursor.readLengthDelimited().count
        if count != 8, count != 0 { throw WireError(.wrongLength, at: start) }
      case FieldRule.repeatedFixed64.rawValue:
        if type == UInt32(WireType.fixed64.rawValue) {
          try cursor.skip(tag)
        } else {
          try tag.expect(.lengthDelimited, at: start)
          if try cursor.readLengthDelimited().count & 7 != 0 { throw WireError(.wrongLength, at: start) }
        }
      case FieldRule.repeatedVarint.rawValue:
        if type == UInt32(WireType.varint.rawValue) {
          _ = try cursor.readVarint()
        } else {
          try tag.expect(.lengthDelimited, at: start)
          var packed = try cursor.readMessage()
          while !packed.isAtEnd { _ = try packed.readVarint() }
        }
      default: try cursor.skip(tag)
      }
    }
  }

  /// Checks a `KeyValue`: key first, then a string, number or bool, each length in one byte; or anything
  /// else, slowly.
  @inline(__always)
  func attribute(in range: WireRange, depth: Int) throws(WireError) {
    let (start, end) = (range.lowerBound, range.upperBound)
    if end &- start >= 6, bytes[start] == 0x0A {
      let key = start &+ 2
      let keyEnd = key &+ Int(bytes[start &+ 1])
      // A length of more than one byte reads as 128 or more here; whatever it leads to, it is not the layout
      // below.
      if bytes[start &+ 1] < 0x80, keyEnd &+ 4 <= end, bytes[keyEnd] == 0x12,
        keyEnd &+ 2 &+ Int(bytes[keyEnd &+ 1]) == end, bytes[keyEnd &+ 1] < 0x80
      {
        let value = keyEnd &+ 2
        switch bytes[value] {
        case 0x0A where value &+ 2 &+ Int(bytes[value &+ 1]) == end:
          try utf8(WireRange(key, keyEnd))
          return try utf8(WireRange(value &+ 2, end))
        case 0x10 where bytes[value &+ 1] < 0x80 && value &+ 2 == end,
          0x18 where bytes[value &+ 1] < 0x80 && value &+ 2 == end:
          return try utf8(WireRange(key, keyEnd))
        default: break
        }
      }
    }
    try message(MessageKind.keyValue.rawValue, in: range, depth: depth)
  }

  @inline(__always)
  func utf8(_ range: WireRange) throws(WireError) {
    let invalid = UTF8Check.firstInvalid(in: bytes, from: range.lowerBound, to: range.upperBound)
    if invalid >= 0 { throw WireError(.invalidUTF8, at: invalid) }
  }
}
