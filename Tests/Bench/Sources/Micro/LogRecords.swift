import ConfigSchema
import Glibc
import TelemetryData

@testable import LogData

/// Lines into batches; items are lines of about 200 bytes, as nginx writes them.
extension Operation {
  static func logRecords() -> [Operation] {
    let lines = accessLines()
    let bytes = lines.reduce(0) { $0 + $1.count }
    var named = LogEntry()
    named.append(key: named.add("log.file.name"), named.string("access.log"), to: .attributes)
    let frame = LogLineFrame(named)
    let writer = WriterBox()
    let entries = EntryBox()
    let parsed = parsedEntry()
    return [
      Operation("log line: straight into a batch", items: lines.count, goal: 60, bytes: bytes) {
        for line in lines {
          writer.writer.appendLine(line.span, observed: 1_700_000_000_000_000_000, in: frame)
        }
        return writer.writer.finish().itemCount
      },
      Operation("log line: as an entry into a batch", items: lines.count, goal: nil, bytes: bytes) {
        for line in lines {
          entries.entry.reset()
          entries.entry.body = .string(entries.entry.add(line.span))
          entries.entry.observedTimestamp = 1_700_000_000_000_000_000
          writer.writer.append(entries.entry)
        }
        return writer.writer.finish().itemCount
      },
      Operation("log entry with ten attributes into a batch", items: lines.count) {
        for _ in lines { writer.writer.append(parsed) }
        return writer.writer.finish().itemCount
      },
    ]
  }

  /// An entry as a parser of JSON lines leaves it.
  private static func parsedEntry() -> LogEntry {
    var entry = LogEntry()
    entry.body = entry.string(String(repeating: "b", count: 250))
    entry.observedTimestamp = 1_700_000_000_000_000_000
    let fields = [
      "time": "2024-05-14T12:31:10.123456Z", "level": "info", "msg": "request completed", "method": "GET",
      "path": "/api/v1/orders/17", "client": "10.1.2.3", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    ]
    for (key, value) in fields { entry.append(key: entry.add(key), entry.string(value), to: .attributes) }
    for key in ["status", "bytes"] { entry.append(key: entry.add(key), .int(404), to: .attributes) }
    entry.append(key: entry.add("duration_ms"), .double(12.5), to: .attributes)
    return entry
  }

  /// Lines as entries through operators that do little themselves.
  static func logOperators() throws -> [Operation] {
    let lines = accessLines()
    return try [
      ("three of noop", "[{type: noop}, {type: noop}, {type: noop}]"),
      (
        "add, move, remove",
        "[{type: add, field: attributes.env, value: prod}, {type: move, from: attributes.env, to: resource.env}, {type: remove, field: resource.env}]"
      ),
      ("filter", "[{type: filter, expr: 'body startsWith \"ERROR\"'}]"),
      (
        "recombine, series of one",
        "[{type: recombine, combine_field: body, is_first_entry: 'body startsWith \"10.\"'}]"
      ),
      (
        "recombine, series of 100",
        "[{type: recombine, combine_field: body, is_first_entry: 'body startsWith \"never\"'}]"
      ),
    ].map { name, config in
      let graph = try graph(config)
      let entries = EntryBox()
      return Operation("log operators: \(name)", items: lines.count) {
        var count = 0
        for line in lines {
          entries.entry.reset()
          entries.entry.body = .string(entries.entry.add(line.span))
          graph.process(&entries.entry) { count += $0.arena.count & 1 }
        }
        return count
      }
    }
  }

  private static func graph(_ operators: String) throws -> OperatorGraph {
    let (root, _) = ConfigLoader.load(sources: [.text("operators: \(operators)", name: "operators")])
    var context = ConfigContext()
    guard let root = root?["operators"], let list = OperatorList.decode(root, base: nil, context: &context)
    else {
      throw LogOperatorError(context.diagnostics.render())
    }
    return OperatorGraph(list, OperatorContext(environment: ExpressionEnvironment(now: { 0 }), random: { 0 }))
  }

  private final class WriterBox { var writer = LogBatchWriter() }
  private final class EntryBox { var entry = LogEntry() }

  static func accessLines() -> [[UInt8]] {
    (0..<5000).map { number in
      let agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
      let text =
        "10.1.\(number % 256).\(number / 256) - - [12/Mar/2025:10:15:\(10 + number % 50) +0000] "
        + "\"GET /api/v1/orders/\(number) HTTP/1.1\" 200 \(number * 7) \"-\" \"\(agent)\""
      return Array(text.utf8)
    }
  }
}
