import Testing

@testable import LogData

@Suite struct SyslogConfigTests {
  @Test func `the operator parses the body into attributes, and blocks win over the message's own time`()
    throws
  {
    let graph = try Operators.graph(
      """
        - type: syslog_parser
          protocol: RFC5424
          timestamp: {parse_from: attributes.message, layout_type: epoch, layout: s}
      """)
    var entry = LogEntry()
    entry.body = entry.string("<34>1 2003-10-11T22:14:15.003Z host app - - - 1700000000")
    var summaries: [String] = []
    graph.process(&entry) { entry in
      summaries.append(entry.summary)
      #expect(entry.timestamp == 1_700_000_000_000_000_000)
      #expect(entry.severityNumber == 18)
    }
    #expect(
      summaries == [
        #"{"body":"<34>1 2003-10-11T22:14:15.003Z host app - - - 1700000000","attributes":{"appname":"app","facility":4,"facility_text":"auth","hostname":"host","message":"1700000000","priority":34,"version":1},"resource":{}}"#
      ])
  }

  @Test func `what does not parse goes on as it was, and the failure says where`() throws {
    let graph = try Operators.graph("  - {type: syslog_parser, protocol: rfc5424}")
    var failures: [String] = []
    graph.onFailure = { failures.append("\($0): \($1)") }
    var entry = LogEntry()
    entry.body = entry.string("<34>Jan 12 06:30:00 host app: text")
    var summaries: [String] = []
    graph.process(&entry) { summaries.append($0.summary) }
    #expect(
      summaries == [#"{"body":"<34>Jan 12 06:30:00 host app: text","attributes":{},"resource":{}}"#])
    #expect(failures == ["syslog_parser: expected a version, 1 to 999 at byte 4"])
  }

  static let mistakes: [(String, String)] = [
    ("{type: syslog_parser}", "\"protocol\" is required"),
    ("{type: syslog_parser, protocol: rfc5423}", "did you mean \"rfc5424\"?"),
    ("{type: syslog_parser, protocol: rfc3164, location: Europe/Berlyn}", "did you mean \"Europe/Berlin\"?"),
    (
      "{type: syslog_parser, protocol: rfc3164, non_transparent_framing_trailer: LF}",
      "non_transparent_framing_trailer: is for messages of RFC 5424"
    ),
    (
      "{type: syslog_parser, protocol: rfc5424, non_transparent_framing_trailer: NUL, enable_octet_counting: true}",
      "non_transparent_framing_trailer: cannot be combined with enable_octet_counting"
    ),
    (
      "{type: syslog_parser, protocol: rfc5424, allow_skip_pri_header: true, enable_octet_counting: true}",
      "allow_skip_pri_header: cannot be combined with enable_octet_counting"
    ),
    (
      "{type: syslog_parser, protocol: rfc5424, max_octets: 100}",
      "max_octets: has no effect without enable_octet_counting"
    ),
  ]

  @Test(arguments: mistakes) func `mistakes are found by check`(_ yaml: String, _ expected: String) throws {
    let (_, diagnostics) = try Operators.decode("  - \(yaml)")
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
