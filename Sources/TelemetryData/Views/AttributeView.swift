public import WireFormat

/// One attribute (OTLP `KeyValue`): its key, and its value where it stands.
public struct AttributeView: MessageView, ~Escapable {
  public let message: WireMessage
  /// Where the key stands in the batch.
  public let keyRange: WireRange
  @usableFromInline
  let valueRange: WireRange

  @inlinable
  @inline(__always)
  @_lifetime(copy message)
  public init(_ message: WireMessage) {
    self.message = message
    let ranges = Self.ranges(in: message.bytes, message.range)
    keyRange = ranges.key
    valueRange = ranges.value
  }

  /// Where the key of an attribute stands, for those that look for few keys among many attributes.
  @inlinable
  @inline(__always)
  public static func keyRange(in bytes: Span<UInt8>, _ range: WireRange) -> WireRange {
    ranges(in: bytes, range).key
  }

  /// Where key and value stand.
  ///
  /// The layout that all SDKs write, a key and a value, each shorter than 128 bytes, is read without a walk.
  @inlinable
  @inline(__always)
  static func ranges(in bytes: Span<UInt8>, _ range: WireRange) -> (key: WireRange, value: WireRange) {
    let (start, end) = (range.lowerBound, range.upperBound)
    if end &- start >= 4, bytes[start] == 0x0A, bytes[start &+ 1] < 0x80 {
      let keyEnd = start &+ 2 &+ Int(bytes[start &+ 1])
      if keyEnd &+ 2 <= end, bytes[keyEnd] == 0x12, bytes[keyEnd &+ 1] < 0x80,
        keyEnd &+ 2 &+ Int(bytes[keyEnd &+ 1]) == end
      {
        return (WireRange(start &+ 2, keyEnd), WireRange(keyEnd &+ 2, end))
      }
    }
    return walk(bytes, range)
  }

  @usableFromInline
  @inline(never)
  static func walk(_ bytes: Span<UInt8>, _ range: WireRange) -> (key: WireRange, value: WireRange) {
    let message = WireMessage(bytes, range)
    return (message.payload(1), message.payload(2))
  }

  @inlinable
  public var key: BytesView {
    @_lifetime(copy self)
    get { BytesView(message.bytes.extracting(keyRange.range)) }
  }

  @inlinable
  public var value: AnyValueView {
    @_lifetime(copy self)
    get { AnyValueView(WireMessage(message.bytes, valueRange)) }
  }

  /// The position of the key in the string table of the request (`key_strindex`), 0 outside of profiles.
  public var keyStringIndex: Int32 { Int32(truncatingIfNeeded: message.number(.varint(3))) }
}

/// Attributes, in the order of the bytes.
public typealias AttributesView = RepeatedView<AttributeView>

extension RepeatedView where Element == AttributeView {
  /// The value of the first attribute with a key, or nil.
  @inlinable
  @_lifetime(copy self)
  public func first(_ key: Span<UInt8>) -> AnyValueView? {
    var iterator = makeIterator()
    while let attribute = iterator.next() {
      if attribute.keyRange.count == key.count, attribute.key.equals(key) { return attribute.value }
    }
    return nil
  }

  @inlinable
  @_lifetime(copy self)
  public func first(_ key: String) -> AnyValueView? { first(key.utf8.span) }

  @inlinable
  @_lifetime(copy self)
  public func first(_ key: [UInt8]) -> AnyValueView? { first(key.span) }

  /// A copy of all of them.
  public var values: Attributes {
    var attributes = Attributes()
    forEach { attributes.append($0.key.string, $0.value.value) }
    return attributes
  }
}

/// The value of an attribute or the body of a log record (OTLP `AnyValue`).
///
/// Making one walks its message once; then everything is at hand.
public struct AnyValueView: MessageView, ~Escapable {
  /// Which member of the oneof is set; of several, the last.
  public enum Kind: UInt8, Sendable, Hashable {
    case empty = 0
    case string = 1
    case bool = 2
    case int = 3
    case double = 4
    case array = 5
    case keyValueList = 6
    case bytes = 7
    /// A position in a string table (`string_value_strindex`), used in profiles only.
    case stringIndex = 8
  }

