internal import ConfigSchema
internal import LogData
internal import TelemetryData
internal import WireFormat

/// What a ``LogLane`` guards: operators, and the batch in the making.
final class LogLaneState {
  /// A batch that is ready, and how many of the stream's records are done with it.
  struct Ready {
    let batch: Batch
    let mark: Int
  }

  /// Bytes and records of a batch that is not made larger.
  private static let batchBytes = 256 << 10
  private static let batchRecords = 8192

  private let graph: OperatorGraph
  private let syslog: ParsingOperator<SyslogParser>?
  private let onSyslogError: OnError
  private let computed: ComputedAttributes
  private let meters: LogInputMeters
  /// Whether records are nothing but lines with what their origin says.
  private let isPlain: Bool
  private var decoder: LineDecoder
  private var writer = LogBatchWriter()
  /// Kept for its memory.
  private var entry = LogEntry()
  private var observed: UInt64 = 0
  /// How many records have been added, or what the reader of a single stream says instead.
  private(set) var position = 0
  private var ready: [Ready] = []
  private var reported: [OperatorCounts]

  init(
    config: LogInputConfig, encoding: TextEncoding, syslog: SyslogStep?,
    context: OperatorContext, meters: LogInputMeters
  ) {
    let graph = OperatorGraph(config.operators, context)
    let computed = ComputedAttributes(config, meters)
    graph.onFailure = { id, error in meters.failed(id, error) }
    self.graph = graph
    self.computed = computed
    self.syslog = syslog.map { ParsingOperator(SyslogParser($0.options), ParserKeys()) }
    self.meters = meters
    decoder = LineDecoder(encoding)
    onSyslogError = syslog?.onError ?? .send
    isPlain = graph.isEmpty && syslog == nil && computed.isEmpty
    reported = graph.counts
  }

  /// Sets the time for what is read next: nanoseconds since the Unix epoch, and on the monotonic clock.
  func begin(now: UInt64, monotonic: UInt64) {
    observed = now
    graph.now = monotonic
  }

  // Records.

  /// Adds a line in the encoding of the receiver; an empty one is none.
  func add(_ line: Span<UInt8>, from origin: borrowing LogOrigin) {
    if line.isEmpty { return }
    switch decoder.decode(line) {
    case .text: add(line, isBytes: false, origin)
    case .bytes: add(line, isBytes: true, origin)
    case .converted:
      let text = decoder.converted
      add(text.span, isBytes: false, origin)
    }
  }

  private func add(_ line: Span<UInt8>, isBytes: Bool, _ origin: borrowing LogOrigin) {
    position += 1
    if isPlain, isBytes == origin.linesAreBytes {
      writer.appendLine(line, observed: observed, in: origin.frame)
    } else {
      entry.replace(with: origin.prototype)
      entry.observedTimestamp = observed
      let range = entry.add(line)
      entry.body = isBytes ? .bytes(range) : .string(range)
      process()
    }
    cutIfFull()
  }

  /// Adds a record that the reader fills in.
  ///
  /// - Parameter fill: returns false when there is none after all.
  func add(from origin: borrowing LogOrigin, _ fill: (inout LogEntry) -> Bool) {
    entry.replace(with: origin.prototype)
    entry.observedTimestamp = observed
    entry.source.start = UInt64(position)
    guard fill(&entry) else { return }
    position += 1
    entry.source.end = UInt64(position)
    process()
    cutIfFull()
  }

  private func process() {
    computed.set(on: &entry)
    if let syslog {
      do throws(LogOperatorError) { _ = try syslog.process(&entry) } catch {
        meters.syslogFailed(error, onSyslogError)
        if !onSyslogError.sends { return }
      }
    }
    Self.process(&entry, graph, &writer)
  }

  private static func process(
    _ entry: inout LogEntry, _ graph: OperatorGraph, _ writer: inout LogBatchWriter
  ) {
    if graph.isEmpty { return writer.append(entry) }
    graph.process(&entry) { writer.append($0) }
  }

  // Batches.

  private func cutIfFull() {
    if writer.byteCount >= Self.batchBytes || writer.recordCount >= Self.batchRecords { cut() }
  }

  /// Ends the batch in the making.
  func cut() {
    meter()
    let mark = graph.oldestHeld(stream: 0).map { Int(clamping: $0) } ?? position
    // Records that operators dropped or hold leave their mark too, with a batch that has none of them.
    ready.append(Ready(batch: writer.isEmpty ? Batch(signal: .logs) : writer.finish(), mark: mark))
  }

  /// The batches that are ready.
  func takeReady() -> [Ready] {
    defer { ready = [] }
    return ready
  }

  /// Lets go what operators have held for as long as they may; when to come back for more.
  func expire(now: UInt64) -> UInt64? {
    Self.expire(now, graph, &writer)
    return graph.nextDue
  }

  private static func expire(_ now: UInt64, _ graph: OperatorGraph, _ writer: inout LogBatchWriter) {
    graph.expire(now: now) { writer.append($0) }
  }

  /// When something that operators hold is due, on the monotonic clock.
  var nextDue: UInt64? { graph.nextDue }

  /// Lets go all that operators hold.
  func release() { Self.release(graph, &writer) }

  private static func release(_ graph: OperatorGraph, _ writer: inout LogBatchWriter) {
    graph.flush { writer.append($0) }
  }

  private func meter() {
    if graph.isEmpty { return }
    let counts = graph.counts
    meters.add(counts, since: reported)
    reported = counts
  }
}
