internal import WireFormat

/// The `tracestate` of a span, with what OpenTelemetry's member `ot` says about sampling.
///
/// Source: W3C Trace Context Level 2, "tracestate Header", and OpenTelemetry, "TraceState Handling". One of these serves
/// span after span and keeps its memory.
struct TraceState {
  /// The value of `rv`.
  private(set) var randomness: UInt64?
  /// The value of `th`.
  private(set) var threshold: SamplingThreshold?
  private var randomnessText = WireRange(start: 0, end: 0)
  private var thresholdText = WireRange(start: 0, end: 0)
  /// The other members within `ot`, and those besides it.
  private var others: [WireRange] = []
  private var vendors: [WireRange] = []

  private static let maxLength = 1024
  private static let maxMembers = 31
  private static let maxKey = 256
  private static let maxTenant = 241
  private static let maxSystem = 14
  private static let maxValue = 256

  /// Reads a tracestate; false when it is malformed, and then nothing of it counts.
  mutating func read(_ text: Span<UInt8>) -> Bool {
    clear()
    vendors.removeAll(keepingCapacity: true)
    if text.isEmpty { return true }
    guard text.count <= Self.maxLength, readMembers(text) else {
      clear()
      return false
    }
    return true
  }

  private mutating func clear() {
    randomness = nil
    threshold = nil
    others.removeAll(keepingCapacity: true)
  }

  private mutating func readMembers(_ text: Span<UInt8>) -> Bool {
    var start = 0
    var members = 0
    while start < text.count {
      members += 1
      if members > Self.maxMembers { return false }
      let end = text.position(of: 0x2C, from: start) ?? text.count
      let member = Self.trimmed(text, start, end)
      start = end + 1
      if member.isEmpty { continue }
      guard let equals = text.position(of: 0x3D, from: member.lowerBound), equals < member.upperBound,
        Self.isKey(text.extracting(member.lowerBound..<equals)),
        Self.isValue(text.extracting(equals + 1..<member.upperBound))
      else { return false }
      if equals - member.lowerBound == 2, text[member.lowerBound] == 0x6F, text[equals - 1] == 0x74 {
        clear()
        if !readOpenTelemetry(text, equals + 1, member.upperBound) { return false }
      } else {
        vendors.append(member)
      }
    }
    return true
  }

  private mutating func readOpenTelemetry(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var start = start
    while start <= end {
      let next = min(text.position(of: 0x3B, from: start) ?? end, end)
      guard let colon = text.position(of: 0x3A, from: start), colon < next,
        Self.isSubkey(text.extracting(start..<colon)), Self.isSubvalue(text.extracting(colon + 1..<next))
      else { return false }
      let value = WireRange(colon + 1, next)
      let isTwo = colon - start == 2
      if isTwo, text[start] == 0x72, text[start + 1] == 0x76 {
        guard value.count == SamplingThreshold.digits,
          let number = Hexadecimal.value(of: text.extracting(value.range))
        else { return false }
        randomness = number
        randomnessText = value
      } else if isTwo, text[start] == 0x74, text[start + 1] == 0x68 {
        guard let read = SamplingThreshold(text.extracting(value.range)) else { return false }
        threshold = read
        thresholdText = value
      } else {
        others.append(WireRange(start, next))
      }
      start = next + 1
    }
    return true
  }

  /// Writes the tracestate anew: `ot` with `rv` and `th` first, then what else there was.
  ///
  /// - Parameters:
  ///   - text: what was read last.
  ///   - newRandomness: takes the place of `rv`; nil leaves it.
  ///   - newThreshold: takes the place of `th`; nil leaves it.
  func write(
    _ text: Span<UInt8>, randomness newRandomness: UInt64?, threshold newThreshold: SamplingThreshold?,
    to output: inout [UInt8]
  ) {
    let start = output.count
    output += [0x6F, 0x74]
    var separator: UInt8 = 0x3D
    func begin(_ first: UInt8, _ second: UInt8, _ output: inout [UInt8]) {
      output += [separator, first, second, 0x3A]
      separator = 0x3B
    }
    if let newRandomness {
      begin(0x72, 0x76, &output)
      Hexadecimal.write(newRandomness, to: &output)
    } else if randomness != nil {
      begin(0x72, 0x76, &output)
      output.append(text, randomnessText)
    }
    if let newThreshold {
      begin(0x74, 0x68, &output)
      newThreshold.write(to: &output)
    } else if threshold != nil {
      begin(0x74, 0x68, &output)
      output.append(text, thresholdText)
    }
    for range in others {
      output.append(separator)
      separator = 0x3B
      output.append(text, range)
    }
    if separator == 0x3D { output.removeLast(2) }
    for range in vendors {
      if output.count > start { output.append(0x2C) }
      output.append(text, range)
    }
  }

  // MARK: Syntax

  private static func trimmed(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> WireRange {
    var (start, end) = (start, end)
    while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
    while start < end, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return WireRange(start, end)
  }

  private static func isLower(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte }
  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

  /// A name, or the name of a tenant and of a system with an `@` between.
  private static func isKey(_ key: Span<UInt8>) -> Bool {
    if key.isEmpty || key.count > maxKey { return false }
    guard let at = key.position(of: 0x40, from: 0) else { return isLower(key[0]) && isKeyText(key) }
    let (tenant, system) = (key.extracting(0..<at), key.extracting(at + 1..<key.count))
    return 1...maxTenant ~= tenant.count && 1...maxSystem ~= system.count
      && (isLower(tenant[0]) || isDigit(tenant[0])) && isLower(system[0]) && isKeyText(tenant)
      && isKeyText(system)
  }

  private static func isKeyText(_ text: Span<UInt8>) -> Bool {
    for index in text.indices {
      switch text[index] {
      case 0x5F, 0x2D, 0x2A, 0x2F: continue
      case let byte: if !isLower(byte), !isDigit(byte) { return false }
      }
    }
    return true
  }

  /// Printable ASCII without `,` and `=`, and no space at the end.
  private static func isValue(_ value: Span<UInt8>) -> Bool {
    guard 1...maxValue ~= value.count, value[value.count - 1] != 0x20 else { return false }
    for index in value.indices {
      let byte = value[index]
      if byte < 0x20 || byte > 0x7E || byte == 0x2C || byte == 0x3D { return false }
    }
    return true
  }

  private static func isSubkey(_ key: Span<UInt8>) -> Bool {
    guard !key.isEmpty, isLower(key[0]) else { return false }
    for index in key.indices where !isLower(key[index]) && !isDigit(key[index]) { return false }
    return true
  }

  private static func isSubvalue(_ value: Span<UInt8>) -> Bool {
    for index in value.indices {
      switch value[index] {
      case 0x2E, 0x5F, 0x2D, 0x41...0x5A: continue
      case let byte: if !isLower(byte), !isDigit(byte) { return false }
      }
    }
    return true
  }
}

extension Span where Element == UInt8 {
  /// The first place of a byte from an offset on.
  fileprivate func position(of byte: UInt8, from start: Int) -> Int? {
    var index = start
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }
}

extension [UInt8] {
  /// Appends a part of other bytes.
  fileprivate mutating func append(_ bytes: Span<UInt8>, _ range: WireRange) {
    for index in range.range { append(bytes[index]) }
  }
}
