internal import ConfigSchema
internal import LogData
internal import PipelineKit
internal import TelemetryData
internal import WireFormat

/// Makes records of lines, takes them through the operators, and gathers them into batches.
///
/// Without operators a line goes from where it was read into the batch, and nowhere else.
final class RecordWriter {
  private let config: FileLogConfig
  private let graph: OperatorGraph
  private let header: HeaderReader?
  private let computed: ComputedAttributes
  private let isPlain: Bool
  private let countsRecords: Bool
  private let meters: LogInputMeters
  private var decoder: LineDecoder
  private var writer = LogBatchWriter()
  /// Kept for its memory.
  private var entry = LogEntry()
  private let none: [UInt8] = []
  private var reported: [OperatorCounts]
  private let linesAreBytes: Bool

  init(_ settings: TailSettings, _ context: ComponentContext) {
    config = settings.config
    meters = LogInputMeters(context)
    let meters = meters
    let operators = meters.operatorContext
    graph = OperatorGraph(config.input.operators, operators)
    header = config.header.map { HeaderReader($0, content: settings.framing, operators) }
    computed = ComputedAttributes(config.input, meters)
    isPlain = graph.isEmpty && computed.isEmpty
    countsRecords = config.fileAttributes.differsByRecord
    decoder = LineDecoder(settings.framing.encoding)
    linesAreBytes = settings.framing.encoding == .bytes
    reported = graph.counts
    graph.onFailure = { id, error in meters.failed(id, error) }
    header?.onFailure = { id, error in meters.failed("header.\(id)", error) }
  }

  var byteCount: Int { writer.byteCount }
  var isEmpty: Bool { writer.isEmpty }

  /// Tells the operators what time it is, in monotonic nanoseconds.
  func begin(_ now: UInt64) { graph.now = now }

  /// Adds a record.
  /// - Parameters:
  ///   - text: of the line, in the encoding of the file.
  ///   - number: of the record in its file, from 1.
  ///   - observed: nanoseconds since the Unix epoch.
  func add(
    _ text: Span<UInt8>, _ line: FramedLine, number: UInt64, of file: TailedFile, _ origin: LogOrigin,
    observed: UInt64
  ) {
    let form = decoder.decode(text)
    if isPlain {
      var own = none
      if countsRecords {
        var attributes = WireWriter(capacity: 128)
        config.fileAttributes.write(number: number, offset: line.start, to: &attributes)
        own = attributes.finish()
      }
      if form == .converted {
        let bytes = decoder.converted
        writer.appendLine(
          bytes.span, isBytes: false, attributes: own.span, observed: observed, in: origin.frame)
      } else {
        writer.appendLine(
          text, isBytes: form == .bytes, attributes: own.span, observed: observed, in: origin.frame)
      }
      return
    }
    entry.replace(with: origin.prototype)
    entry.observedTimestamp = observed
    entry.source.start = line.start
    entry.source.end = line.end
    let range: WireRange
    if form == .converted {
      let bytes = decoder.converted
      range = entry.add(bytes.span)
    } else {
      range = entry.add(text)
    }
    entry.body = form == .bytes ? .bytes(range) : .string(range)
    if countsRecords { config.fileAttributes.add(number: number, offset: line.start, to: &entry) }
    computed.set(on: &entry)
    if graph.isEmpty { return writer.append(entry) }
    Self.process(&entry, graph, &writer)
  }

  // What the closures change must be told apart from what the graph is.
  private static func process(
    _ entry: inout LogEntry, _ graph: OperatorGraph, _ writer: inout LogBatchWriter
  ) {
    graph.process(&entry) { writer.append($0) }
  }
  private static func expire(_ now: UInt64, _ graph: OperatorGraph, _ writer: inout LogBatchWriter) {
    graph.expire(now: now) { writer.append($0) }
  }
  private static func flush(_ graph: OperatorGraph, _ writer: inout LogBatchWriter) {
    graph.flush { writer.append($0) }
  }

  /// The batch of all records since the last one; nil when there are none.
  func finish() -> Batch? {
    if !graph.isEmpty {
      let counts = graph.counts
      meters.add(counts, since: reported)
      reported = counts
    }
    return writer.isEmpty ? nil : writer.finish()
  }

  // What operators hold back.

  /// Whether operators may hold records back.
  var mayHold: Bool { !graph.isEmpty }
  /// Where the first record of a file begins that some operator holds; nil when none is held.
  func oldestHeld(of file: TailedFile) -> UInt64? {
    graph.isEmpty ? nil : graph.oldestHeld(stream: Int(truncatingIfNeeded: file.serial))
  }
  /// When something has been held for as long as it may be, in monotonic nanoseconds.
  var nextDue: UInt64? { graph.isEmpty ? nil : graph.nextDue }
  /// Lets go what has been held for as long as it may be.
  func expire(_ now: UInt64) { Self.expire(now, graph, &writer) }
  /// Lets go all that is held.
  func flush() { Self.flush(graph, &writer) }

  // What records of a file have in common.

  /// What all records of a file have; nil while its header is not complete.
  func origin(of file: TailedFile, _ content: FileContent) throws(FileError) -> LogOrigin? {
    var attributes = LogEntry()
    if let header {
      guard let end = try readHeader(header, content, &attributes) else { return nil }
      if file.framer.offset < end {
        let trail = try content.print(Int(min(end, UInt64(Tailer.trailSize))), endingAt: end)
        file.move(to: FilePosition(offset: end, trail: trail ?? .none), file.framer.framing)
      }
    }
    let status = try content.status()
    return LogOrigin(
      config.input, stream: Int(truncatingIfNeeded: file.serial), linesAreBytes: linesAreBytes
    ) { entry in
      let facts = FileFacts(
        path: file.path, owner: status.owner, group: status.group, permissions: status.permissions)
      config.fileAttributes.add(facts, to: &entry)
      attributes.forEach(in: .attributes) { key, value in
        let copy = entry.copy(value, from: attributes)
        entry.set(entry.add(attributes.text(key)), to: copy, in: .attributes)
      }
    }
  }

  /// How long a header may be.
  private static let longestHeader = 4 << 20

  /// Reads the header of a file into `attributes`; where the records begin, or nil when it is not all there.
  private func readHeader(
    _ header: HeaderReader, _ content: FileContent, _ attributes: inout LogEntry
  ) throws(FileError) -> UInt64? {
    var size = 64 << 10
    while true {
      var bytes = [UInt8](repeating: 0, count: size)
      let count = try content.read(size, at: 0, into: &bytes)
      var cursor = 0
      var framer = header.makeFramer()
      attributes.reset()
      let input: LineFramer.Input = count < size ? .idle(now: 0) : .flowing
      let start = header.read(
        bytes.span.extracting(0..<count), at: &cursor, input, framer: &framer, into: &attributes)
      if let start { return start }
      if count < size { return nil }
      if size >= Self.longestHeader { return UInt64(cursor) }
      size *= 2
    }
  }
}
