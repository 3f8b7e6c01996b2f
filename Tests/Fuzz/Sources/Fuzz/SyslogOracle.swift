import WireFormat

@testable import LogData

/// What must hold for any bytes that syslog senders may send.
///
/// A stream gives the same messages however it is divided; a message is refused with a place within it, or becomes an
/// entry whose texts are well-formed; and one that we write from what was read reads back as the same.
enum SyslogOracle {
  static func check(_ input: [UInt8]) throws {
    for mode in [SyslogFramer.Mode.lines, .trailer(0), .octetCounting(most: 300)] {
      let whole = try messages(input, mode, step: max(1, input.count))
      let parts = try messages(input, mode, step: 1 + input.count % 7)
      try require(whole == parts, "messages depend on how the stream is divided: \(mode)")
    }
    for format in SyslogProtocol.allCases {
      for framing in [SyslogFraming.whole, .octetCounting, .counted, .trailer(0x0A)] {
        var options = SyslogParser.Options()
        options.format = format
        options.framing = framing
        options.allowsMissingPriority = framing == .whole
        try checkMessage(input, options)
      }
    }
  }

  private static func messages(_ input: [UInt8], _ mode: SyslogFramer.Mode, step: Int) throws -> [[UInt8]] {
    var framer = SyslogFramer(mode, limit: 200)
    var (found, buffer, place): ([[UInt8]], [UInt8], Int) = ([], [], 0)
    while true {
      let isEnded = place == input.count
      var cursor = 0
      while let message = framer.next(in: buffer.span, at: &cursor, isEnded: isEnded) {
        try require(message.upperBound <= cursor, "a message behind the cursor")
        found.append(Array(buffer[message]))
      }
      try require(cursor <= buffer.count, "the cursor behind the buffer")
      buffer.removeFirst(cursor)
      if isEnded { break }
      try require(buffer.count < framer.longestRest, "more is held than was said")
      let end = min(input.count, place + step)
      buffer += input[place..<end]
      place = end
    }
    try require(buffer.isEmpty, "bytes are left at the end")
    return found
  }

  private static func checkMessage(_ input: [UInt8], _ options: SyslogParser.Options) throws {
    guard let first = parse(input, options) else { return }
    try checkTexts(first)
    guard options.format == .rfc5424, options.framing == .whole else { return }
    let written = write(first)
    guard let second = parse(written, options) else {
      throw OracleFailure(
        description: "our own message is refused: \(String(decoding: written, as: UTF8.self))")
    }
    try require(write(second) == written, "a message changed when written and read again")
  }

  private static func parse(_ input: [UInt8], _ options: SyslogParser.Options) -> LogEntry? {
    var parser = SyslogParser(options)
    var entry = LogEntry()
    entry.observedTimestamp = 1_700_000_000_000_000_000
    // Something before it, so that places in the text and places in the arena differ.
    _ = entry.add("before")
    entry.body = .string(entry.add(input.span))
    do throws(LogOperatorError) {
      let map = try parser.parse(entry.body, of: &entry)
      try entry.set(map, at: FieldPath(.attributes))
      return entry
    } catch {
      return nil
    }
  }

  private static func checkTexts(_ entry: LogEntry) throws {
    var writer = WireWriter()
    writer.writeAttributes(6, .attributes, of: entry)
    var isRight = true
    func look(_ value: LogValue) {
      if value.kind == .string { isRight = isRight && UTF8Check.isValid(entry.text(value.range)) }
      if let chain = value.chain { entry.forEach(in: chain) { look($1) } }
    }
    entry.forEach(in: .attributes) { look($1) }
    try require(isRight, "a text is not well-formed")
    try require((0...24).contains(entry.severityNumber), "severity \(entry.severityNumber)")
  }

  /// A message of RFC 5424 that says what an entry says, but for its time.
  private static func write(_ entry: LogEntry) -> [UInt8] {
    func value(_ key: String) -> LogValue? { entry.value(at: FieldPath(.attributes, [key])) }
    func text(_ key: String) -> [UInt8] {
      value(key).map { Array(entry.arena[$0.range.range]) } ?? [UInt8(ascii: "-")]
    }
    var bytes: [UInt8] = []
    if let priority = value("priority") { bytes += Array("<\(priority.int)>".utf8) }
    bytes += Array("\(value("version")?.int ?? 1) -".utf8)
    for key in ["hostname", "appname", "proc_id", "msg_id"] { bytes += [0x20] + text(key) }
    bytes.append(0x20)
    if let elements = value("structured_data")?.chain {
      entry.forEach(in: elements) { name, parameters in
        bytes += [UInt8(ascii: "[")] + entry.arena[name.range]
        if let parameters = parameters.chain {
          entry.forEach(in: parameters) { name, value in
            bytes += [0x20] + entry.arena[name.range] + Array("=\"".utf8)
            for byte in entry.arena[value.range.range] {
              if byte == 0x22 || byte == 0x5C || byte == 0x5D { bytes.append(0x5C) }
              bytes.append(byte)
            }
            bytes.append(0x22)
          }
        }
        bytes.append(UInt8(ascii: "]"))
      }
    } else {
      bytes.append(UInt8(ascii: "-"))
    }
    // With the mark of UTF-8, so that one in the message stays.
    if value("message") != nil { bytes += [0x20, 0xEF, 0xBB, 0xBF] + text("message") }
    return bytes
  }

  static let seeds: [[UInt8]] = [
    #"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="App\"lication" eventID="1011"][examplePriority@32473 class="high"] An application event log entry..."#,
    "<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed for lonvick on /dev/pts/8",
    "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console",
    "<13>2026-03-01T00:00:01.123456+01:00 host app/sub[1]: hello: world",
    "17 <34>1 - - - - - -30 <34>1 - host app - - - a\nb\0cd e<35>1 - host app - - - plain\n",
    "1 2015-08-05T21:58:59.693Z host app 1 - - \u{FEFF}text\0",
    "<166>Jan 02 2023 03:04:05 fw : %ASA-6-302013: Built outbound TCP connection\r\n",
  ].map { Array($0.utf8) }
}
