import Testing

@testable import TimeFormats

@Suite struct TimeLayoutTests {
  /// 15 June 2024, noon.
  static let now: Int64 = 1_718_452_800_000_000_000

  @Test(arguments: LayoutRow.strptime + LayoutRow.gotime)
  func `a text of a layout is a moment or a mistake with its place`(_ row: LayoutRow) throws {
    let zone = try TimeZoneDatabase.zone(row.zone)
    let layout =
      row.isGo ? try TimeLayout(gotime: row.layout, in: zone) : try TimeLayout(strptime: row.layout, in: zone)
    let bytes = Array(row.text.utf8)
    do {
      let nanoseconds = try layout.nanoseconds(of: bytes.span, now: Self.now)
      var text = RFC3339.text(nanoseconds: nanoseconds, digits: 9).dropLast()
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
      let whole = RFC3339.text(nanoseconds: nanoseconds)
      #expect((text.contains(".") ? text + "Z" : whole[...]) == row.expected)
    } catch {
      #expect(error.description == row.expected)
    }
  }

  @Test(
    arguments: [
      ("", 0, "the layout is empty", nil),
      (
        "2006-01-02", 0, "the layout has no directive such as %Y",
        "it looks like a layout of Go: set layout_type: gotime"
      ),
      ("yyyy", 0, "the layout has no directive such as %Y", nil),
      (
        "%Y-%m-%dT%H:%M:%S.000", 18, "a layout of strptime has no digits of its own",
        "write %L, %f or %s for fractions of a second"
      ),
      ("%Y %", 3, "the layout ends with a lone %", "write %% for a percent sign"),
      (
        "%s", 0, "%s is a fraction of a second and must follow a dot or a comma",
        "for seconds since 1970 set layout_type: epoch and layout: s"
      ),
      ("%H:%M:%S %L", 9, "%L is a fraction of a second and must follow a dot or a comma", "write .%L"),
      ("%F %N", 3, "there is no directive %N", "write %s for nanoseconds"),
      ("%F %K", 3, "there is no directive %K", "did you mean %k?"),
      ("%-d", 0, "there is no directive %-", "numbers without leading zeros are read by the plain directive"),
      ("%3N", 0, "there is no directive %3", "write %L for milliseconds"),
      ("%^b", 0, "there is no directive %^", "names are read in upper and lower case by the plain directive"),
      ("ä%ö", 2, "there is no directive %ö", nil),
    ] as [(String, Int, String, String?)])
  func `a mistake in a layout of strptime is told with its place`(
    _ layout: String, _ offset: Int, _ problem: String, _ help: String?
  ) {
    do {
      _ = try TimeLayout(strptime: layout)
      Issue.record("it was compiled")
    } catch {
      #expect(error.description == problem)
      #expect(error.help == help)
      #expect(error.offset == offset)
    }
  }

  @Test(arguments: [
    ("", 0, "the layout is empty"),
    ("YYYY-MM-DD HH:mm:ss", 0, "the layout has no part of Go's reference time, Mon Jan 2 15:04:05 MST 2006"),
    ("%Y-%m-%d", 0, "the layout has no part of Go's reference time, Mon Jan 2 15:04:05 MST 2006"),
    ("2006-01-02 15:04:05:999999", 20, "999999 is a fraction of a second and must follow a dot or a comma"),
  ]) func `a mistake in a layout of Go is told with its place`(
    _ layout: String, _ offset: Int, _ problem: String
  ) {
    do {
      _ = try TimeLayout(gotime: layout)
      Issue.record("it was compiled")
    } catch {
      #expect(error.description == problem)
      #expect(error.offset == offset)
    }
  }

  @Test func `a layout that ends with the letter Z is of UTC unless it is told otherwise`() throws {
    #expect(try TimeLayout(strptime: "%Y-%m-%dT%H:%M:%SZ").zone.name == "UTC")
    #expect(try TimeLayout(gotime: "2006-01-02T15:04:05Z").zone.name == "UTC")
    #expect(try TimeLayout(strptime: "%H %Z").zone.name == TimeZoneDatabase.local.name)
    let berlin = try TimeZoneDatabase.zone("Europe/Berlin")
    #expect(try TimeLayout(strptime: "%HZ", in: berlin).zone.name == "Europe/Berlin")
  }

  @Test(arguments: [
    ("Wed Aug 27 15:08:58 IST 2025", "2025-08-27T09:38:58Z"),
    ("Wed Aug 20 14:08:48 PDT 2025", "2025-08-20T21:08:48Z"),
    ("Mon Jan 15 10:00:00 NZST 2025", "2025-01-14T22:00:00Z"),
    // A name that the zone itself does not use.
    ("Mon Jan 15 10:00:00 XYZ 2025", "2025-01-15T09:00:00Z"),
  ]) func `abbreviations stand for what the layout was told`(_ text: String, _ expected: String) throws {
    let layout = try TimeLayout(
      strptime: "%a %b %d %H:%M:%S %Z %Y", in: try TimeZoneDatabase.zone("Asia/Kolkata"),
      abbreviations: [
        "PDT": try TimeZoneDatabase.zone("America/Los_Angeles"),
        "NZST": try TimeZoneDatabase.zone("Pacific/Auckland"),
        "XYZ": try TimeZoneDatabase.zone("Europe/Berlin"),
      ])
    let nanoseconds = try layout.nanoseconds(of: Array(text.utf8).span, now: Self.now)
    #expect(RFC3339.text(nanoseconds: nanoseconds) == expected)
  }

  @Test(arguments: [
    ("2024-01-01T00:00:10Z", "Dec 31 23:59:59", "2023-12-31T23:59:59Z"),
    // By a clock that is ahead.
    ("2023-12-31T23:59:59Z", "Jan 01 00:00:10", "2024-01-01T00:00:10Z"),
    ("2024-01-16T03:31:34Z", "Jan 17 03:31:34", "2024-01-17T03:31:34Z"),
    ("2024-01-16T03:31:34Z", "Jan 24 03:31:34", "2023-01-24T03:31:34Z"),
    ("2025-06-01T00:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
    ("1903-06-01T00:00:00Z", "Feb 29 00:00:00", "1896-02-29T00:00:00Z"),
  ]) func `a missing year is the latest that is not in the future`(
    _ now: String, _ text: String, _ expected: String
  ) throws {
    let layout = try TimeLayout(gotime: "Jan 02 15:04:05", in: .utc)
    #expect(layout.needsYear && !layout.needsDate)
    let present = try RFC3339.nanoseconds(Array(now.utf8).span)
    let nanoseconds = try layout.nanoseconds(of: Array(text.utf8).span, now: present)
    #expect(RFC3339.text(nanoseconds: nanoseconds) == expected)
  }

  @Test(arguments: [
    ("2024-01-01T12:00:00Z", "23:59:59", "2024-01-01T23:59:59Z"),
    ("2024-01-01T00:00:05Z", "23:59:59", "2023-12-31T23:59:59Z"),
    ("2024-01-01T23:00:05Z", "00:00:01", "2024-01-01T00:00:01Z"),
  ]) func `a missing date is today, or yesterday shortly after midnight`(
    _ now: String, _ text: String, _ expected: String
  ) throws {
    let layout = try TimeLayout(gotime: "15:04:05", in: .utc)
    #expect(layout.needsDate)
    let present = try RFC3339.nanoseconds(Array(now.utf8).span)
    let nanoseconds = try layout.nanoseconds(of: Array(text.utf8).span, now: present)
    #expect(RFC3339.text(nanoseconds: nanoseconds) == expected)
  }
}
