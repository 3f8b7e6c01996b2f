import ConfigSchema
import Testing

@testable import LogData

@Suite struct HeaderReaderTests {
  private static let yaml = """
    pattern: ^\\$ ?
    metadata_operators:
      - {type: key_value_parser, pair_delimiter: ";"}
    """

  private func reader(_ yaml: String = yaml, framing: LineFraming = LineFraming()) throws -> HeaderReader {
    let (config, diagnostics) = try LineConfigTests.decode(HeaderConfig.self, yaml.replacing("$", with: "$$"))
    let environment = ExpressionEnvironment(variables: [:], now: { 0 })
    return HeaderReader(
      try #require(config, "\(diagnostics.render())"), content: framing,
      OperatorContext(environment: environment, random: { 0 }))
  }

  /// Where the records begin and what the header says, read in pieces.
  private func read(
    _ text: String, _ reader: HeaderReader, piece: Int, end: LineFramer.Input = .ended
  ) -> (UInt64?, String) {
    let bytes = Array(text.utf8)
    var framer = reader.makeFramer()
    var (given, buffer) = (0, [UInt8]())
    var attributes = LogEntry()
    var found: UInt64?
    while found == nil {
      let next = min(given + piece, bytes.count)
      buffer += bytes[given..<next]
      given = next
      var cursor = 0
      let input = given == bytes.count ? end : .flowing
      found = reader.read(buffer.span, at: &cursor, input, framer: &framer, into: &attributes)
      if let found { #expect(Int(found) == given - buffer.count + cursor) }
      buffer.removeFirst(cursor)
      if given == bytes.count { break }
    }
    return (found, attributes.literal(attributes.value(at: FieldPath(.attributes)) ?? .null).json)
  }

  @Test(arguments: [1, 5, 1000])
  func `lines of the header become attributes, up to the first that is none`(piece: Int) throws {
    let text = "$host=a;level=1\r\n$level=2\nfirst record\n$no=header\n"
    let (start, attributes) = read(text, try reader(), piece: piece)
    #expect(start == 26)
    #expect(attributes == #"{"$host":"a","level":"1","$level":"2"}"#)
  }

  @Test func `a header that is not complete waits for more`() throws {
    let (start, attributes) = read("$a=1\n$b=", try reader(), piece: 100, end: .idle(now: 0))
    #expect(start == nil)
    #expect(attributes == #"{"$a":"1"}"#)
  }

  @Test func `a file without a header has its records at the start`() throws {
    #expect(read("record\n", try reader(), piece: 3).0 == 0)
  }

  @Test func `a line that an operator cannot read is part of the header all the same`() throws {
    let reader = try reader()
    var failures: [String] = []
    reader.onFailure = { id, _ in failures.append(id) }
    #expect(read("$nothing\n$a=1\nx\n", reader, piece: 100).0 == 14)
    #expect(failures == ["key_value_parser"])
  }

  @Test(arguments: [
    ("pattern: a\nmetadata_operators: []", "must not be empty"),
    ("pattern: a\nmetadata_operators: [{type: filter, expr: 'true'}]", "\"filter\" is not allowed"),
    ("pattern: (a\nmetadata_operators: [{type: noop}]", "missing )"),
    ("metadata_operators: [{type: noop}]", "\"pattern\" is required"),
  ])
  func `a header that could not be read is refused`(yaml: String, message: String) throws {
    let found = try LineConfigTests.decode(HeaderConfig.self, yaml).1.render()
    #expect(found.contains(message), "\(found)")
  }
}
