/// A text that is not the OTLP-JSON form of the expected message, with the place and the reason.
///
/// Its description is meant for the client that sent the text, for example
/// `line 1, column 74 (byte 73), resourceSpans[0].scopeSpans[2].spans[7].traceId: a trace id has 32
/// hexadecimal digits`.
public struct OTLPJSONError: Error, Hashable, Sendable {
  /// What is wrong with the text.
  public enum Reason: Hashable, Sendable {
    /// The text ends within a value.
    case endOfText
    /// Something else stands where this was expected.
    case expected(Expectation)
    /// Something follows the end of the message.
    case trailingText
    /// A number is not written as JSON writes numbers.
    case invalidNumber
    /// An integer field holds a number with a fraction.
    case notAnInteger
    /// A number does not fit into the field.
    case numberOutOfRange
    /// A backslash is followed by something that no JSON string has there.
    case invalidEscape
    /// A control character stands in a string without being escaped.
    case controlCharacter
    /// The bytes of a string are not UTF-8.
    case invalidUTF8
    /// A trace id that is not 32 hexadecimal digits.
    case invalidTraceID
    /// A span id that is not 16 hexadecimal digits.
    case invalidSpanID
    /// A bytes field that is not base64.
    case invalidBase64
    /// A name that the enumeration does not have.
    case unknownEnumName
    /// `null` where a list has its elements.
    case nullElement
    /// Values are nested too deeply.
    case tooDeep
    /// The message would have 4 GiB or more.
    case tooLarge
  }

  /// What the grammar or the message asks for at a place.
  public enum Expectation: String, Hashable, Sendable {
    case object = "an object"
    case array = "an array"
    case string = "a string"
    case number = "a number"
    case integer = "an integer, as a number or a string"
    case boolean = "true or false"
    case enumeration = "the number or the name of an enum value"
    case value = "a value"
    case name = "a field name in quotes"
    case colon = "':'"
    case commaOrBrace = "',' or '}'"
    case commaOrBracket = "',' or ']'"
  }

  public var reason: Reason
  /// The byte of the text where it stands, counted from zero.
  public var offset: Int
  /// The line, counted from one.
  public var line: Int
  /// The byte within the line, counted from one.
  public var column: Int
  /// The way from the outermost message to the value, such as `resourceSpans[0].resource`; empty at the top.
  public var path: String
  /// The byte that was found there, if any.
  public var found: UInt8?

  package init(_ fault: JSONFault, path: String, in text: Span<UInt8>) {
    reason = fault.reason
    offset = min(fault.offset, text.count)
    found = offset < text.count ? text[offset] : nil
    self.path = path
    (line, column) = (1, 1)
    for index in 0..<offset {
      if text[index] == 0x0A {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
  }
}

extension OTLPJSONError: CustomStringConvertible {
  public var description: String {
    let place = "line \(line), column \(column) (byte \(offset))"
    return path.isEmpty ? "\(place): \(explanation)" : "\(place), \(path): \(explanation)"
  }

  /// The reason in words.
  public var explanation: String {
    switch reason {
    case .endOfText: "the text ends too early"
    case .expected(let expectation): "expected \(expectation.rawValue), found \(foundText)"
    case .trailingText: "text after the end of the message"
    case .invalidNumber: "not a valid number"
    case .notAnInteger: "an integer must not have a fraction"
    case .numberOutOfRange: "the number is out of the field's range"
    case .invalidEscape: "invalid escape sequence in a string"
    case .controlCharacter: "a control character in a string must be escaped"
    case .invalidUTF8: "a string is not valid UTF-8"
    case .invalidTraceID: "a trace id has 32 hexadecimal digits"
    case .invalidSpanID: "a span id has 16 hexadecimal digits"
    case .invalidBase64: "not valid base64"
    case .unknownEnumName: "unknown name of an enum value"
    case .nullElement: "null cannot be an element of a list"
    case .tooDeep: "values are nested too deeply"
    case .tooLarge: "the message is larger than 4 GiB"
    }
  }

  private var foundText: String {
    guard let found else { return "the end" }
    return switch found {
    case 0x21...0x7E: "'\(Character(Unicode.Scalar(found)))'"
    default: "byte 0x" + String(found, radix: 16, uppercase: true)
    }
  }
}
