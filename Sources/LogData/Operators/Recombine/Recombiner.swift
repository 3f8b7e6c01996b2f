internal import ConfigSchema
internal import WireFormat

/// Joins consecutive entries of one source into one.
///
/// Follows the Collector, with three differences: entries without a source identifier are kept apart by where they were
/// read, an entry without the field to join is an error for `on_error` instead of vanishing, and what is held is bounded.
final class Recombiner: HoldingLogOperator {
  /// When the texts of all series are larger than this in bytes, all series end.
  static let mostHeld = 64 << 20

  private let config: RecombineConfig
  private let field: FieldPath
  private let expression: Expression?
  private let separator: [UInt8]
  private let period: UInt64
  private let environment: ExpressionEnvironment
  private var sources: SeriesTable
  /// Bytes of the texts of all series.
  private var held = 0

  init(_ config: RecombineConfig, _ environment: ExpressionEnvironment) {
    self.config = config
    self.environment = environment
    field = config.combineField ?? FieldPath(.body)
    expression = (config.isFirstEntry ?? config.isLastEntry)?.expression
    separator = Array(config.combineWith.utf8)
    let (seconds, attoseconds) = config.forceFlushPeriod.components
    // A duration of the settings is 2⁶³ nanoseconds at most.
    period = UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
    sources = SeriesTable(spare: config.maxSources)
  }

  func process(
    _ entry: inout LogEntry, now: UInt64, emit: (inout LogEntry) -> Void
  ) throws(LogOperatorError) -> LogVerdict {
    guard let expression else { return .pass }
    let matches = try expression.isTrue(&entry, environment)
    let series = sources.series(of: entry, by: config.sourceIdentifier)
    let isFirst = matches && config.isFirstEntry != nil
    if isFirst { finish(series, emit) }
    guard let value = entry.value(at: field) else { throw LogOperatorError.missing(field) }
    guard value.isText else {
      throw LogOperatorError("\(field) is \(value.kind.noun), not a string")
    }
    if series.count == 0, sources.openCount >= config.maxSources { flush(emit: emit) }
    let before = series.size
    add(&entry, value.range, to: series, matches, now)
    held += series.size - before
    if matches && !isFirst || isFull(series) { finish(series, emit) }
    if held > Self.mostHeld { flush(emit: emit) }
    return .hold
  }

  private func add(
    _ entry: inout LogEntry, _ text: WireRange, to series: Series, _ matches: Bool, _ now: UInt64
  ) {
    series.hold(entry.source)
    if matches { series.hasMatched = true }
    if series.count == 0 {
      sources.openCount += 1
      series.due = now.addingReportingOverflow(period).overflow ? .max : now + period
      series.size = text.count
      series.count = 1
      // The entry that came before is what the caller gets back: its memory is used again.
      swap(&series.base, &entry)
      return
    }
    // While a series has one entry, its text stands in that entry alone.
    if series.count == 1 { series.begin(from: field) }
    series.join(entry.text(text), with: separator)
    series.count += 1
    if config.overwriteWith == .newest { swap(&series.base, &entry) }
  }

  private func isFull(_ series: Series) -> Bool {
    if series.count == 0 { return false }
    if config.maxLogSize.bytes > 0, series.size > config.maxLogSize.bytes { return true }
    if config.maxBatchSize > 0, series.count >= config.maxBatchSize { return true }
    return !series.hasMatched && config.maxUnmatchedBatchSize > 0
      && series.count >= config.maxUnmatchedBatchSize
  }

  /// Lets a series go; nothing happens when it is empty.
  private func finish(_ series: Series, _ emit: (inout LogEntry) -> Void) {
    if series.count == 0 { return }
    sources.openCount -= 1
    held -= series.size
    series.finish(field)
    emit(&series.base)
    series.clear()
  }

  func expire(now: UInt64, emit: (inout LogEntry) -> Void) {
    for series in sources.all where series.count > 0 && series.due <= now { finish(series, emit) }
  }

  func flush(emit: (inout LogEntry) -> Void) { for series in sources.all { finish(series, emit) } }

  func oldestHeld(stream: Int) -> UInt64? {
    var oldest: UInt64?
    for series in sources.all where series.count > 0 {
      if let start = series.start(of: stream) { oldest = min(oldest ?? start, start) }
    }
    return oldest
  }

  var nextDue: UInt64? {
    var next: UInt64?
    if sources.openCount == 0 { return nil }
    for series in sources.all where series.count > 0 { next = min(next ?? series.due, series.due) }
    return next
  }

  var heldBytes: Int { sources.all.reduce(0) { $0 + $1.heldBytes } }
}
