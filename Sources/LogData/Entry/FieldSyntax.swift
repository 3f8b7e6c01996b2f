/// Why a text is no field, and where.
struct FieldSyntaxError: Error, Equatable {
  let reason: String
  /// The wrong part, in bytes from 0.
  let range: Range<Int>
  let help: String?

  init(_ reason: String, _ range: Range<Int>, help: String? = nil) {
    self.reason = reason
    self.range = range
    self.help = help
  }
}

extension FieldPath: CustomStringConvertible {
  /// Reads a field as the Collector writes it: a root, then keys behind dots or in brackets with quotes.
  init(_ text: String) throws(FieldSyntaxError) {
    let bytes = Array(text.utf8)
    var scanner = Scanner(bytes: bytes)
    let parts = try scanner.parts()
    guard let first = parts.first, let root = Root(rawValue: first.text) else {
      throw Self.wrongRoot(parts.first?.text ?? "", bytes)
    }
    self.init(root, parts.dropFirst().map(\.text))
  }

  private static func wrongRoot(_ root: String, _ bytes: [UInt8]) -> FieldSyntaxError {
    let range = 0..<root.utf8.count
    if root.hasPrefix("$") {
      // Before 2022 fields were `$body.x` and `$attributes.x`, and earlier `$record.x` and `$labels.x`.
      let rest = String(decoding: bytes.drop { $0 == UInt8(ascii: "$") }, as: UTF8.self)
      let name = String(rest.prefix { $0 != "." && $0 != "[" })
      let modern = ["record": "body", "labels": "attributes"][name] ?? name
      let new = (Root(rawValue: modern) == nil ? "body." + name : modern) + rest.dropFirst(name.count)
      return FieldSyntaxError(
        "a field no longer begins with a dollar sign", range,
        help: "write \(name.isEmpty ? "body\(rest)" : new)")
    }
    let roots = "body, attributes or resource"
    let text = String(decoding: bytes, as: UTF8.self)
    let isKey = !text.contains("[") && !text.hasPrefix(".")
    return FieldSyntaxError(
      "a field begins with \(roots)", range, help: isKey ? "write body.\(text) or attributes.\(text)" : nil)
  }

  /// The field as it is written; keys with dots or brackets stand in brackets.
  package var description: String {
    keys.reduce(into: root.rawValue) { text, key in
      let isPlain = !key.isEmpty && !key.contains { ".[]'\"".contains($0) }
      let quote = key.contains("\"") ? "'" : "\""
      text += isPlain ? ".\(key)" : "[\(quote)\(key)\(quote)]"
    }
  }

  /// Splits a field into its root and its keys.
  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    mutating func parts() throws(FieldSyntaxError) -> [(text: String, start: Int)] {
      var parts: [(text: String, start: Int)] = []
      while position < bytes.count {
        if bytes[position] == UInt8(ascii: "[") {
          parts.append(try bracketed())
          continue
        }
        if !parts.isEmpty {
          guard bytes[position] == UInt8(ascii: ".") else {
            throw FieldSyntaxError(
              "a dot or a bracket must follow a key in brackets", position..<(position + 1))
          }
          position += 1
        }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "."),
          bytes[position] != UInt8(ascii: "[")
        {
          position += 1
        }
        if position == start { throw FieldSyntaxError("a key is missing", start..<start) }
        parts.append((text(start..<position), start))
      }
      return parts
    }

    /// A key in brackets and quotes; nothing is escaped in it.
    private mutating func bracketed() throws(FieldSyntaxError) -> (text: String, start: Int) {
      let bracket = position
      position += 1
      guard position < bytes.count else {
        throw FieldSyntaxError("the bracket is not closed", bracket..<(bracket + 1))
      }
      let quote = bytes[position]
      guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
        throw FieldSyntaxError(
          "a key in brackets must stand in quotes", position..<(position + 1), help: "write [\"key\"]")
      }
      let start = position + 1
      guard let end = bytes[start...].firstIndex(of: quote) else {
        throw FieldSyntaxError("the quote is not closed", position..<(position + 1))
      }
      position = end + 1
      guard position < bytes.count else {
        throw FieldSyntaxError("the bracket is not closed", bracket..<(bracket + 1))
      }
      guard bytes[position] == UInt8(ascii: "]") else {
        throw FieldSyntaxError("a closing bracket must follow the quote", position..<(position + 1))
      }
      position += 1
      return (text(start..<end), start)
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
  }
}
