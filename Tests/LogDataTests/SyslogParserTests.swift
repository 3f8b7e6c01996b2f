import Testing
import TimeFormats
import WireFormat

@testable import LogData

/// Messages as the RFCs show them, and as programs and devices send them.
@Suite struct SyslogParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    var format = SyslogProtocol.rfc3164
    var framing = SyslogFraming.whole
    var allowsMissingPriority = false
    var zone = "UTC"
    /// The attributes in JSON, in the order they are written.
    let attributes: String
    /// RFC 3339; empty for none.
    var time = ""
    var severity = ""

    var testDescription: String { text }
  }

  /// 2026-03-10T12:00:00Z.
  static let now: UInt64 = 1_773_144_000_000_000_000

  static func parse(_ item: Case, now: UInt64 = now) throws -> LogEntry {
    var options = SyslogParser.Options()
    options.format = item.format
    options.framing = item.framing
    options.allowsMissingPriority = item.allowsMissingPriority
    options.zone = try TimeZoneDatabase.zone(item.zone)
    var parser = SyslogParser(options)
    var entry = LogEntry()
    entry.observedTimestamp = now
    entry.body = entry.string(item.text)
    entry.attributesForTest = try parser.parse(entry.body, of: &entry)
    return entry
  }

  static let rfc5424: [Case] = [
    Case(
      text:
        #"<86>1 2015-08-05T21:58:59.693Z 192.168.2.132 SecureAuth0 23108 ID52020 [SecureAuth@27389 UserHostAddress="192.168.2.132" Realm="SecureAuth0" UserID="Tester2" PEN="27389"] Found the user for retrieving user's profile"#,
      format: .rfc5424,
      attributes:
        #"{"appname":"SecureAuth0","facility":10,"facility_text":"authpriv","hostname":"192.168.2.132","message":"Found the user for retrieving user's profile","msg_id":"ID52020","priority":86,"proc_id":"23108","structured_data":{"SecureAuth@27389":{"UserHostAddress":"192.168.2.132","Realm":"SecureAuth0","UserID":"Tester2","PEN":"27389"}},"version":1}"#,
      time: "2015-08-05T21:58:59.693Z", severity: "info 9"),
    Case(
      text:
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{FEFF}'su root' failed for lonvick on /dev/pts/8",
      format: .rfc5424,
      attributes:
        #"{"appname":"su","facility":4,"facility_text":"auth","hostname":"mymachine.example.com","message":"'su root' failed for lonvick on /dev/pts/8","msg_id":"ID47","priority":34,"version":1}"#,
      time: "2003-10-11T22:14:15.003Z", severity: "crit 18"),
    Case(
      text:
        "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
      format: .rfc5424,
      attributes:
        #"{"appname":"myproc","facility":20,"facility_text":"local4","hostname":"192.0.2.1","message":"%% It's time to make the do-nuts.","priority":165,"proc_id":"8710","version":1}"#,
      time: "2003-08-24T12:14:15.000003Z", severity: "notice 10"),
    Case(
      text:
        #"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]"#,
      format: .rfc5424,
      attributes:
        #"{"appname":"evntslog","facility":20,"facility_text":"local4","hostname":"mymachine.example.com","msg_id":"ID47","priority":165,"structured_data":{"exampleSDID@32473":{"iut":"3","eventSource":"Application","eventID":"1011"},"examplePriority@32473":{"class":"high"}},"version":1}"#,
      time: "2003-10-11T22:14:15.003Z", severity: "notice 10"),
    Case(
      text: "<0>999 - - - - - -", format: .rfc5424,
      attributes: #"{"facility":0,"facility_text":"kern","priority":0,"version":999}"#, severity: "emerg 21"),
    Case(
      text: #"<191>1 - - - - - [a b="\"q\" \\ \] \n" b="last"][e ] "#, format: .rfc5424,
      attributes:
        #"{"facility":23,"facility_text":"local7","priority":191,"structured_data":{"a":{"b":"last"},"e":{}},"version":1}"#,
      severity: "debug 5"),
    Case(
      text: #"<14>1 - - - - - [a b="\"q\" \\ \] \n"]"#, format: .rfc5424,
      attributes:
        #"{"facility":1,"facility_text":"user","priority":14,"structured_data":{"a":{"b":"\"q\" \\ ] \\n"}},"version":1}"#,
      severity: "info 9"),
    Case(
      text: "1 2015-08-05T21:58:59.693Z host app 1 - - text", format: .rfc5424, allowsMissingPriority: true,
      attributes: #"{"appname":"app","hostname":"host","message":"text","proc_id":"1","version":1}"#,
      time: "2015-08-05T21:58:59.693Z"),
    Case(
      text: "77 <86>1 2015-08-05T21:58:59.693Z 192.168.2.132 inactive - - -  partition is p2 ",
      format: .rfc5424, framing: .octetCounting,
      attributes:
        #"{"appname":"inactive","facility":10,"facility_text":"authpriv","hostname":"192.168.2.132","message":" partition is p2 ","priority":86,"version":1}"#,
      time: "2015-08-05T21:58:59.693Z", severity: "info 9"),
    Case(
      text: "<86>1 2015-08-05T21:58:59Z h a - - - text\0", format: .rfc5424, framing: .trailer(0),
      attributes:
        #"{"appname":"a","facility":10,"facility_text":"authpriv","hostname":"h","message":"text","priority":86,"version":1}"#,
      time: "2015-08-05T21:58:59Z", severity: "info 9"),
  ]

  static let rfc3164: [Case] = [
    Case(
      text: "<34>Jan 12 06:30:00 1.2.3.4 apache_server: test message",
      attributes:
        #"{"appname":"apache_server","facility":4,"facility_text":"auth","hostname":"1.2.3.4","message":"test message","priority":34}"#,
      time: "2026-01-12T06:30:00Z", severity: "crit 18"),
    Case(
      text: "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
      attributes:
        #"{"appname":"su","facility":4,"facility_text":"auth","hostname":"mymachine","message":"'su root' failed for lonvick on /dev/pts/8","priority":34}"#,
      time: "2025-10-11T22:14:15Z", severity: "crit 18"),
    Case(
      text: "<86>Mar  1 00:00:01 host sshd[4711]: Accepted publickey", zone: "America/Detroit",
      attributes:
        #"{"appname":"sshd","facility":10,"facility_text":"authpriv","hostname":"host","message":"Accepted publickey","priority":86,"proc_id":"4711"}"#,
      time: "2026-03-01T05:00:01Z", severity: "info 9"),
    // The system's own programs leave the host name out.
    Case(
      text: "<13>Mar  1 00:00:01 logger: hello", zone: "Europe/Athens",
      attributes:
        #"{"appname":"logger","facility":1,"facility_text":"user","message":"hello","priority":13}"#,
      time: "2026-02-28T22:00:01Z", severity: "notice 10"),
    // rsyslog's forwarding format.
    Case(
      text: "<13>2026-03-01T00:00:01.123456+01:00 host app/sub[1]: hello: world",
      attributes:
        #"{"appname":"app/sub","facility":1,"facility_text":"user","hostname":"host","message":"hello: world","priority":13,"proc_id":"1"}"#,
      time: "2026-02-28T23:00:01.123456Z", severity: "notice 10"),
    Case(
      text: "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured from console",
      zone: "Europe/Athens",
      attributes:
        #"{"appname":"%SYS-5-CONFIG_I","facility":23,"facility_text":"local7","message":"Configured from console","priority":189}"#,
      time: "2026-03-01T18:48:50.483Z", severity: "notice 10"),
    Case(
      text: "<166>Jan 02 2023 03:04:05 fw : %ASA-6-302013: Built outbound TCP connection",
      attributes:
        #"{"appname":"%ASA-6-302013","facility":20,"facility_text":"local4","hostname":"fw","message":"Built outbound TCP connection","priority":166}"#,
      time: "2023-01-02T03:04:05Z", severity: "info 9"),
    Case(
      text: "<13>2024 Feb 29 23:59:60 host a: b",
      attributes:
        #"{"appname":"a","facility":1,"facility_text":"user","hostname":"host","message":"b","priority":13}"#,
      time: "2024-03-01T00:00:00Z", severity: "notice 10"),
    // Python's SysLogHandler, without and with an identifier.
    Case(
      text: "<11>disk full",
      attributes: #"{"facility":1,"facility_text":"user","message":"disk full","priority":11}"#,
      severity: "err 17"),
    Case(
      text: "<11>shop[12]: disk full",
      attributes:
        #"{"appname":"shop","facility":1,"facility_text":"user","message":"disk full","priority":11,"proc_id":"12"}"#,
      severity: "err 17"),
    Case(
      text: "Mar  9 06:30:00 1.2.3.4 apache_server: test message", allowsMissingPriority: true,
      attributes: #"{"appname":"apache_server","hostname":"1.2.3.4","message":"test message"}"#,
      time: "2026-03-09T06:30:00Z"),
    // No times, though they look like some.
    Case(
      text: "<13>Feb 30 00:00:01 host a",
      attributes:
        #"{"facility":1,"facility_text":"user","message":"Feb 30 00:00:01 host a","priority":13}"#,
      severity: "notice 10"),
    Case(
      text: "<13>May I ask you something?",
      attributes:
        #"{"facility":1,"facility_text":"user","message":"May I ask you something?","priority":13}"#,
      severity: "notice 10"),
    Case(
      text: "<13>Mar  1 00:00:01 host no tag here: at all",
      attributes:
        #"{"facility":1,"facility_text":"user","hostname":"host","message":"no tag here: at all","priority":13}"#,
      time: "2026-03-01T00:00:01Z", severity: "notice 10"),
    Case(
      text: "<13>Mar  1 00:00:01 host [kern]: [1] x",
      attributes:
        #"{"facility":1,"facility_text":"user","hostname":"host","message":"[kern]: [1] x","priority":13}"#,
      time: "2026-03-01T00:00:01Z", severity: "notice 10"),
    Case(
      text: "<13>Mar  1 00:00:01 host",
      attributes: #"{"facility":1,"facility_text":"user","message":"host","priority":13}"#,
      time: "2026-03-01T00:00:01Z", severity: "notice 10"),
  ]

  static let without: [Case] = [
    Case(text: "my own text", format: .none, attributes: #"{"message":"my own text"}"#),
    Case(
      text: "46 my custom syslog message without any timestamp", format: .none, framing: .whole,
      attributes: #"{"message":"46 my custom syslog message without any timestamp"}"#),
    Case(
      text: "33 <34>raw message with a pri header", format: .none, framing: .octetCounting,
      attributes:
        #"{"facility":4,"facility_text":"auth","message":"raw message with a pri header","priority":34}"#,
      severity: "crit 18"),
    Case(
      text: "<34>my raw message", format: .none,
      attributes: #"{"facility":4,"facility_text":"auth","message":"my raw message","priority":34}"#,
      severity: "crit 18"),
  ]

  @Test(arguments: rfc5424 + rfc3164 + without)
  func `a message becomes attributes, time and severity`(_ item: Case) throws {
    let entry = try Self.parse(item)
    #expect(entry.json(entry.attributesForTest) == item.attributes)
    let time =
      item.time.isEmpty ? 0 : try RFC3339.nanoseconds(item.time.utf8.span)
    #expect(entry.timestamp == UInt64(time))
    let severity = String(decoding: entry.arena[entry.severityText.range], as: UTF8.self)
    #expect(item.severity == (entry.severityNumber == 0 ? "" : "\(severity) \(entry.severityNumber)"))
    #expect(String(decoding: entry.arena[entry.body.range.range], as: UTF8.self) == item.text)
  }

  static let faults: [(Case, String)] = [
    ("", SyslogProtocol.rfc5424, "the message is empty"),
    ("hello", .rfc5424, "expected a priority such as <34> at byte 0"),
    ("hello", .rfc3164, "expected a priority such as <34> at byte 0"),
    ("<1a>x", .rfc3164, "expected a priority such as <34> at byte 0"),
    ("<1234>x", .rfc3164, "expected a priority such as <34> at byte 0"),
    ("<192>x", .rfc3164, "the priority at byte 0 is more than 191"),
    (
      "46 <34>1 - h a - - -", .rfc5424,
      "expected a priority such as <34> at byte 0, found a count of octets: set enable_octet_counting"
    ),
    ("<34>0 - - - - - -", .rfc5424, "expected a version, 1 to 999 at byte 5"),
    ("<34>Jan 12 06:30:00 h a: b", .rfc5424, "expected a version, 1 to 999 at byte 4"),
    ("<34>1", .rfc5424, "expected a space at byte 5"),
    ("<34>1 ", .rfc5424, "expected a timestamp at byte 6"),
    (
      "<34>1 2015-13-05T00:00:00Z h a - - -", .rfc5424,
      "the month at byte 5 is not from 1 to 12 of the timestamp at byte 6"
    ),
    ("<34>1 -  a - - -", .rfc5424, "expected a host name at byte 8"),
    ("<34>1 - h", .rfc5424, "expected a space at byte 9"),
    ("<34>1 - h a p m text", .rfc5424, "expected structured data in brackets, or - at byte 16"),
    ("<34>1 - h a p m -text", .rfc5424, "expected structured data in brackets, or - at byte 16"),
    ("<34>1 - h a p m []", .rfc5424, "expected the name of an element of structured data at byte 17"),
    ("<34>1 - h a p m [x", .rfc5424, "the element of structured data at byte 16 has no ] at its end"),
    ("<34>1 - h a p m [x =]", .rfc5424, "expected the name of a parameter, or ] at byte 19"),
    ("<34>1 - h a p m [x y]", .rfc5424, "expected = behind the name of a parameter at byte 20"),
    ("<34>1 - h a p m [x y=z]", .rfc5424, "expected the value of a parameter in quotes at byte 21"),
    ("<34>1 - h a p m [x y=\"z]", .rfc5424, "the value at byte 21 has no quote at its end"),
    ("<34>1 - h a p m [x y=\"z\\", .rfc5424, "the value at byte 21 has no quote at its end"),
    ("<34>1 - h a p m [x]text", .rfc5424, "expected a space at byte 19"),
  ].map { (Case(text: $0.0, format: $0.1, attributes: ""), $0.2) }

  @Test(arguments: faults) func `what is no message says where`(_ item: Case, _ reason: String) {
    #expect(throws: LogOperatorError(reason)) { try Self.parse(item) }
  }

  static let countFaults: [(String, String)] = [
    ("x", "expected the count of octets before the message, and a space at byte 0"),
    ("12<34>1", "expected the count of octets before the message, and a space at byte 0"),
    ("9999 <34>1", "the count of octets at byte 0 is more than max_octets (8192)"),
    ("40 <34>1 - - - - - -", "40 octets are announced, and 17 follow at byte 3"),
  ]

  @Test(arguments: countFaults) func `a wrong count of octets says so`(_ text: String, _ reason: String) {
    let item = Case(text: text, format: .rfc5424, framing: .octetCounting, attributes: "")
    #expect(throws: LogOperatorError(reason)) { try Self.parse(item) }
  }

  @Test func `a time without a year is never far ahead`() throws {
    func year(_ date: String, _ now: String) throws -> String {
      let now = UInt64(try RFC3339.nanoseconds(now.utf8.span))
      let entry = try Self.parse(Case(text: "<1>\(date) h a: b", attributes: ""), now: now)
      return String(RFC3339.text(nanoseconds: Int64(entry.timestamp)).prefix(4))
    }
    #expect(try year("Dec 31 23:59:59", "2026-01-01T00:00:01Z") == "2025")
    // A clock that is a little ahead at the turn of the year.
    #expect(try year("Jan  1 00:00:01", "2025-12-31T23:59:59Z") == "2026")
    #expect(try year("Jan  6 23:59:58", "2025-12-31T23:59:59Z") == "2026")
    #expect(try year("Jan  7 23:59:58", "2025-12-31T23:59:59Z") == "2026")
    #expect(try year("Jan  8 00:00:00", "2025-12-31T23:59:59Z") == "2025")
    #expect(try year("Feb 29 00:00:00", "2027-06-01T00:00:00Z") == "2024")
  }

  @Test func `structured data of any size takes time in proportion`() throws {
    let few = (0..<600).map { "p\($0 % 500)=\"v\"" }.joined(separator: " ")
    let entry = try Self.parse(
      Case(text: "<1>1 - - - - - [id \(few)]", format: .rfc5424, attributes: ""))
    #expect(entry.json(entry.attributesForTest).split(separator: "\":\"v\"").count == 501)
    let many = (0..<2000).map { "p\($0)=\"v\"" }.joined(separator: " ")
    #expect(throws: LogOperatorError.self) {
      try Self.parse(Case(text: "<1>1 - - - - - [id \(many)]", format: .rfc5424, attributes: ""))
    }
  }
}

extension LogEntry {
  /// What a parser returned, kept as the attribute `parsed`.
  fileprivate var attributesForTest: LogValue {
    get { value(at: FieldPath(.attributes, ["parsed"])) ?? .null }
    set { try? set(newValue, at: FieldPath(.attributes, ["parsed"])) }
  }
}