  public let message: WireMessage
  public var kind: Kind
  @usableFromInline
  let number: UInt64
  /// Where the value stands in the batch, without tag and length.
  public let payload: WireRange

  @inlinable
  @inline(__always)
  @_lifetime(copy message)
  public init(_ message: WireMessage) {
    self.message = message
    let content = Self.content(in: message.bytes, message.range)
    kind = content.kind
    number = content.number
    payload = content.payload
  }

  @usableFromInline
  typealias Content = (kind: Kind, number: UInt64, payload: WireRange)

  /// The last member of the oneof.
  ///
  /// Nearly always it is the only field: a string shorter than 128 bytes, or a small number.
  @inlinable
  @inline(__always)
  static func content(in bytes: Span<UInt8>, _ range: WireRange) -> Content {
    let (start, end) = (range.lowerBound, range.upperBound)
    if end &- start >= 2, bytes[start &+ 1] < 0x80 {
      let second = bytes[start &+ 1]
      if bytes[start] == 0x0A, start &+ 2 &+ Int(second) == end {
        return (.string, 0, WireRange(start &+ 2, end))
      }
      if start &+ 2 == end, bytes[start] == 0x18 {
        return (.int, UInt64(second), WireRange(start &+ 1, end))
      }
    }
    return walk(bytes, range)
  }

  @usableFromInline
  @inline(never)
  static func walk(_ bytes: Span<UInt8>, _ range: WireRange) -> Content {
    var content: Content = (.empty, 0, WireRange(start: 0, end: 0))
    var cursor = WireCursor(bytes, in: range)
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(1), .varint(2), .varint(3), .fixed64(4), .lengthDelimited(5), .lengthDelimited(6),
        .lengthDelimited(7), .varint(8):
        content = (
          Kind(rawValue: UInt8(truncatingIfNeeded: field.fieldNumber)) ?? .empty, field.number, field.value
        )
      default: break
      }
    }
    return content
  }

  /// The string or bytes; empty for other kinds.
  @inlinable
  public var bytes: BytesView {
    @_lifetime(copy self)
    get {
      let range = kind == .string || kind == .bytes ? payload : WireRange(start: 0, end: 0)
      return BytesView(message.bytes.extracting(range.range))
    }
  }
  /// The text of a string; empty for other kinds.
  public var string: String { kind == .string ? bytes.string : "" }
  @inlinable
  public var bool: Bool { kind == .bool && number != 0 }
  @inlinable
  public var int: Int64 { kind == .int ? Int64(bitPattern: number) : 0 }
  @inlinable
  public var double: Double { kind == .double ? Double(bitPattern: number) : 0 }
  public var stringIndex: Int32 { kind == .stringIndex ? Int32(truncatingIfNeeded: number) : 0 }

  /// The elements of an array; none for other kinds.
  @inlinable
  public var array: RepeatedView<AnyValueView> {
    @_lifetime(copy self)
    get { RepeatedView(nested(.array), 1) }
  }
  /// The entries of a key-value list; none for other kinds.
  @inlinable
  public var keyValueList: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(nested(.keyValueList), 1) }
  }

  @inlinable
  @_lifetime(copy self)
  func nested(_ wanted: Kind) -> WireMessage {
    WireMessage(message.bytes, kind == wanted ? payload : WireRange(start: 0, end: 0))
  }

  /// A copy of the value; what is nested deeper than 64 levels is left empty.
  public var value: AnyValue { value(depth: 0) }

  func value(depth: Int) -> AnyValue {
    switch kind {
    case .empty: return .empty
    case .string: return .string(string)
    case .bool: return .bool(bool)
    case .int: return .int(int)
    case .double: return .double(double)
    case .bytes: return .bytes(bytes.array)
    case .stringIndex:
      return .encoded(BytesView(message.bytes.extracting(message.range.range)).array)
    case .array:
      if depth == 64 { return .empty }
      var values: [AnyValue] = []
      array.forEach { values.append($0.value(depth: depth + 1)) }
      return .array(values)
    case .keyValueList:
      if depth == 64 { return .empty }
      var attributes = Attributes()
      keyValueList.forEach { attributes.append($0.key.string, $0.value.value(depth: depth + 1)) }
      return .keyValueList(attributes)
    }
  }
}
