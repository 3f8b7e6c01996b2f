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

  /// - Throws: for patterns that a check of the settings would have refused.
  init(_ config: FileLogConfig) throws(GlobPattern.Problem) {
    self.config = config
    var include: [GlobPattern] = []
    for text in config.include { include.append(try GlobPattern(text)) }
    var exclude: [GlobPattern] = []
    for text in config.exclude { exclude.append(try GlobPattern(text)) }
    finder = FileFinder(include: include, exclude: exclude)
    framing = config.lines.makeFraming(
      limit: config.maxLogSize.bytes, oversize: config.maxLogSizeBehavior,
      flushPeriod: config.forceFlushPeriod)
    ordering = config.ordering.map { FileOrdering($0) }
  }
}
