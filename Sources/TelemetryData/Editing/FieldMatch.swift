import WireFormat

/// Which fields of a message an edit is about.
enum FieldMatch {
  /// All occurrences of a field.
  case number(UInt32)
  /// The attributes with a key, by the number of the attributes field.
  case attribute(UInt32, key: [UInt8])

  var number: UInt32 {
    switch self {
    case .number(let number), .attribute(let number, _): number
    }
  }

  func matches(_ field: WireField, in bytes: Span<UInt8>) -> Bool {
    switch self {
    case .number(let number): return field.fieldNumber == number
    case .attribute(let number, let key):
      guard field.tag == .lengthDelimited(number) else { return false }
      return AttributeView(WireMessage(bytes, field.value)).key.equals(key.span)
    }
  }

  /// Writes a message of its own again, with the first matching field replaced and further ones left out.
  ///
  /// - Parameters:
  ///   - replacement: A whole field, or nil to leave all out.
  /// - Returns: The new content, or nil when nothing matches.
  func rewrite(_ content: Span<UInt8>, with replacement: [UInt8]?) -> [UInt8]? {
    var writer = WireWriter(capacity: content.count + 64)
    var found = false
    var cursor = WireCursor(content)
    while let field = cursor.nextField() {
      if matches(field, in: content) {
        if !found, let replacement { writer.write(replacement.span) }
        found = true
      } else {
        writer.write(content, in: field.range)
      }
    }
    return found ? writer.finish() : nil
  }
}
