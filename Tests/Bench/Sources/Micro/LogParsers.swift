import WireFormat

@testable import LogData

/// What parsers of log lines cost; items are lines.
extension Operation {
  static func logParsers() -> [Operation] {
    let json = (0..<64).map { number in
      "{\"time\":\"2024-05-14T12:31:\(10 + number % 50).123456Z\",\"level\":\"info\",\"msg\":\"request completed\","
        + "\"method\":\"GET\",\"path\":\"/api/v1/orders/\(number * 17)\",\"status\":\(200 + number % 5),"
        + "\"duration_ms\":\(number % 100).\(number),\"bytes\":\(number * 1031),\"client\":\"10.1.2.\(number)\","
        + "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}"
    }
    let row = [
      "2024-05-14T12:31:10,info,request completed,GET,/api/v1/orders/17,200,17.5,1031,10.1.2.3,4bf92f3577b34da6",
      "2024-05-14T12:31:10,info,\"request, completed\",GET,/api/v1/orders/17,200,17.5,1031,10.1.2.3,\"4bf92f3577b\"",
    ]
    let pairs = [
      "time=2024-05-14T12:31:10 level=info msg=\"request completed\" method=GET path=/api/v1/orders/17 status=200 "
        + "duration=17.5 bytes=1031 client=10.1.2.3 trace=4bf92f3577b34da6a3ce929d0e0e4736"
    ]
    let uri = [
      "https://user@www.example.org:8443/v1/app/stage?token=d9e28b1d-2c7b-4853&env=prod&env=stage&mode=fast"
    ]
    let message =
      "10.1.2.3 - - [12/Mar/2025:10:15:10 +0000] GET /api/v1/orders/17 HTTP/1.1 200 17 - Mozilla/5.0"
    let cri = ["2024-04-13T07:59:37.505201169Z stdout F \(message)"]
    let docker = [
      "{\"log\":\"\(message)\\n\",\"stream\":\"stdout\",\"time\":\"2024-04-13T07:59:37.505201169Z\"}"
    ]
    let names = (0..<10).map { "field\($0)" }
    return [
      parsing("log json: ten fields into an entry", json, JSONParser(), goal: 350),
      writing("log json: ten fields into an OTLP record", json, JSONParser(), goal: 700),
      parsing("log csv: ten fields into an entry", row, CSVParser(header: .names(names))),
      parsing("log key_value: ten pairs into an entry", pairs, KeyValueParser()),
      parsing("log uri: into an entry", uri, URIParser()), containing("log container: CRI", cri),
      containing("log container: docker", docker),
    ]
  }

  private static func parsing<Parser: LogValueParser>(
    _ name: String, _ texts: [String], _ parser: Parser, goal: Double? = nil
  ) -> Operation {
    let work = Work(texts, parser)
    return Operation(name, items: texts.count, goal: goal, bytes: work.bytes) {
      var sum = 0
      for line in work.lines {
        let text = work.begin(line)
        sum &+= try work.parser.parse(.string(text), of: &work.entry).chain?.hashValue ?? 0
      }
      return sum
    }
  }

  private static func writing<Parser: LogValueParser>(
    _ name: String, _ texts: [String], _ parser: Parser, goal: Double
  ) -> Operation {
    let work = Work(texts, parser)
    let step = ParsingOperator(parser, ParserKeys())
    return Operation(name, items: texts.count, goal: goal, bytes: work.bytes) {
      for line in work.lines {
        work.entry.body = .string(work.begin(line))
        _ = try step.process(&work.entry)
        work.writer.append(work.entry)
      }
      return work.writer.finish().byteCount
    }
  }

  private static func containing(_ name: String, _ texts: [String]) -> Operation {
    let work = Work(texts, ContainerParser())
    let path = Array(
      "/var/log/pods/some_kube-scheduler-kind-control-plane_49cc7c1fd3702c40b2686ea7486091d3/kube-scheduler/1.log"
        .utf8)
    let key = Array("log.file.path".utf8)
    return Operation(name, items: texts.count, goal: nil, bytes: work.bytes) {
      var sum = 0
      for line in work.lines {
        work.entry.body = .string(work.begin(line))
        let name = work.entry.add(key.span)
        let value = LogValue.string(work.entry.add(path.span))
        work.entry.append(key: name, value, to: .attributes)
        if try work.parser.process(&work.entry, now: 0, emit: { _ in }) == .pass { sum += 1 }
      }
      return sum
    }
  }

  /// What is used again for each line.
  private final class Work<Parser> {
    let lines: [[UInt8]]
    var parser: Parser
    var entry = LogEntry()
    var writer = LogBatchWriter()
    var bytes: Int { lines.reduce(0) { $0 + $1.count } }

    init(_ texts: [String], _ parser: Parser) {
      lines = texts.map { Array($0.utf8) }
      self.parser = parser
    }

    func begin(_ line: [UInt8]) -> WireRange {
      entry.reset()
      return entry.add(line.span)
    }
  }
}
