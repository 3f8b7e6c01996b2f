package import ConfigSchema
package import PipelineKit

/// The settings of the `file_log` receiver.
package struct FileLogConfig: ConfigGroup {
  package enum Start: String, ConfigEnum { case beginning, end }
  package enum Oversize: String, ConfigEnum { case split, truncate }
  package enum Truncation: String, ConfigEnum {
    case ignore
    case readWholeFile = "read_whole_file"
    case readNew = "read_new"
  }

  package var include: [String] = []
  package var exclude: [String] = []
  package var startAt = Start.end
  package var pollInterval: Duration = .milliseconds(200)
  package var maxConcurrentFiles = 1024
  package var fingerprintSize: ByteCount = 1000
  package var maxLogSize: ByteCount = .mebibytes(1)
  package var maxLogSizeBehavior = Oversize.split
  package var forceFlushPeriod: Duration = .milliseconds(500)
  package var preserveLeadingWhitespaces = false
  package var preserveTrailingWhitespaces = false
  package var includeFileName = true
  package var includeFilePath = false
  package var onTruncate = Truncation.readWholeFile
  package var retry = FileLogRetry()
  package var storage: ExtensionReference<StorageRole>?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "include", \.include,
      "The files to read: paths in which `*`, `?`, `[…]`, `{…,…}` and `**` stand for others.",
      check: .all(.nonEmpty, .each(.custom(globProblem))), required: true),
    Field(
      "exclude", \.exclude, "Those of them that are not read.", check: .each(.custom(globProblem))),
    Field(
      "start_at", \.startAt,
      "Where reading begins in files that are there at the first start; all others are read from their beginning."
    ),
    Field(
      "poll_interval", \.pollInterval,
      "How often files that are being written to are read, and how often the rest is looked at where the kernel does "
        + "not tell of changes.", check: .atLeast(.milliseconds(1))),
    Field(
      "fingerprint_size", \.fingerprintSize,
      "How many of a file's first bytes tell it from others, beside its device and inode.",
      check: .atLeast(16)),
    Field(
      "max_log_size", \.maxLogSize, "The most bytes of one record.", check: .atLeast(1)),
    Field("max_log_size_behavior", \.maxLogSizeBehavior, "What becomes of a longer one."),
    Field(
      "force_flush_period", \.forceFlushPeriod,
      "After this time without new bytes an incomplete record at the end of a file is taken as it is; 0 waits for its "
        + "end.", check: .atLeast(.zero)),
    Field("preserve_leading_whitespaces", \.preserveLeadingWhitespaces, "Keep white space before records."),
    Field("preserve_trailing_whitespaces", \.preserveTrailingWhitespaces, "Keep white space behind records."),
    Field("include_file_name", \.includeFileName, "Add the attribute `log.file.name`."),
    Field("include_file_path", \.includeFilePath, "Add the attribute `log.file.path`."),
    Field(
      "on_truncate", \.onTruncate,
      "Where reading goes on in a file that begins as before and has become shorter. The default differs from the "
        + "Collector's `ignore`, which reads nothing until the file is as long as it was."),
    Field("retry_on_failure", \.retry, "How refused records are offered again."),
    Field(
      "storage", \.storage,
      "The storage extension that keeps how far files have been read; absent: a restart begins anew at `start_at`."
    ),
    .accepted("initial_buffer_size", "one buffer serves all files"),
    .accepted("file_cache_advise", "pages are read once, and the kernel sees that"),
  ]

  private static func globProblem(_ text: String) -> String? {
    do {
      _ = try GlobPattern(text)
      return nil
    } catch {
      return "\"\(text)\" \(error)"
    }
  }
}

/// `retry_on_failure` of `file_log`: refusals slow reading down and never lose anything.
package struct FileLogRetry: ConfigGroup {
  package var initialInterval: Duration = .seconds(1)
  package var maxInterval: Duration = .seconds(30)
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "initial_interval", \.initialInterval, "Wait before refused records are offered again.",
      check: .atLeast(.milliseconds(1))),
    Field("max_interval", \.maxInterval, "The longest of these waits.", check: .atLeast(.milliseconds(1))),
    .accepted("enabled", "refused records are always offered again, and reading waits meanwhile"),
    .accepted("max_elapsed_time", "refused records are offered until they are taken"),
  ]
}
