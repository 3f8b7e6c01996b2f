internal import ConfigSchema
internal import LogData
internal import PipelineKit

/// What the settings mean to a ``Tailer``.
struct TailSettings: Sendable {
  let finder: FileFinder
  let framing: LineFraming
  let config: FileLogConfig
  /// Which of the files that were found are read; nil for all.
  let ordering: FileOrdering?
  var retry: LogRetryConfig { config.input.retry }
  var fingerprintSize: Int { config.fingerprintSize.bytes }

  init(_ config: FileLogConfig) {
    self.config = config
    finder = FileFinder(include: config.include, exclude: config.exclude)
    framing = config.lines.makeFraming(
      limit: config.maxLogSize.bytes, oversize: config.maxLogSizeBehavior,
      flushPeriod: config.forceFlushPeriod)
    ordering = config.ordering.map { FileOrdering($0) }
  }
}
