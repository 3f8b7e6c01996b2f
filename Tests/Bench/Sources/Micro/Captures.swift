import TelemetryData

@testable import LogData
@testable import NativeCodecs

/// Fields of log lines found by regular expressions; items are lines of about 200 bytes, as nginx writes them.
extension Operation {
  /// nginx' combined format with ten named groups.
  private static let combined =
    #"^(?P<remote>\S+) - (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>[^"]+)" "#
    + #"(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$"#
  /// The same as many write it, where a byte alone does not decide.
  private static let lazy =
    #"^(?P<remote>.*?) - (?P<user>.*?) \[(?P<time>.*?)\] "(?P<request>.*?)" (?P<status>\d{3}) (?P<bytes>\d+) "#
    + #""(?P<referer>.*?)" "(?P<agent>.*?)"$"#

  static func captures() throws -> [Operation] {
    let lines = accessLines()
    let bytes = lines.reduce(0) { $0 + $1.count }
    let re2 = try Pattern(combined)
    let own = CapturePattern(re2)
    let ownLazy = try CapturePattern(lazy)
    let match = MatchBox()
    let parsing = Parsing(re2)
    return [
      Operation("groups of a line: RE2", items: lines.count, bytes: bytes) {
        lines.reduce(0) { $0 + (re2.captures(in: $1.span)?.count ?? 0) }
      },
      Operation("groups of a line", items: lines.count, goal: 500, bytes: bytes) {
        match.sum(of: own, in: lines)
      },
      Operation("groups of a line, lazy quantifiers", items: lines.count, goal: 500, bytes: bytes) {
        match.sum(of: ownLazy, in: lines)
      },
      Operation("regex_parser and into a batch", items: lines.count, goal: 1000, bytes: bytes) {
        try parsing.run(lines)
      },
    ]
  }

  private final class MatchBox {
    private var match = PatternMatch()

    func sum(of pattern: CapturePattern, in lines: [[UInt8]]) -> Int {
      var sum = 0
      for line in lines where pattern.find(in: line.span, into: &match) {
        sum &+= match[match.count - 1]?.upperBound ?? 0
      }
      return sum
    }
  }

  private final class Parsing {
    private var entry = LogEntry()
    private let step: ParsingOperator<RegexParser>
    private var writer = LogBatchWriter()

    init(_ pattern: Pattern) { step = ParsingOperator(RegexParser(pattern), ParserKeys()) }

    func run(_ lines: [[UInt8]]) throws -> Int {
      for line in lines {
        entry.reset()
        entry.body = .string(entry.add(line.span))
        entry.observedTimestamp = 1_700_000_000_000_000_000
        _ = try step.process(&entry)
        writer.append(entry)
      }
      return writer.finish().itemCount
    }
  }
}
