import TelemetryData
import WireFormat

@testable import LogData

/// What must hold for any text that a log line may hold and a parser meets.
///
/// It is refused with an error, or becomes values that do not depend on where in the entry the text lies, and that are
/// valid OTLP when written.
enum LogParserOracle {
  /// The whole input as JSON: what was read, written as JSON and read again, is the same.
  static func checkJSON(_ input: [UInt8]) throws {
    for keepsIntegers in [true, false] {
      let parser = JSONParser(keepsIntegers: keepsIntegers)
      guard let (entry, value) = try parse(input, with: parser) else { continue }
      let text = entry.jsonText(value)
      guard let (again, second) = try parse(text, with: parser) else {
        throw OracleFailure(description: "our own JSON is refused: \(String(decoding: text, as: UTF8.self))")
      }
      try require(again.jsonText(second) == text, "JSON changed when read and written again")
    }
    _ = try parse(input, with: JSONArrayParser())
    _ = try parse(input, with: JSONArrayParser(header: ["a", "b", "a"]))
  }

  /// The input as the other parsers read it.
  static func checkText(_ input: [UInt8]) throws {
    try checkCSV(input)
    for (delimiter, pair) in [("=", " "), (":", ","), ("==", "||")] {
      _ = try parse(input, with: KeyValueParser(delimiter: delimiter, pairDelimiter: pair))
    }
    _ = try parse(input, with: URIParser())
    try checkContainer(input)
  }

  /// A row keeps its fields when it is written with all of them in quotes.
  private static func checkCSV(_ input: [UInt8]) throws {
    let names = ["a", "b", "c"]
    for (quotes, delimiter) in [(CSVParser.Quotes.strict, ","), (.lazy, ";"), (.ignored, "→")] {
      let parser = CSVParser(header: .names(names), delimiter: delimiter, quotes: quotes)
      guard let (entry, value) = try parse(input, with: parser), let map = value.chain else { continue }
      var row: [UInt8] = []
      entry.forEach(in: map) { _, field in
        if !row.isEmpty { row.append(UInt8(ascii: ",")) }
        row.append(UInt8(ascii: "\""))
        for byte in entry.arena[field.range.range] {
          if byte == UInt8(ascii: "\"") { row.append(byte) }
          row.append(byte)
        }
        row.append(UInt8(ascii: "\""))
      }
      guard let (again, second) = try parse(row, with: CSVParser(header: .names(names))) else {
        throw OracleFailure(description: "our own row is refused: \(String(decoding: row, as: UTF8.self))")
      }
      // Carriage returns before newlines go in quotes as well.
      let first = entry.jsonText(value).filter { $0 != 0x0D }
      try require(
        again.jsonText(second).filter { $0 != 0x0D } == first
          || entry.arena.contains(0x0D), "a row changed when read and written again")
    }
  }

