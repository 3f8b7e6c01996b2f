internal import ConfigSchema
internal import LogData
internal import PipelineKit
internal import WireFormat

/// What the settings mean to a ``Tailer``.
struct TailSettings: Sendable {
  let finder: FileFinder
  let framing: LineFraming
  let config: FileLogConfig
  var retry: FileLogRetry { config.retry }
  var fingerprintSize: Int { config.fingerprintSize.bytes }

  /// - Throws: for patterns that a check of the settings would have refused.
  init(_ config: FileLogConfig) throws(GlobPattern.Problem) {
    self.config = config
    var include: [GlobPattern] = []
    for text in config.include { include.append(try GlobPattern(text)) }
    var exclude: [GlobPattern] = []
    for text in config.exclude { exclude.append(try GlobPattern(text)) }
    finder = FileFinder(include: include, exclude: exclude)
    framing = LineFraming(
      limit: config.maxLogSize.bytes, oversize: config.maxLogSizeBehavior == .split ? .split : .truncate,
      trimsLeading: !config.preserveLeadingWhitespaces, trimsTrailing: !config.preserveTrailingWhitespaces,
      flushPeriod: UInt64(clamping: config.forceFlushPeriod.wholeNanoseconds))
  }

  /// What records of a file say about it, as `LogRecord.attributes` fields.
  func attributes(of path: String) -> [UInt8] {
    var pairs: [(key: String, value: String)] = []
    if config.includeFileName { pairs.append(("log.file.name", String(FileFinder.name(of: path)))) }
    if config.includeFilePath { pairs.append(("log.file.path", path)) }
    var writer = WireWriter(capacity: 128)
    for (key, value) in pairs {
      writer.message(6) { pair in
        pair.stringField(1, key)
        pair.message(2) { $0.stringField(1, value) }
      }
    }
    return writer.finish()
  }
}
