internal import TelemetryData
internal import WireFormat

/// The batch in the making: lines become OTLP log records where they are read.
struct LineBatch: ~Copyable {
  private var builder: BatchBuilder
  private(set) var count = 0

  init(capacity: Int) {
    builder = BatchBuilder(.logs, capacity: capacity)
  }

  var byteCount: Int { builder.byteCount }

  /// Adds a line.
  /// - Parameters:
  ///   - text: the body.
  ///   - attributes: `LogRecord.attributes` fields as they stand in a record.
  ///   - observed: nanoseconds since the Unix epoch.
  mutating func add(_ text: Span<UInt8>, attributes: Span<UInt8>, observed: UInt64) {
    count += 1
    let isValid = UTF8Check.isValid(text)
    builder.addItem { writer in
      let body = writer.beginMessage(5, expecting: text.count + 3)
      if isValid {
        writer.bytesField(1, text)
      } else {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in text.indices { bytes.append(text[index]) }
        writer.stringField(1, String(decoding: bytes, as: UTF8.self))
      }
      writer.endMessage(body)
      writer.write(attributes)
      writer.fixed64Field(11, observed)
    }
  }

  consuming func finish() -> Batch { builder.finish() }
}
