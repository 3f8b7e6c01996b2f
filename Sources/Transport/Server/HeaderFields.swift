/// The headers of a request, as they arrived.
///
/// Texts are made of those that are asked for; bytes that are not UTF-8 are replaced in them.
struct HeaderFields: Sendable {
  /// Where a field stands in the bytes of the head.
  struct Place: Sendable {
    private let nameStart, nameEnd, valueStart, valueEnd: UInt32

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    /// Without blanks around it.
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    /// Reads a line `name: value` (RFC 9112 §5).
    init(_ bytes: Span<UInt8>, from start: Int, to end: Int) throws(HTTPRequestReader.Failure) {
      var colon = start
      while colon < end, HTTPToken.isNameByte(bytes[colon]) { colon += 1 }
      guard colon > start, colon < end, bytes[colon] == UInt8(ascii: ":") else {
        throw .malformed("a header field has no name and colon")
      }
      let value = HeaderFields.trimmed(bytes, colon + 1..<end)
      (nameStart, nameEnd) = (UInt32(start), UInt32(colon))
      (valueStart, valueEnd) = (UInt32(value.lowerBound), UInt32(value.upperBound))
    }
  }

  private var bytes: [UInt8] = []
  private var places: [Place] = []

  mutating func append(_ place: Place) {
    if places.isEmpty { places.reserveCapacity(12) }
    places.append(place)
  }

  /// Keeps the bytes that hold the fields.
  mutating func keep(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes of names and values.
  var size: Int { places.reduce(0) { $0 + $1.name.count + $1.value.count } }

  var indices: Range<Int> { places.indices }

  /// How long the name of a field is.
  func nameLength(at index: Int) -> Int { places[index].name.count }

  /// - Parameter name: in lower case.
  func isNamed(_ name: String, at index: Int) -> Bool {
    HeaderFields.matches(bytes.span, places[index].name, name)
  }

  func name(at index: Int) -> String { text(places[index].name) }

  func value(at index: Int) -> String { text(places[index].value) }

  /// - Parameter value: in lower case.
  func hasValue(_ value: String, at index: Int) -> Bool {
    HeaderFields.matches(bytes.span, places[index].value, value)
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The first value of a header, found by name in any case.
  func first(_ name: String) -> String? {
    let name = name.lowercased()
    return indices.first { isNamed(name, at: $0) }.map(value(at:))
  }

  /// The values of a header in the order they came, found by name in any case.
  func all(_ name: String) -> [String] {
    let name = name.lowercased()
    return indices.filter { isNamed(name, at: $0) }.map(value(at:))
  }

  /// All headers by lower-case name, values in order.
  var grouped: [String: [String]] {
    var groups: [String: [String]] = [:]
    for index in indices {
      groups[name(at: index).lowercased(), default: []].append(value(at: index))
    }
    return groups
  }

  // MARK: Bytes

  /// Whether bytes are these ASCII characters but for upper and lower case.
  ///
  /// - Parameter text: in lower case.
  static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: String) -> Bool {
    guard range.count == text.utf8.count else { return false }
    var at = range.lowerBound
    for byte in text.utf8 {
      guard HTTPToken.lowercase(bytes[at]) == byte else { return false }
      at += 1
    }
    return true
  }

  /// Without spaces and tabs at both ends.
  static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    return start..<end
  }
}
