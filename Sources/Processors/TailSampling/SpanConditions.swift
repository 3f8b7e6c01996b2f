internal import NativeCodecs
internal import PipelineKit
internal import TelemetryData
internal import WireFormat

/// What some span of a trace, or its resource, was found to be: one bit per condition.
typealias Facts = UInt128

/// Something that is asked of spans: whether any of a trace is like it.
///
/// Asked as spans come, while their bytes are at hand, so that a decision needs to look at nothing again.
enum SpanCondition: Hashable, Sendable {
  /// A status code is one of these; bit n stands for code n.
  case status(UInt8)
  case sampledFlag
  /// The `tracestate` has one of the values under a key.
  case traceState(key: String, values: Set<String>)
  /// An attribute of the span or its resource.
  case attribute(key: String, AttributeCondition)
}

/// Something that is asked of an attribute's value.
enum AttributeCondition: Hashable, Sendable {
  case number(ClosedRange<Int64>)
  case boolean(Bool)
  case text(Set<String>)
  case pattern([String])
}

/// Asks the conditions of all policies in one walk over a span.
struct SpanConditions: Sendable {
  /// The most conditions, all policies together; the same condition counts once.
  static let most = Facts.bitWidth

  private struct Attribute: Sendable {
    let key: [UInt8]
    var tests: [Test] = []
  }
  private struct Test: Sendable {
    let bit: Facts
    let value: Value
    let wrongTypes: SelfMetricCell
  }
  private enum Value: Sendable {
    case number(ClosedRange<Int64>)
    case boolean(Bool)
    case text([[UInt8]])
    case patterns([Pattern])
  }

  private var attributes: [Attribute] = []
  private var statuses: [(codes: UInt8, bit: Facts)] = []
  private var traceStates: [(key: [UInt8], values: [[UInt8]], bit: Facts)] = []
  private var sampledFlag: Facts = 0
  private var bits: [SpanCondition: Facts] = [:]

  init() {}

  /// Whether any is about attributes.
  private var hasAttributes: Bool { keyLengths != 0 }
  /// The lengths of their keys, a bit for each: most attributes are none of them, and are not looked at.
  private var keyLengths: UInt64 = 0

  /// The bit of a condition; nil when there are too many.
  ///
  /// - Parameter wrongTypes: counts attributes of the right name and another type than the condition asks for.
  mutating func add(_ condition: SpanCondition, wrongTypes: SelfMetricCell) throws(PatternError) -> Facts? {
    if let bit = bits[condition] { return bit }
    if bits.count == Self.most { return nil }
    let bit = Facts(1) << Facts(bits.count)
    switch condition {
    case .status(let codes): statuses.append((codes, bit))
    case .sampledFlag: sampledFlag = bit
    case .traceState(let key, let values):
      traceStates.append((Array(key.utf8), values.map { Array($0.utf8) }, bit))
    case .attribute(let key, let asked):
      let test = Test(bit: bit, value: try Self.value(asked), wrongTypes: wrongTypes)
      let key = Array(key.utf8)
      keyLengths |= Self.mark(key.count)
      if let known = attributes.firstIndex(where: { $0.key == key }) {
        attributes[known].tests.append(test)
      } else {
        attributes.append(Attribute(key: key, tests: [test]))
      }
    }
    bits[condition] = bit
    return bit
  }

  private static func value(_ condition: AttributeCondition) throws(PatternError) -> Value {
    switch condition {
    case .number(let range): return .number(range)
    case .boolean(let value): return .boolean(value)
    case .text(let values): return .text(values.map { Array($0.utf8) })
    case .pattern(let texts):
      var patterns: [Pattern] = []
      for text in texts { patterns.append(try Pattern(text)) }
      return .patterns(patterns)
    }
  }

  /// What a span tells a trace.
  struct Reading {
    var facts: Facts
    /// In nanoseconds since the epoch; 0 when the span does not say.
    var start: UInt64 = 0
    var end: UInt64 = 0
    var isRoot = true
  }

  /// Reads a span.
  ///
  /// - Parameter known: what is known of the trace already and need not be asked again.
  func read(_ span: borrowing WireMessage, known: Facts) -> Reading {
    var reading = Reading(facts: known)
    var (status, flags, seen) = (UInt64(0), UInt32(0), UInt64(0))
    var traceState = WireRange(start: 0, end: 0)
    var cursor = span.fields
    do throws(WireError) {
      while !cursor.isAtEnd {
        let tag = try cursor.readTag()
        switch tag {
        case .lengthDelimited(9):
          let range = try cursor.readLengthDelimited()
          if hasAttributes { test(span.bytes, range, &reading.facts, &seen, allowsEmpty: false) }
        case .lengthDelimited(4): reading.isRoot = try cursor.readLengthDelimited().count == 0
        case .fixed64(7): reading.start = try cursor.readFixed64()
        case .fixed64(8): reading.end = try cursor.readFixed64()
        case .lengthDelimited(15):
          status = WireMessage(span.bytes, try cursor.readLengthDelimited()).number(.varint(3))
        case .fixed32(16): flags = try cursor.readFixed32()
        case .lengthDelimited(3): traceState = try cursor.readLengthDelimited()
        default: try cursor.skip(tag)
        }
      }
    } catch {
      // Spans were checked when they came in; of one that was not, what stands before the mistake counts.
    }
    for (codes, bit) in statuses where status < 8 && codes & (1 << UInt8(status)) != 0 {
      reading.facts |= bit
    }
    if flags & 1 != 0 { reading.facts |= sampledFlag }
    if traceState.count > 0, !traceStates.isEmpty {
      reading.facts |= facts(ofTraceState: span.bytes.extracting(traceState.range), known: reading.facts)
    }
    return reading
  }

