import TimeFormats

@testable import LogData

/// What operators made of one JSON text whose parts became the body.
struct EntryRun {
  var entry = LogEntry()
  var problems: [String] = []

  /// Runs `json_parser` and then the operators of a list in YAML.
  ///
  /// - Parameter read: when the text was read, RFC 3339.
  init(_ json: String, _ yaml: String, read: String = "2024-06-15T12:00:00Z") throws {
    let graph = try Operators.graph("- {type: json_parser, parse_to: body}\n\(yaml)")
    var problems: [String] = []
    graph.onFailure = { problems.append("\($0): \($1)") }
    var entry = LogEntry()
    entry.observedTimestamp = UInt64(try RFC3339.nanoseconds(Array(read.utf8).span))
    entry.body = entry.string(json)
    var result = LogEntry()
    graph.process(&entry) { result = $0 }
    self.entry = result
    self.problems = problems
  }

  var time: String { RFC3339.text(nanoseconds: Int64(entry.timestamp), digits: 3) }
  var severity: String { "\(entry.severityNumber) \(entry.string(entry.severityText))" }
}
