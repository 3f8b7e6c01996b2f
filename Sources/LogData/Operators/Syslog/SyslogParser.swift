internal import Glibc
package import TimeFormats
internal import WireFormat

/// How a message says where it ends (RFC 6587).
package enum SyslogFraming: Sendable, Equatable {
  /// It does not: it fills what it came in.
  case whole
  /// By the number of its octets and a space before it.
  case octetCounting
  /// The same, and who cut the message out of its stream has seen to it.
  case counted
  /// By a byte behind it: a line feed or zero.
  case trailer(UInt8)
}

/// Reads syslog messages: RFC 5424, and RFC 3164 as it is spoken.
///
/// The entry gets the attributes `appname`, `facility`, `facility_text`, `hostname`, `message`, `msg_id`, `priority`,
/// `proc_id`, `structured_data` and `version`, as far as the message has them, its timestamp, and its severity.
package struct SyslogParser: LogValueParser {
  package struct Options: Sendable {
    package var format = SyslogProtocol.rfc5424
    /// Of times without one.
    package var zone = TimeZoneRules.utc
    package var allowsMissingPriority = false
    package var framing = SyslogFraming.whole
    /// The most octets that a count may announce.
    package var mostOctets = 8192

    package init() {}
  }

  private let options: Options
  /// Kept for its memory.
  private var message = SyslogMessage()

  package init(_ options: Options) { self.options = options }

  package mutating func parse(
    _ value: LogValue, of entry: inout LogEntry
  ) throws(LogOperatorError) -> LogValue {
    let range = try entry.wellFormedText(of: value)
    do throws(SyslogFault) {
      try read(entry.text(range), observedAt: entry.observedTimestamp)
    } catch {
      throw LogOperatorError(error.description)
    }
    let map = write(into: &entry, at: range.lowerBound)
    if let time = message.timestamp, time > 0 { entry.timestamp = UInt64(time) }
    if message.priority >= 0 {
      entry.severityNumber = SyslogNames.severityNumbers[message.severity]
      entry.severityText = entry.add(SyslogNames.severities[message.severity])
    }
    return map
  }

  private mutating func read(_ text: Span<UInt8>, observedAt: UInt64) throws(SyslogFault) {
    message.reset()
    var scanner = try body(of: text)
    if scanner.position == scanner.end { throw SyslogFault(.empty, at: scanner.position) }
    if scanner.next == 0x3C {
      if options.format != .none {
        message.priority = try scanner.readPriority()
      } else if let priority = try? scanner.readPriority() {
        message.priority = priority
      }
    } else if !options.allowsMissingPriority, options.format != .none {
      throw SyslogFault(scanner.startsWithCount ? .unexpectedCount : .priority, at: scanner.position)
    }
    switch options.format {
    case .rfc5424: try scanner.readRFC5424(into: &message)
    case .rfc3164:
      let now = observedAt > 0 ? Int(observedAt / 1_000_000_000) : time(nil)
      scanner.readRFC3164(into: &message, SyslogSurroundings(now: now, zone: options.zone))
    case .none: message.message = scanner.position..<scanner.end
    }
  }

  /// The message within its frame.
  @_lifetime(copy text)
  private func body(of text: Span<UInt8>) throws(SyslogFault) -> SyslogScanner {
    switch options.framing {
    case .whole: return SyslogScanner(text, from: 0, to: text.count)
    case .trailer(let byte):
      let isThere = text.count > 0 && text[text.count - 1] == byte
      return SyslogScanner(text, from: 0, to: text.count - (isThere ? 1 : 0))
    case .octetCounting, .counted:
      var scanner = SyslogScanner(text, from: 0, to: text.count)
      // Some senders count some of their messages only.
      if scanner.next == 0x3C || (options.format == .none && !scanner.startsWithCount) { return scanner }
      let count = scanner.readNumber(most: 9)
      guard count > 0, scanner.next == 0x20 else { throw SyslogFault(.octetCount, at: 0) }
      let start = scanner.position + 1
      if options.framing == .counted { return SyslogScanner(text, from: start, to: text.count) }
      if count > options.mostOctets { throw SyslogFault(.octetCountRange(options.mostOctets), at: 0) }
      guard count <= text.count - start else {
        throw SyslogFault(.tooShort(announced: count, present: text.count - start), at: start)
      }
      var end = start + count
      // Whoever has miscounted must not leave half a character.
      while end > start, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
      return SyslogScanner(text, from: start, to: end)
    }
  }

  // The attributes.

  private mutating func write(into entry: inout LogEntry, at start: Int) -> LogValue {
    let (map, value) = entry.makeMap()
    // All keys lie in the arena together, so that they are copied at once.
    let keys = entry.add(SyslogNames.keys).lowerBound
    func key(_ key: SyslogNames.Key) -> WireRange { WireRange(keys + key.start, keys + key.end) }
    func add(_ name: SyslogNames.Key, _ range: Range<Int>) {
      guard !range.isEmpty else { return }
      let place = WireRange(start + range.lowerBound, start + range.upperBound)
      entry.append(key: key(name), .string(place), to: map)
    }
    add(.appname, message.appname)
    if message.priority >= 0 {
      entry.append(key: key(.facility), .int(Int64(message.facility)), to: map)
      let name = entry.add(SyslogNames.facilities[message.facility])
      entry.append(key: key(.facilityText), .string(name), to: map)
    }
    add(.hostname, message.hostname)
    add(.message, message.message)
    add(.messageID, message.messageID)
    if message.priority >= 0 {
      entry.append(key: key(.priority), .int(Int64(message.priority)), to: map)
    }
    add(.processID, message.processID)
    if !message.structuredData.isEmpty {
      entry.append(key: key(.structuredData), structuredData(into: &entry, at: start), to: map)
    }
    if message.version > 0 { entry.append(key: key(.version), .int(Int64(message.version)), to: map) }
    return value
  }

  /// A map of maps of texts. Where a name is there twice, which the RFC allows for parameters, the last counts.
  private mutating func structuredData(into entry: inout LogEntry, at start: Int) -> LogValue {
    let (elements, value) = entry.makeMap()
    var element = elements
    var parameters = 0
    for part in message.structuredData {
      let name = WireRange(start + part.name.lowerBound, start + part.name.upperBound)
      guard let range = part.value else {
        if parameters > 1 { entry.removeDuplicates(of: element) }
        parameters = 0
        let (map, value) = entry.makeMap()
        element = map
        entry.append(key: name, value, to: elements)
        continue
      }
      let place = WireRange(start + range.lowerBound, start + range.upperBound)
      entry.append(key: name, .string(part.hasEscapes ? unescape(place, in: &entry) : place), to: element)
      parameters += 1
    }
    if parameters > 1 { entry.removeDuplicates(of: element) }
    entry.removeDuplicates(of: elements)
    return value
  }

  /// A copy without the backslashes before quotes, backslashes and closing brackets; others are text.
  private func unescape(_ range: WireRange, in entry: inout LogEntry) -> WireRange {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var position = range.lowerBound
    while position < range.upperBound {
      let byte = entry.arena[position]
      let next = position + 1 < range.upperBound ? entry.arena[position + 1] : 0
      if byte == 0x5C, next == 0x22 || next == 0x5C || next == 0x5D { position += 1 }
      bytes.append(entry.arena[position])
      position += 1
    }
    return entry.add(bytes)
  }
}

extension LogEntry {
  fileprivate mutating func add(_ bytes: [UInt8]) -> WireRange {
    let start = arena.count
    arena.append(contentsOf: bytes)
    return WireRange(start, arena.count)
  }
}

extension SyslogScanner {
  /// Whether digits and a space stand before a priority.
  fileprivate var startsWithCount: Bool {
    var place = position
    while place < end, text[place].isDigit { place += 1 }
    return place > position && place + 1 < end && text[place] == 0x20 && text[place + 1] == 0x3C
  }
}
