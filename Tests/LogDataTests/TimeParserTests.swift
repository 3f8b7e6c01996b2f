import Testing

@testable import LogData

@Suite struct TimeParserTests {
  @Test(arguments: [
    (
      #"{"t":"2024-01-02 03:04:05"}"#, "layout: '%Y-%m-%d %H:%M:%S', location: UTC",
      "2024-01-02T03:04:05.000Z"
    ),
    (#"{"t":"2024-01-02 03:04:05"}"#, "layout: '%F %T', location: Europe/Berlin", "2024-01-02T02:04:05.000Z"),
    (#"{"t":"2024-01-02T03:04:05.678Z"}"#, "layout: '%Y-%m-%dT%H:%M:%S.%LZ'", "2024-01-02T03:04:05.678Z"),
    (
      #"{"t":"Jun 5 13:50:27 EST 2020"}"#, "layout_type: gotime, layout: Jan 2 15:04:05 MST 2006",
      "2020-06-05T18:50:27.000Z"
    ),
    (
      #"{"t":"Jun 25 13:50:27"}"#, "layout_type: gotime, layout: Jan _2 15:04:05, location: UTC",
      "2023-06-25T13:50:27.000Z"
    ),
    (
      #"{"t":"Wed Aug 20 14:08:48 PDT 2025"}"#, "layout: '%c %Z', layout_type: strptime",
      "1970-01-01T00:00:00.000Z"
    ),
    (
      #"{"t":"Wed Aug 20 14:08:48 PDT 2025"}"#,
      "layout: '%a %b %d %T %Z %Y', location: Asia/Kolkata, time_zone_locations: {PDT: America/Los_Angeles}",
      "2025-08-20T21:08:48.000Z"
    ),
    (#"{"t":1136214245}"#, "layout_type: epoch, layout: s", "2006-01-02T15:04:05.000Z"),
    (#"{"t":"1136214245123"}"#, "layout_type: epoch, layout: ms", "2006-01-02T15:04:05.123Z"),
    (#"{"t":1136214245.123}"#, "layout_type: epoch, layout: s.ms", "2006-01-02T15:04:05.123Z"),
    (#"{"t":1136214245}"#, "layout_type: epoch, layout: s.us", "2006-01-02T15:04:05.000Z"),
  ]) func `the time of an entry is read from a field`(_ json: String, _ keys: String, _ expected: String)
    throws
  {
    let run = try EntryRun(json, "- {type: time_parser, parse_from: body.t, \(keys)}")
    #expect(run.time == expected)
    #expect(run.problems.isEmpty == (run.entry.timestamp != 0))
  }

  @Test(arguments: [
    (#"{}"#, "layout: '%Y'", "time_parser: there is no body.t"),
    (
      #"{"t":"x"}"#, "layout: '%Y'",
      "time_parser: body.t: not a time of the layout: expected a year at byte 0"
    ),
    (#"{"t":1}"#, "layout: '%Y'", "time_parser: body.t: a time cannot be read from an integer"),
    (
      #"{"t":true}"#, "layout_type: epoch, layout: s",
      "time_parser: body.t: a time cannot be read from a boolean"
    ),
    (#"{"t":-1}"#, "layout_type: epoch, layout: s", "time_parser: body.t: the time lies before 1970"),
    (
      #"{"t":"99999999999"}"#, "layout_type: epoch, layout: s",
      "time_parser: body.t: not a time of the layout: the time lies outside of the years 1678 to 2262"
    ),
  ]) func `what is no time leaves the entry as it was`(_ json: String, _ keys: String, _ problem: String)
    throws
  {
    let run = try EntryRun(json, "- {type: time_parser, parse_from: body.t, \(keys)}")
    #expect(run.problems == [problem])
    #expect(run.entry.timestamp == 0)
    let dropped = try EntryRun(json, "- {type: time_parser, parse_from: body.t, on_error: drop, \(keys)}")
    #expect(dropped.entry.body == .null)
  }

  @Test(
    arguments: [
      (
        "- type: time_parser\n  parse_from: body\n  layout: '%Y-%m-%d %Q'\n", "test.yaml:4:21",
        "layout: there is no directive %Q", "write %L for milliseconds"
      ),
      (
        "- type: time_parser\n  parse_from: body\n  layout_type: gotime\n  layout: \"2006-01-02 15:04:05:999\"\n",
        "test.yaml:5:32", "layout: 999 is a fraction of a second and must follow a dot or a comma", nil
      ),
      (
        "- type: time_parser\n  parse_from: body\n  layout_type: epoch\n  layout: seconds\n", "test.yaml:5:3",
        "layout: must be one of s, ms, us, ns, s.ms, s.us, s.ns, is \"seconds\"", nil
      ),
      (
        "- type: time_parser\n  parse_from: body\n  layout: '%Y'\n  location: Europe/Berln\n",
        "test.yaml:5:3",
        "location: there is no time zone \"Europe/Berln\"", "did you mean \"Europe/Berlin\"?"
      ),
      (
        "- type: time_parser\n  parse_from: body\n  layout: '%Y'\n  time_zone_locations:\n    ABC: Nowhere\n",
        "test.yaml:6:5", "time_zone_locations.ABC: there is no time zone \"Nowhere\"", nil
      ),
      (
        "- type: time_parser\n  layout: '%Y'\n", "test.yaml:2:3", "\"parse_from\" is required",
        "The field that holds the time."
      ),
      (
        "- type: json_parser\n  timestamp:\n    parse_from: attributes.t\n    layout: |\n      %d %K\n",
        "test.yaml:6:10", "layout: there is no directive %K", "did you mean %k?"
      ),
      (
        "- type: json_parser\n  timestamp: {parse_from: attributes.t, layout: 2006-01-02}\n",
        "test.yaml:3:49",
        "layout: the layout has no directive such as %Y",
        "it looks like a layout of Go: set layout_type: gotime"
      ),
    ] as [(String, String, String, String?)])
  func `mistakes are found at check, with their place in the layout`(
    _ yaml: String, _ place: String, _ message: String, _ help: String?
  ) throws {
    let (list, diagnostics) = try Operators.decode(yaml)
    #expect(list == nil)
    let found = try #require(diagnostics.all.first)
    #expect(diagnostics.all.count == 1)
    #expect(found.message == message)
    #expect(found.help == help)
    #expect(found.location.map { "\($0)" } == place)
  }
}
