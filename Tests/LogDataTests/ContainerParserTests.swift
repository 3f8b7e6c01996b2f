import Testing
import WireFormat

@testable import LogData

@Suite struct ContainerParserTests {
  private static let path =
    "/var/log/pods/some_kube-scheduler-kind-control-plane_49cc7c1fd3702c40b2686ea7486091d3/kube-scheduler44/1.log"
  private static let place =
    #""resource":{"k8s.namespace.name":"some","k8s.pod.name":"kube-scheduler-kind-control-plane","#
    + #""k8s.pod.uid":"49cc7c1fd3702c40b2686ea7486091d3","k8s.container.name":"kube-scheduler44","#
    + #""k8s.container.restart_count":"1"}"#

  /// Takes lines through `container`; what comes out, with the time in front.
  private final class Log {
    let graph: OperatorGraph
    var output: [String] = []
    var failures: [String] = []
    private var offset: UInt64 = 0

    init(_ settings: String = "add_metadata_from_filepath: false", behind: String = "") throws {
      graph = try Operators.graph("- {type: container, \(settings)}\n\(behind)")
      graph.onFailure = { [unowned self] in failures.append($1.description) }
    }

    func add(_ line: String, path: String? = nil, stream: Int = 0) throws {
      var entry = LogEntry()
      entry.body = entry.string(line)
      if let path { try entry.set(entry.string(path), at: FieldPath(.attributes, ["log.file.path"])) }
      entry.source = LogSource(stream: stream, start: offset, end: offset + UInt64(line.utf8.count) + 1)
      offset = entry.source.end
      graph.process(&entry, sink)
    }

    func sink(_ entry: inout LogEntry) { output.append("\(entry.timestamp) \(entry.summary)") }
  }

  @Test(arguments: [
    // containerd
    (
      "2024-04-13T07:59:37.505201169Z stdout F standalone containerd line which is awesome!",
      #"1712995177505201169 {"body":"standalone containerd line which is awesome!","attributes":{"log.iostream":"stdout","logtag":"F"},"resource":{}}"#
    ),
    // CRI-O
    (
      "2024-04-13T07:59:37.505201169-10:00 stderr F standalone crio line",
      #"1713031177505201169 {"body":"standalone crio line","attributes":{"log.iostream":"stderr","logtag":"F"},"resource":{}}"#
    ),
    // docker
    (
      #"{"log":"INFO: log line here","stream":"stdout","time":"2029-03-30T08:31:20.545192187Z"}"#,
      #"1869553880545192187 {"body":"INFO: log line here","attributes":{"log.iostream":"stdout"},"resource":{}}"#
    ),
    (
      #"{"log":"line\r\n","stream":"stderr","attrs":{"tag":"x"},"time":"2029-03-30T08:31:20Z"}"#,
      #"1869553880000000000 {"body":"line\r","attributes":{"attrs":{"tag":"x"},"log.iostream":"stderr"},"resource":{}}"#
    ),
    // Empty lines, and lines with spaces at both ends.
    (
      "2024-04-13T07:59:37Z stdout F ",
      #"1712995177000000000 {"body":"","attributes":{"log.iostream":"stdout","logtag":"F"},"resource":{}}"#
    ),
    (
      "2024-04-13T07:59:37Z stdout F",
      #"1712995177000000000 {"body":"","attributes":{"log.iostream":"stdout","logtag":"F"},"resource":{}}"#
    ),
    (
      "2024-04-13T07:59:37Z stdout F:x  a ",
      #"1712995177000000000 {"body":" a ","attributes":{"log.iostream":"stdout","logtag":"F:x"},"resource":{}}"#
    ),
    (
      #"{"log":"\n","stream":"stdout","time":"2029-03-30T08:31:20Z"}"#,
      #"1869553880000000000 {"body":"","attributes":{"log.iostream":"stdout"},"resource":{}}"#
    ),
  ])
  func `a line is read in the format it has`(line: String, expected: String) throws {
    let log = try Log()
    try log.add(line)
    #expect(log.output == [expected])
    #expect(log.failures.isEmpty)
  }

  static let rightPaths: [String] = [
    path, path + ".20250219-233547", path + ".20250219-233547.gz", path.replacing("/", with: "\\"),
    "x/" + path.dropFirst(14),
  ]
  static let wrongPaths: [String] = [
    path + ".gz", path + ".1", path.replacing("1.log", with: "x.log"), path.replacing("49cc", with: "49CC"),
    path.replacing("kube-scheduler44", with: "kube.scheduler"), path.replacing("some_", with: ""),
    path.replacing("some_", with: "a_b_c_"), String(path.dropFirst(14)), "", "/", "1.log",
  ]