  private func facts(ofTraceState header: Span<UInt8>, known: Facts) -> Facts {
    var facts: Facts = 0
    for wanted in traceStates where known & wanted.bit == 0 {
      guard let value = TraceStateMembers.value(of: wanted.key, in: header) else { continue }
      let found = header.extracting(value)
      if wanted.values.contains(where: { $0.span.hasSameBytes(as: found) }) { facts |= wanted.bit }
    }
    return facts
  }

  /// What the attributes of a resource say.
  func facts(ofResource message: borrowing WireMessage) -> Facts {
    if !hasAttributes { return 0 }
    var facts: Facts = 0
    var seen: UInt64 = 0
    var cursor = message.fields
    while let range = cursor.nextPayload(of: .lengthDelimited(1)) {
      test(message.bytes, range, &facts, &seen, allowsEmpty: true)
    }
    return facts
  }

  private static func mark(_ length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

  /// - Parameters:
  ///   - seen: which keys were met; of several attributes with one key the first counts.
  ///   - allowsEmpty: whether a pattern is tried on an empty text: of resources, not of spans.
  @inline(__always)
  private func test(
    _ bytes: Span<UInt8>, _ range: WireRange, _ facts: inout Facts, _ seen: inout UInt64, allowsEmpty: Bool
  ) {
    if keyLengths & Self.mark(AttributeView.keyRange(in: bytes, range).count) == 0 { return }
    testKey(AttributeView(WireMessage(bytes, range)), &facts, &seen, allowsEmpty: allowsEmpty)
  }

  private func testKey(
    _ attribute: AttributeView, _ facts: inout Facts, _ seen: inout UInt64, allowsEmpty: Bool
  ) {
    for index in attributes.indices {
      let key = attributes[index].key
      guard attribute.key.equals(key.span) else { continue }
      if index < 64 {
        let mark = UInt64(1) << UInt64(index)
        if seen & mark != 0 { return }
        seen |= mark
      }
      let value = attribute.value
      for test in attributes[index].tests where facts & test.bit == 0 {
        if Self.holds(test, value, allowsEmpty: allowsEmpty) { facts |= test.bit }
      }
      return
    }
  }

  private static func holds(_ test: Test, _ value: AnyValueView, allowsEmpty: Bool) -> Bool {
    switch test.value {
    case .number(let range):
      if value.kind == .int { return range.contains(value.int) }
    case .boolean(let wanted):
      if value.kind == .bool { return value.bool == wanted }
    case .text(let texts):
      if value.kind == .string { return texts.contains { value.bytes.equals($0.span) } }
    case .patterns(let patterns):
      if value.kind == .string {
        let text = value.bytes
        if text.isEmpty, !allowsEmpty { return false }
        return patterns.contains { $0.matches(text.span) }
      }
    }
    test.wrongTypes.add()
    return false
  }
}

/// The members of a `tracestate` header (W3C Trace Context, 3.3).
enum TraceStateMembers {
  private static let mostMembers = 32

  /// Where the value of a key stands; nil when the header has none, or is malformed anywhere.
  static func value(of key: [UInt8], in header: Span<UInt8>) -> Range<Int>? {
    var found: Range<Int>?
    var members = 0
    var start = 0
    while start <= header.count {
      var end = start
      while end < header.count, header[end] != 0x2C { end += 1 }
      let member = trimmed(start..<end, header)
      start = end + 1
      if member.isEmpty { continue }
      members += 1
      guard members <= mostMembers, let equals = member.first(where: { header[$0] == 0x3D }),
        isKey(member.lowerBound..<equals, header), isValue(equals + 1..<member.upperBound, header)
      else { return nil }
      let name = header.extracting(member.lowerBound..<equals)
      if found == nil, name.hasSameBytes(as: key.span) { found = equals + 1..<member.upperBound }
    }
    return found
  }

  private static func trimmed(_ range: Range<Int>, _ header: Span<UInt8>) -> Range<Int> {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high, header[low] == 0x20 || header[low] == 0x09 { low += 1 }
    while low < high, header[high - 1] == 0x20 || header[high - 1] == 0x09 { high -= 1 }
    return low..<high
  }

  private static func isKey(_ range: Range<Int>, _ header: Span<UInt8>) -> Bool {
    guard !range.isEmpty, range.count <= 256 else { return false }
    return range.allSatisfy {
      switch header[$0] {
      case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D, 0x2A, 0x2F: true
      case 0x40: $0 > range.lowerBound
      default: false
      }
    }
  }

  private static func isValue(_ range: Range<Int>, _ header: Span<UInt8>) -> Bool {
    guard !range.isEmpty, range.count <= 256 else { return false }
    return range.allSatisfy { header[$0] >= 0x20 && header[$0] <= 0x7E && header[$0] != 0x3D }
  }
}
