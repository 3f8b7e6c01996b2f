public import WireFormat

/// A value of an attribute or the body of a log record, for writing (OTLP `AnyValue`).
///
/// Reading never makes one unless asked for: ``AnyValueView`` reads where the value stands.
public indirect enum AnyValue: Sendable, Hashable {
  /// No value is set.
  case empty
  case string(String)
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case bytes([UInt8])
  case array([AnyValue])
  case keyValueList(Attributes)
  /// The fields of an `AnyValue` message that is already encoded, for values copied from elsewhere.
  case encoded([UInt8])
}

/// One key with its value (OTLP `KeyValue`).
public struct Attribute: Sendable, Hashable {
  public var key: String
  public var value: AnyValue

  public init(_ key: String, _ value: AnyValue) {
    self.key = key
    self.value = value
  }
}

/// Attributes in order, for writing.
public struct Attributes: Sendable, Hashable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
  public var entries: [Attribute]

  public init(_ entries: [Attribute] = []) { self.entries = entries }
  public init(dictionaryLiteral elements: (String, AnyValue)...) {
    entries = elements.map { Attribute($0.0, $0.1) }
  }
  public init(arrayLiteral elements: Attribute...) { entries = elements }

  public mutating func append(_ key: String, _ value: AnyValue) { entries.append(Attribute(key, value)) }
}

extension AnyValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension WireWriter {
  /// Writes the fields of an `AnyValue` message.
  public mutating func writeAnyValue(_ value: AnyValue) {
    switch value {
    case .empty: break
    case .string(let value): stringField(1, value)
    case .bool(let value): boolField(2, value)
    case .int(let value): intField(3, value)
    case .double(let value): doubleField(4, value)
    case .array(let values):
      message(5) { writer in
        for value in values { writer.anyValueField(1, value) }
      }
    case .keyValueList(let attributes): message(6) { $0.attributeFields(1, attributes) }
    case .bytes(let value): bytesField(7, value)
    case .encoded(let fields): write(fields.span)
    }
  }

  /// Writes a field whose type is `AnyValue`.
  public mutating func anyValueField(_ number: UInt32, _ value: AnyValue) {
    message(number) { $0.writeAnyValue(value) }
  }

  /// Writes the fields of a `KeyValue` message.
  public mutating func writeKeyValue(_ key: String, _ value: AnyValue) {
    if !key.isEmpty { stringField(1, key) }
    anyValueField(2, value)
  }

  /// Writes attributes, each as a field of its own.
  public mutating func attributeFields(_ number: UInt32, _ attributes: Attributes) {
    for attribute in attributes.entries {
      message(number) { $0.writeKeyValue(attribute.key, attribute.value) }
    }
  }

  // Fields that proto3 leaves out when they have their default.

  mutating func optionalString(_ number: UInt32, _ value: String) {
    if !value.isEmpty { stringField(number, value) }
  }
  mutating func optionalBytes(_ number: UInt32, _ value: [UInt8]) {
    if !value.isEmpty { bytesField(number, value) }
  }
  mutating func optionalVarint(_ number: UInt32, _ value: UInt64) {
    if value != 0 { varintField(number, value) }
  }
  mutating func optionalInt(_ number: UInt32, _ value: Int64) {
    if value != 0 { intField(number, value) }
  }
  mutating func optionalSint(_ number: UInt32, _ value: Int64) {
    if value != 0 { sintField(number, value) }
  }
  mutating func optionalFixed64(_ number: UInt32, _ value: UInt64) {
    if value != 0 { fixed64Field(number, value) }
  }
  mutating func optionalFixed32(_ number: UInt32, _ value: UInt32) {
    if value != 0 { fixed32Field(number, value) }
  }
  /// Minus zero is not the default: its bits differ.
  mutating func optionalDouble(_ number: UInt32, _ value: Double) {
    optionalFixed64(number, value.bitPattern)
  }
}