  @Test(arguments: rightPaths + wrongPaths)
  func `the path of the file says where the container runs`(path: String) throws {
    let isRight = Self.rightPaths.contains(path)
    let log = try Log("add_metadata_from_filepath: true")
    try log.add("2024-04-13T07:59:37Z stdout F a", path: path)
    let output = try #require(log.output.first)
    if isRight {
      #expect(output.hasSuffix(Self.place + "}"), "\(output)")
    } else {
      #expect(output.hasPrefix("0 ") && output.hasSuffix(#""resource":{}}"#), "\(output)")
      #expect(log.failures.count == 1)
    }
  }

  @Test(arguments: [
    ("", "not a line of a container runtime: expected stdout or stderr behind a time, at byte 0"),
    (
      "invalid container format",
      "not a line of a container runtime: expected stdout or stderr behind a time, at byte 8"
    ),
    (
      "2024-04-13T07:59:37Z stdin F x",
      "not a line of a container runtime: expected stdout or stderr behind a time, at byte 21"
    ),
    ("2024-04-13T07:59:37Z stdout", "not a line of a container runtime: expected a tag at byte 27"),
    ("yesterday stdout F x", "the time is not one of RFC 3339: expected a year at byte 0"),
    (#"{"log":"x","stream":"stdout"}"#, "not a line of docker: there is no \"time\""),
    (
      #"{"log":1,"stream":"stdout","time":"2029-03-30T08:31:20Z"}"#,
      "not a line of docker: \"log\" is an integer"
    ),
    (#"{"log":"x""#, "not a JSON object: the text ends too early at byte 10"),
  ])
  func `what is no line of a runtime passes as it is`(line: String, expected: String) throws {
    let log = try Log()
    try log.add(line, path: "p")
    #expect(log.failures == [expected])
    #expect(
      log.output.count == 1 && log.output[0].contains(#""attributes":{"log.file.path":"p"},"resource":{}"#))
  }

  @Test func `without the path there is no place`() throws {
    let log = try Log("format: docker")
    try log.add(#"{"log":"x","stream":"stdout","time":"2029-03-30T08:31:20Z"}"#)
    #expect(log.failures.count == 1 && log.failures[0].contains("set include_file_path: true"))
  }

  @Test func `parts of a line become one entry with the fields of the first`() throws {
    let log = try Log("add_metadata_from_filepath: true")
    for (second, part) in [(1, "P standalone line which i"), (2, "P s "), (3, "F awesome!"), (4, "F next")] {
      try log.add("1970-01-01T00:00:0\(second)Z stdout \(part)", path: Self.path)
    }
    let attributes = { (tag: String) in
      "\"attributes\":{\"log.file.path\":\"\(Self.path)\",\"log.iostream\":\"stdout\",\"logtag\":\"\(tag)\"}"
    }
    #expect(
      log.output == [
        "1000000000 {\"body\":\"standalone line which is awesome!\",\(attributes("P")),\(Self.place)}",
        "4000000000 {\"body\":\"next\",\(attributes("F")),\(Self.place)}",
      ])
    #expect(log.graph.heldBytes == 0)
  }

  @Test func `parts of other files and of the other stream are other lines`() throws {
    let log = try Log()
    let time = "1970-01-01T00:00:01Z"
    try log.add("\(time) stdout P a", path: "1")
    try log.add("\(time) stderr P b", path: "1")
    try log.add("\(time) stdout P c", path: "2")
    try log.add("\(time) stdout F z", path: "3")
    try log.add("\(time) stderr F B", path: "1")
    try log.add("\(time) stdout F C", path: "2")
    try log.add("\(time) stdout F A", path: "1")
    #expect(
      log.output.map { String($0.dropFirst(19).prefix { $0 != "," }) }
        == ["z", "bB", "cC", "aA"].map { "\"\($0)\"" })
  }

  @Test func `docker's pieces of sixteen kilobytes are put together`() throws {
    let log = try Log()
    let piece = String(repeating: "x", count: ContainerLine.dockerPiece)
    for text in [piece, piece, #"end\n"#, piece + #"\n"#, piece, "no newline at the end"] {
      try log.add("{\"log\":\"\(text)\",\"stream\":\"stdout\",\"time\":\"1970-01-01T00:00:01Z\"}")
    }
    let sizes = log.output.map { $0.count { $0 == "x" } }
    #expect(sizes == [2 * piece.count, piece.count, piece.count])
    #expect(log.output[0].contains("xend\""))
    #expect(log.output[2].contains("xno newline at the end\""))
  }

  @Test func `a line that grows too long goes on in pieces`() throws {
    let log = try Log("add_metadata_from_filepath: false, max_log_size: 10")
    for part in ["P 12345", "P 67890", "P A", "P bcd", "F e", "P longer than ten bytes", "F x"] {
      try log.add("1970-01-01T00:00:01Z stdout \(part)")
    }
    let bodies = log.output.map { String($0.dropFirst(19).prefix { $0 != "," }) }
    #expect(bodies == ["1234567890A", "bcde", "longer than ten bytes", "x"].map { "\"\($0)\"" })
  }

  @Test func `what is held is known by its offset and goes on in time`() throws {
    let log = try Log()
    log.graph.now = 1_000
    try log.add("1970-01-01T00:00:01Z stdout F whole", stream: 7)
    #expect(log.graph.oldestHeld(stream: 7) == nil && log.graph.nextDue == nil)
    try log.add("1970-01-01T00:00:01Z stdout P half", stream: 7)
    try log.add("1970-01-01T00:00:01Z stdout P more", stream: 7)
    #expect(log.graph.oldestHeld(stream: 7) == 36)
    #expect(log.graph.oldestHeld(stream: 8) == nil)
    #expect(log.graph.nextDue == 5_000_001_000)
    log.graph.expire(now: 5_000_000_999, log.sink)
    #expect(log.output.count == 1)
    log.graph.expire(now: 5_000_001_000, log.sink)
    #expect(log.output.count == 2 && log.output[1].contains("\"halfmore\""))
    #expect(log.graph.oldestHeld(stream: 7) == nil && log.graph.heldBytes == 0)
  }

  @Test func `a stop lets go what is held, in order`() throws {
    let log = try Log()
    try log.add("1970-01-01T00:00:01Z stdout P a", stream: 1)
    try log.add("1970-01-01T00:00:01Z stdout P b", stream: 2)
    log.graph.flush(log.sink)
    #expect(log.output.count == 2 && log.output[0].contains("\"a\"") && log.output[1].contains("\"b\""))
    #expect(log.graph.heldBytes == 0)
  }

  @Test func `a line goes on in the file that follows a rotation, and both offsets are kept`() throws {
    let log = try Log()
    try log.add("1970-01-01T00:00:01Z stdout P a", path: "0.log", stream: 1)
    try log.add("1970-01-01T00:00:01Z stdout P b", path: "0.log", stream: 2)
    #expect(log.graph.oldestHeld(stream: 1) == 0)
    #expect(log.graph.oldestHeld(stream: 2) == 32)
    try log.add("1970-01-01T00:00:01Z stdout F c", path: "0.log", stream: 2)
    #expect(log.output.count == 1 && log.output[0].contains("\"abc\""))
  }

  @Test func `more lines than may be held let the oldest go`() throws {
    let log = try Log()
    for number in 0...SplitLines.maxLines {
      try log.add("1970-01-01T00:00:01Z stdout P \(number).", path: "\(number)")
    }
    #expect(log.output.count == 1 && log.output[0].contains("\"0.\""))
  }

  @Test func `blocks see what stood in the line, and what they cannot do is told once for a line`() throws {
    let log = try Log(
      "add_metadata_from_filepath: false, severity: {parse_from: attributes.stream, mapping: {error: stderr, info: stdout}}"
    )
    try log.add("1970-01-01T00:00:01Z stdout F a")
    #expect(log.failures.isEmpty)
    let missing = try Log("add_metadata_from_filepath: false, severity: {parse_from: attributes.none}")
    try missing.add("1970-01-01T00:00:01Z stdout P a")
    #expect(missing.failures.isEmpty && missing.output.isEmpty)
    try missing.add("1970-01-01T00:00:01Z stdout F b")
    #expect(missing.failures == ["there is no attributes.none"])
    #expect(
      missing.output == [
        #"1000000000 {"body":"ab","attributes":{"logtag":"P","log.iostream":"stdout"},"resource":{}}"#
      ])
  }

  @Test func `wrong settings are refused`() throws {
    #expect(try Operators.decode("- {type: container, format: podman}").0 == nil)
    #expect(try Operators.decode("- {type: container, parse_to: body}").0 == nil)
  }
}
