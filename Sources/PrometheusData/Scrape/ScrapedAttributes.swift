internal import WireFormat

/// Encodes labels as OTLP attributes, ready to be copied into points.
enum ScrapedAttributes {
  /// The tag of the attributes of a point, by what the metric is; always one byte.
  static func tag(of kind: ScrapedKind) -> UInt32 {
    switch kind {
    case .gauge, .counter, .state, .summary: 7
    case .histogram, .custom: 9
    case .exponential: 1
    }
  }

  /// Appends one attribute with a string value.
  static func write(_ name: String, _ value: String, field: UInt32, to writer: inout WireWriter) {
    let size = value.utf8.count
    let content = Varint.fieldLength(1, payload: size)
    writer.writeTag(.lengthDelimited(field))
    writer.writeVarint(
      UInt64(Varint.fieldLength(1, payload: name.utf8.count) + Varint.fieldLength(2, payload: content)))
    writer.stringField(1, name)
    writer.writeTag(.lengthDelimited(2))
    writer.writeVarint(UInt64(content))
    writer.stringField(1, value)
  }

  /// Whether a label of a series is told by its resource, scope or metric, and not by an attribute.
  static func isElsewhere(_ name: String) -> Bool {
    name == "job" || name == "instance" || name == "__name__" || name.hasPrefix("otel_scope_")
  }

  /// Appends the attributes of a point: the labels of its series in their order, without one.
  static func write(
    _ labels: LabelSet, without part: String = "", field: UInt32, to writer: inout WireWriter
  ) {
    for label in labels where !isElsewhere(label.name) && label.name != part {
      write(label.name, label.value, field: field, to: &writer)
    }
  }

  /// Appends encoded attributes once more under another tag, with one added in the order of names.
  static func rewrite(
    _ attributes: Span<UInt8>, adding name: String, value: Span<UInt8>, field: UInt32,
    to writer: inout WireWriter
  ) {
    var isAdded = name.isEmpty
    var cursor = WireCursor(attributes)
    while !cursor.isAtEnd {
      guard (try? cursor.readTag()) != nil, let range = try? cursor.readLengthDelimited() else { return }
      let pair = attributes.extracting(range.range)
      if !isAdded, precedes(name, Self.name(of: pair)) {
        add(name, value, field: field, to: &writer)
        isAdded = true
      }
      writer.bytesField(field, pair)
    }
    if !isAdded { add(name, value, field: field, to: &writer) }
  }

  private static func add(
    _ name: String, _ value: Span<UInt8>, field: UInt32, to writer: inout WireWriter
  ) {
    let mark = writer.beginMessage(field)
    writer.stringField(1, name)
    let content = writer.beginMessage(2)
    writer.bytesField(1, value)
    writer.endMessage(content)
    writer.endMessage(mark)
  }

  /// The name in an encoded attribute.
  @_lifetime(copy pair)
  private static func name(of pair: Span<UInt8>) -> Span<UInt8> {
    var cursor = WireCursor(pair)
    guard (try? cursor.readTag()) != nil, let range = try? cursor.readLengthDelimited() else {
      return pair.extracting(0..<0)
    }
    return pair.extracting(range.range)
  }

  private static func precedes(_ name: String, _ other: Span<UInt8>) -> Bool {
    var position = 0
    for byte in name.utf8 {
      if position == other.count { return false }
      if byte != other[position] { return byte < other[position] }
      position += 1
    }
    return position < other.count
  }
}
