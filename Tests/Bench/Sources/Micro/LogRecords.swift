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
    ]
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
