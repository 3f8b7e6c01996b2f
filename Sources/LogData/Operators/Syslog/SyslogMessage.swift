/// What stands where in a syslog message: places are offsets in the text that was read.
struct SyslogMessage {
  /// Facility and severity in one number, 0 to 191; -1 when there is none.
  var priority = -1
  /// Of RFC 5424; 0 when there is none.
  var version = 0
  /// Nanoseconds since the Unix epoch; nil when there is none.
  var timestamp: Int64?
  var hostname = 0..<0
  var appname = 0..<0
  var processID = 0..<0
  var messageID = 0..<0
  var message = 0..<0
  /// The elements of RFC 5424's structured data, each followed by its parameters.
  var structuredData: [StructuredDataPart] = []

  var facility: Int { priority >> 3 }
  var severity: Int { priority & 7 }

  /// An empty message with the memory of this one.
  mutating func reset() {
    priority = -1
    version = 0
    timestamp = nil
    hostname = 0..<0
    appname = 0..<0
    processID = 0..<0
    messageID = 0..<0
    message = 0..<0
    structuredData.removeAll(keepingCapacity: true)
  }
}

/// An element of structured data, or one of its parameters.
struct StructuredDataPart {
  var name: Range<Int>
  /// Nil for an element.
  var value: Range<Int>?
  /// Whether quotes, brackets or backslashes in the value stand behind a backslash.
  var hasEscapes = false
}

/// Why a text is no syslog message.
///
/// It holds no text, so that a line which is none costs nothing but the look at it.
struct SyslogFault: Error, Equatable {
  enum Reason: Equatable {
    case empty, priority, priorityRange, version, space, timestamp(String), field(String)
    case structuredData, elementName, parameterName, equalsSign, quote, openElement, openValue
    case tooManyParts(Int)
    case octetCount, octetCountRange(Int), tooShort(announced: Int, present: Int)
    /// A message with an octet count where none is expected.
    case unexpectedCount
  }
  let reason: Reason
  /// How many bytes of the text stand before the place.
  let offset: Int

  init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

extension SyslogFault: CustomStringConvertible {
  /// A clause without a full stop.
  var description: String {
    switch reason {
    case .empty: "the message is empty"
    case .priority: expected("a priority such as <34>")
    case .priorityRange: "the priority at byte \(offset) is more than 191"
    case .version: expected("a version, 1 to 999")
    case .space: expected("a space")
    case .timestamp(let detail): "\(detail) of the timestamp at byte \(offset)"
    case .field(let name): expected(name)
    case .structuredData: expected("structured data in brackets, or -")
    case .elementName: expected("the name of an element of structured data")
    case .parameterName: expected("the name of a parameter, or ]")
    case .equalsSign: expected("= behind the name of a parameter")
    case .quote: expected("the value of a parameter in quotes")
    case .openElement: "the element of structured data at byte \(offset) has no ] at its end"
    case .openValue: "the value at byte \(offset) has no quote at its end"
    case .tooManyParts(let most):
      "more than \(most) elements and parameters of structured data at byte \(offset)"
    case .octetCount: expected("the count of octets before the message, and a space")
    case .octetCountRange(let most): "the count of octets at byte \(offset) is more than max_octets (\(most))"
    case .tooShort(let announced, let present):
      "\(announced) octets are announced, and \(present) follow at byte \(offset)"
    case .unexpectedCount:
      "expected a priority such as <34> at byte \(offset), found a count of octets: set enable_octet_counting"
    }
  }

  private func expected(_ what: String) -> String { "expected \(what) at byte \(offset)" }
}
