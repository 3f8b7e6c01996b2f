internal import TelemetryData
internal import WireFormat

/// Where a field of a log record stands: in the body or among the attributes, and the keys that lead there.
struct LogFieldPath: Sendable, Hashable {
  enum Root: String, Sendable { case body, attributes }

  let root: Root
  let keys: [String]

  /// Reads `attributes.host\.name` or `body.user.id`: dots separate, but for those behind a backslash.
  ///
  /// - Returns: Nil when it begins with neither `body` nor `attributes`.
  init?(_ text: String) {
    var parts: [String] = [""]
    var isEscaped = false
    for character in text.unicodeScalars {
      if isEscaped {
        if character != "." { parts[parts.count - 1] += "\\" }
        parts[parts.count - 1].unicodeScalars.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "." {
        parts.append("")
      } else {
        parts[parts.count - 1].unicodeScalars.append(character)
      }
    }
    if isEscaped { parts[parts.count - 1] += "\\" }
    guard let root = Root(rawValue: parts[0]) else { return nil }
    self.root = root
    keys = Array(parts.dropFirst())
  }

  /// Adds the value of the field to a hash; false when the record has none.
  func add(_ record: LogRecordView, to digest: inout StreamDigest) -> Bool {
    switch root {
    case .attributes: Self.add(keys[...], of: record.attributes, to: &digest)
    case .body:
      if let body = record.body, body.kind == .keyValueList {
        Self.add(keys[...], of: body.keyValueList, to: &digest)
      } else {
        false
      }
    }
  }

  private static func add(
    _ keys: ArraySlice<String>, of list: AttributesView, to digest: inout StreamDigest
  ) -> Bool {
    guard let key = keys.first else {
      digest.add(list)
      return true
    }
    guard let value = list.first(key) else { return false }
    let rest = keys.dropFirst()
    if rest.isEmpty {
      digest.add(value)
      return true
    }
    return value.kind == .keyValueList && add(rest, of: value.keyValueList, to: &digest)
  }
}

/// Writes a log record without some of its fields.
struct LogFieldRemoval: Sendable {
  private let attributes: [[String]]
  private let body: [[String]]

  init(_ paths: [LogFieldPath]) {
    attributes = paths.filter { $0.root == .attributes }.map(\.keys)
    body = paths.filter { $0.root == .body }.map(\.keys)
  }

  var isEmpty: Bool { attributes.isEmpty && body.isEmpty }

  func write(_ record: LogRecordView, to writer: inout WireWriter) {
    let message = record.message
    let removesAll = attributes.contains([])
    var cursor = message.fields
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(6):
        if !removesAll { Self.copy(field, 6, without: attributes, in: message.bytes, to: &writer) }
      case .lengthDelimited(5) where !body.isEmpty:
        let value = AnyValueView(WireMessage(message.bytes, field.value))
        if value.kind == .keyValueList {
          writer.message(5) { Self.write(value, without: body, to: &$0) }
        } else {
          writer.write(message.bytes, in: field.range)
        }
      default: writer.write(message.bytes, in: field.range)
      }
    }
  }

  /// Writes a map without what some paths lead to.
  private static func write(
    _ map: AnyValueView, without paths: [[String]], to writer: inout WireWriter
  ) {
    writer.message(6) { writer in
      let list = map.keyValueList.message
      var cursor = list.fields
      while let field = cursor.nextField() {
        if field.tag == .lengthDelimited(1) { copy(field, 1, without: paths, in: list.bytes, to: &writer) }
      }
    }
  }

  /// Copies an attribute, unless a path leads to it, and without what paths lead to within it.
  private static func copy(
    _ field: WireField, _ number: UInt32, without paths: [[String]], in bytes: Span<UInt8>,
    to writer: inout WireWriter
  ) {
    let attribute = AttributeView(WireMessage(bytes, field.value))
    var inner: [[String]] = []
    for path in paths {
      guard let key = path.first, attribute.key == key else { continue }
      if path.count == 1 { return }
      inner.append(Array(path.dropFirst()))
    }
    if inner.isEmpty || attribute.value.kind != .keyValueList {
      writer.write(bytes, in: field.range)
      return
    }
    writer.message(number) { writer in
      writer.bytesField(1, attribute.key.span)
      writer.message(2) { write(attribute.value, without: inner, to: &$0) }
    }
  }
}
