import Testing

@testable import LogData

/// Consecutive entries that become one.
@Suite struct RecombineTests {
  /// Takes texts through `recombine`, and lets go what is held at the end; the bodies that come out.
  static func run(_ config: String, _ bodies: [String]) throws -> [String] {
    let graph = try Operators.graph("- {type: recombine, \(config)}\n")
    var output: [String] = []
    for body in bodies {
      var entry = LogEntry()
      entry.body = entry.string(body)
      graph.process(&entry) { output.append($0.string($0.body.range)) }
    }
    graph.flush { output.append($0.string($0.body.range)) }
    return output
  }

  static let trace = """
    Log message 1
    Error: java.lang.Exception: Stack trace
            at java.lang.Thread.dumpStack(Thread.java:1336)
            at Main.main(Main.java:3)
    Another log message
    """.split(separator: "\n").map(String.init)

  @Test func `a stack trace is one entry`() throws {
    let output = try Self.run(#"combine_field: body, is_first_entry: 'body matches "^[^\\s]"'"#, Self.trace)
    #expect(output == [Self.trace[0], Self.trace[1...3].joined(separator: "\n"), Self.trace[4]])
  }

  @Test(arguments: [
    (0, "log2 log3 log4 log1 log5 log6 log7 log1", "log2-log3-log4 log1-log5-log6-log7 log1"),
    (1, "log2 log3 log4 log1 log5 log6 log7 log1", "log2 log3 log4 log1-log5-log6-log7 log1"),
    (
      3, "log2 log3 log4 log5 log1 log6 log7 log1 log8 log1",
      "log2-log3-log4 log5 log1-log6-log7 log1-log8 log1"
    ),
  ])
  func `before the first match entries are joined up to a number`(most: Int, input: String, output: String)
    throws
  {
    let found = try Self.run(
      "combine_field: body, combine_with: '-', is_first_entry: 'body == \"log1\"', max_unmatched_batch_size: \(most)",
      input.split(separator: " ").map(String.init))
    #expect(found.joined(separator: " ") == output)
  }

  @Test func `series may be known by their last entry`() throws {
    let found = try Self.run(
      "combine_field: body, combine_with: '-', is_last_entry: 'body == \"log1\"', max_unmatched_batch_size: 3",
      ["log2", "log3", "log4", "log5", "log1", "log6", "log7", "log1", "log8", "log1"])
    #expect(found == ["log2-log3-log4", "log5-log1", "log6-log7-log1", "log8-log1"])
  }

  @Test(arguments: [
    ("combine_with: '-', max_batch_size: 2", ["F1-c", "c-c", "F2"]),
    ("combine_with: '-', max_batch_size: 1", ["F1", "c", "c", "c", "F2"]),
    ("combine_with: '-', max_batch_size: 0", ["F1-c-c-c", "F2"]),
    ("combine_with: '-', max_log_size: 3", ["F1-c", "c-c", "F2"]),
    ("combine_with: ''", ["F1ccc", "F2"]),
  ])
  func `a series ends when it is long`(limit: String, output: [String]) throws {
    let found = try Self.run(
      "combine_field: body, is_first_entry: 'body startsWith \"F\"', \(limit)", ["F1", "c", "c", "c", "F2"])
    #expect(found == output)
  }

  @Test(arguments: [("oldest", 1), ("newest", 3)])
  func `the other fields are those of the oldest or the newest entry`(which: String, number: Int64) throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body.message, combine_with: '', is_last_entry: \"body.tag == 'F'\", overwrite_with: \(which)}\n"
    )
    var output: [String] = []
    for (index, text) in ["P|line th", "P|at is lo", "F|ng"].enumerated() {
      let parts = text.split(separator: "|")
      var entry = try LogEntry(
        "{body: {message: \"\(parts[1])\", tag: \(parts[0])}, attributes: {n: \(index + 1)}}")
      graph.process(&entry) { output.append($0.json($0.body) + $0.attributesJSON) }
    }
    let tag = which == "oldest" ? "P" : "F"
    #expect(output == ["{\"message\":\"line that is long\",\"tag\":\"\(tag)\"}{\"n\":\(number)}"])
  }

  /// An entry of a stream with its place.
  static func entry(_ body: String, stream: Int, at start: UInt64, path: String? = nil) throws -> LogEntry {
    var entry = LogEntry()
    entry.body = entry.string(body)
    entry.source = LogSource(stream: stream, start: start, end: start + UInt64(body.utf8.count))
    if let path { try entry.set(entry.string(path), at: FieldPath(.attributes, ["log.file.path"])) }
    return entry
  }

  @Test func `sources do not mix, whether they have a name or not`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body, is_first_entry: 'body startsWith \"F\"'}\n")
    var output: [String] = []
    func put(_ body: String, stream: Int, path: String? = nil) throws {
      var entry = try Self.entry(body, stream: stream, at: 0, path: path)
      graph.process(&entry) { output.append($0.string($0.body.range)) }
    }
    for (body, stream) in [("F1", 1), ("F2", 2), ("a", 1), ("b", 2), ("F3", 2), ("c", 1)] {
      try put(body, stream: stream)
    }
    #expect(output == ["F2\nb"])
    // One file under two streams, as when it was rotated.
    try put("F4", stream: 7, path: "/x")
    try put("d", stream: 8, path: "/x")
    graph.flush { output.append($0.string($0.body.range)) }
    #expect(output == ["F2\nb", "F1\na\nc", "F3", "F4\nd"])
  }

  @Test func `one source too many ends all series`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body, is_last_entry: 'body == \"L\"', max_sources: 2}\n")
    var output: [String] = []
    for stream in [1, 2, 1, 3, 1] {
      var entry = try Self.entry("\(stream)", stream: stream, at: 0)
      graph.process(&entry) { output.append($0.string($0.body.range)) }
    }
    #expect(output == ["1\n1", "2"])
    graph.flush { output.append($0.string($0.body.range)) }
    #expect(output == ["1\n1", "2", "1", "3"])
    #expect(graph.nextDue == nil && graph.heldBytes == 0)
  }

  @Test func `what is held is known until it goes on`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body, is_first_entry: 'body startsWith \"F\"', force_flush_period: 2s}\n"
    )
    var sources: [LogSource] = []
    func put(_ body: String, stream: Int, at start: UInt64, now: UInt64) throws {
      graph.now = now
      var entry = try Self.entry(body, stream: stream, at: start)
      graph.process(&entry) { sources.append($0.source) }
    }
    try put("F", stream: 1, at: 10, now: 1_000_000_000)
    try put("a", stream: 1, at: 20, now: 1_500_000_000)
    try put("F", stream: 2, at: 5, now: 2_000_000_000)
    #expect(
      graph.oldestHeld(stream: 1) == 10 && graph.oldestHeld(stream: 2) == 5
        && graph.oldestHeld(stream: 3) == nil)
    #expect(graph.nextDue == 3_000_000_000 && graph.heldBytes > 0)
    graph.expire(now: 2_999_999_999) { sources.append($0.source) }
    #expect(sources.isEmpty)
    graph.expire(now: 3_000_000_000) { sources.append($0.source) }
    #expect(sources == [LogSource(stream: 1, start: 10, end: 21)])
    #expect(graph.oldestHeld(stream: 1) == nil && graph.nextDue == 4_000_000_000)
    try put("F", stream: 2, at: 6, now: 3_500_000_000)
    #expect(sources.last == LogSource(stream: 2, start: 5, end: 6) && graph.oldestHeld(stream: 2) == 6)
  }

  @Test func `an entry without the field goes on by itself, behind the series before it`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body.m, is_first_entry: 'body.f == true'}\n- {type: add, field: attributes.x, value: 1}\n"
    )
    var output: [String] = []
    for text in [
      "{body: {f: true, m: a}}", "{body: {m: b}}", "{body: {m: 7}}", "{body: {f: true}}", "{body: {m: c}}",
    ] {
      var entry = try LogEntry(text)
      graph.process(&entry) { output.append($0.json($0.body)) }
    }
    #expect(output == [#"{"m":7}"#, #"{"f":true,"m":"a\nb"}"#, #"{"f":true}"#])
    graph.flush { output.append($0.json($0.body) + $0.attributesJSON) }
    #expect(output.last == #"{"m":"c"}{"x":1}"#)
    #expect(graph.counts[0].failed == 2)
  }

  @Test func `what is held is bounded`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body, is_first_entry: 'false', max_unmatched_batch_size: 0}\n")
    var most = 0
    var emitted = 0
    for stream in 0..<100 {
      var entry = try Self.entry(String(repeating: "x", count: 1 << 20), stream: stream, at: 0)
      graph.process(&entry) { _ in emitted += 1 }
      most = max(most, graph.heldBytes)
    }
    #expect(emitted == 65 && most <= Recombiner.mostHeld + 1 << 20)
    graph.flush { _ in emitted += 1 }
    #expect(emitted == 100 && graph.heldBytes == 0)
  }

  @Test func `sources that are gone are forgotten`() throws {
    var table = SeriesTable(spare: 1)
    for stream in 0..<1000 {
      _ = table.series(of: try Self.entry("x", stream: stream, at: 0), by: FieldPath(.attributes, ["p"]))
    }
    #expect(table.all.count < 50)
  }

  @Test(arguments: [
    ("combine_field: body", "one of is_first_entry and is_last_entry is required"),
    (
      "combine_field: body, is_first_entry: 'true', is_last_entry: 'true'",
      "is_last_entry: cannot be set together with is_first_entry"
    ),
    ("is_first_entry: 'true'", "\"combine_field\" is required"),
    (
      "combine_field: body, is_first_entry: 'true', overwrite_with: oldst",
      "expected one of oldest, newest, found oldst"
    ),
    (
      "combine_field: body, is_first_entry: 'true', max_sources: 0",
      "\"max_sources\" must be at least 1, is 0"
    ),
  ])
  func `settings that cannot work are refused`(config: String, message: String) throws {
    let (_, diagnostics) = try Operators.decode("- {type: recombine, \(config)}\n")
    #expect(diagnostics.all.contains { $0.message == message }, "\(diagnostics.render())")
  }
}