  /// The lines of the input as a container's log: all that is held comes out, and none of it twice.
  private static func checkContainer(_ input: [UInt8]) throws {
    let parser = ContainerParser(readsPath: false, maxSize: 50)
    var (lines, outputs, read) = (0, 0, 0)
    func emit(_ entry: inout LogEntry) {
      outputs += 1
      read += entry.body.range.count
    }
    for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
      var entry = LogEntry()
      entry.body = .string(entry.add(Array(line).span))
      entry.source = LogSource(stream: lines % 2, start: UInt64(lines), end: UInt64(lines + 1))
      lines += 1
      do throws(LogOperatorError) {
        if try parser.process(&entry, now: UInt64(lines), emit: emit) == .pass {
          try checkOutput(entry)
          emit(&entry)
        }
      } catch {
        outputs += 1
      }
    }
    parser.flush(emit: emit)
    try require(outputs <= lines, "\(outputs) entries of \(lines) lines")
    // Every malformed byte may have become three.
    try require(read <= 3 * input.count, "\(read) bytes of \(input.count)")
    try require(
      parser.heldBytes == 0 && parser.nextDue == nil && parser.oldestHeld(stream: 0) == nil,
      "something is held behind the end")
  }

  private static func checkOutput(_ entry: LogEntry) throws(LogOperatorError) {
    guard isValid(entry) else { throw LogOperatorError("not valid") }
  }

  // Parsing.

  /// Parses a text that is an entry's first, and once more behind other bytes.
  private static func parse<Parser: LogValueParser>(
    _ input: [UInt8], with parser: Parser
  ) throws -> (LogEntry, LogValue)? {
    var results: [(LogEntry, LogValue)?] = []
    for around in ["", "\"\\,= {[%"] {
      var parser = parser
      var entry = LogEntry()
      _ = entry.add(around)
      let text = entry.add(input.span)
      _ = entry.add(around)
      do throws(LogOperatorError) {
        let value = try parser.parse(.string(text), of: &entry)
        results.append((entry, value))
      } catch {
        try require(!error.description.isEmpty, "an error says nothing")
        results.append(nil)
      }
    }
    guard let (entry, value) = results[0], let (other, second) = results[1] else {
      try require(results[0] == nil && results[1] == nil, "it depends on its place whether a text is refused")
      return nil
    }
    try require(entry.jsonText(value) == other.jsonText(second), "a value depends on the place of its text")
    var whole = entry
    whole.body = value
    try require(isValid(whole), "what was read is not valid OTLP")
    return (entry, value)
  }

  /// Whether the entry is valid OTLP when written.
  private static func isValid(_ entry: LogEntry) -> Bool {
    var writer = LogBatchWriter()
    writer.append(entry)
    return (try? Batch(bytes: writer.finish().bytes, signal: .logs)) != nil
  }

  // Inputs to start from.

  static let jsonSeeds: [[UInt8]] = [
    #"{"time":"2024-05-14T12:31:10Z","level":"info","n":-12,"d":0.25,"o":{"a":[1,"x",null,true]},"e":"\"\\\n\u00e9\ud83d\ude00"}"#,
    #"{"a":1,"a":{"b":9223372036854775808},"\u0061":1e999,"":[[],{}]}"#, #"[1,"a",{"b":[1]},[2],false]"#,
  ].map { Array($0.utf8) }

  static let textSeeds: [[UInt8]] = [
    "a,\"b \"\"c\"\" d\",e", "a,b\nmore,c\r\n", "name=\"two words\" other='it\\'s' x==y", "a==b||c==\"d||e\"",
    "https://user:secret@[fe80::1%25en0]:8443/a%2Fb/ü?x=1&x=2+3&y=%C3%BC", "?a=b&c;d",
    "2024-04-13T07:59:37Z stdout P first half\n2024-04-13T07:59:37Z stdout F and second",
    "{\"log\":\"line\\n\",\"stream\":\"stderr\",\"time\":\"2024-04-13T07:59:37.5Z\"}",
  ].map { Array($0.utf8) }
}

extension LogEntry {
  /// A value as JSON text.
  fileprivate func jsonText(_ value: LogValue) -> [UInt8] {
    switch value.kind {
    case .null: return Array("null".utf8)
    case .bool: return Array("\(value.bool)".utf8)
    case .int: return Array("\(value.int)".utf8)
    case .double: return Array("\(value.double)".utf8)
    case .string, .bytes: return quoted(value.range)
    case .list, .map:
      let isMap = value.kind == .map
      var text: [UInt8] = []
      if let chain = value.chain {
        forEach(in: chain) { key, element in
          if !text.isEmpty { text.append(UInt8(ascii: ",")) }
          if isMap { text += quoted(key) + [UInt8(ascii: ":")] }
          text += jsonText(element)
        }
      }
      return [UInt8(ascii: isMap ? "{" : "[")] + text + [UInt8(ascii: isMap ? "}" : "]")]
    }
  }

  private func quoted(_ range: WireRange) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for byte in arena[range.range] {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
      text.append(byte)
    }
    return text + [UInt8(ascii: "\"")]
  }
}
