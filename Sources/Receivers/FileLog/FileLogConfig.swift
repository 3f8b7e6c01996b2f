package import ConfigSchema
package import LogData
package import PipelineKit

/// The settings of the `file_log` receiver.
package struct FileLogConfig: ConfigGroup {
  package enum Start: String, ConfigEnum { case beginning, end }
  package enum Truncation: String, ConfigEnum {
    case ignore
    case readWholeFile = "read_whole_file"
    case readNew = "read_new"
  }

  package var include: [GlobPattern] = []
  package var exclude: [GlobPattern] = []
  package var excludeOlderThan: Duration?
  package var ordering: OrderingCriteria?
  package var startAt = Start.end
  package var pollInterval: Duration = .milliseconds(200)
  package var maxConcurrentFiles = 1024
  package var fingerprintSize: ByteCount = 1000
  package var lines = LineConfig()
  package var maxLogSize: ByteCount = .mebibytes(1)
  package var maxLogSizeBehavior = LineFraming.Oversize.split
  package var forceFlushPeriod: Duration = .milliseconds(500)
  package var fileAttributes = FileAttributesConfig()
  package var header: HeaderConfig?
  package var compression = FileCompression.none
  package var onTruncate = Truncation.readWholeFile
  package var deleteAfterRead = false
  package var acquireFSLock = false
  package var input = LogInputConfig()
  package var storage: ExtensionReference<StorageRole>?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "include", \.include,
      "The files to read: paths in which `*`, `?`, `[…]`, `{…,…}` and `**` stand for others.",
      check: .nonEmpty, required: true),
    Field("exclude", \.exclude, "Those of them that are not read."),
    Field(
      "exclude_older_than", \.excludeOlderThan,
      "Files that were written to last before this time are not read.",
      check: .atLeast(.zero)),
    Field(
      "ordering_criteria", \.ordering, "Which of the files that were found are read, and in which order."),
    Field(
      "start_at", \.startAt,
      "Where reading begins in files that are there at the first start; all others are read from their beginning."
    ),
    Field(
      "poll_interval", \.pollInterval,
      "How often files that are being written to are read, and how often the rest is looked at where the kernel does "
        + "not tell of changes.", check: .atLeast(.milliseconds(1))),
    Field(
      "max_concurrent_files", \.maxConcurrentFiles,
      "How many files are read by turns; those behind them wait until one of them has been read to its end. Files in "
        + "which nothing happens do not count and stay open, so that nothing written to them can be missed.",
      check: .atLeast(2)),
    .accepted("max_batches", "files are read as fast as what follows takes their records"),
    Field(
      "fingerprint_size", \.fingerprintSize,
      "How many of a file's first bytes tell it from others, beside its device and inode.",
      check: .range(16 ... .mebibytes(16))),
    .group(\.lines),
    Field("max_log_size", \.maxLogSize, "The most bytes of one record.", check: .atLeast(1)),
    Field("max_log_size_behavior", \.maxLogSizeBehavior, "What becomes of a longer one."),
    Field(
      "force_flush_period", \.forceFlushPeriod,
      "After this time without new bytes an incomplete record at the end of a file is taken as it is; 0 waits for its "
        + "end.", check: .atLeast(.zero)),
    .group(\.fileAttributes),
    Field(
      "header", \.header,
      "Lines at the beginning of files that say something about all of their records; needs `start_at: beginning`."
    ),
    Field(
      "compression", \.compression,
      "Whether files are decompressed: none, all of them (`gzip`), or those that begin as gzip files do (`auto`). What "
        + "was read before a file was compressed is not read again."),
    Field(
      "on_truncate", \.onTruncate,
      "Where reading goes on in a file that begins as before and has become shorter. The default differs from the "
        + "Collector's `ignore`, which reads nothing until the file is as long as it was."),
    Field(
      "delete_after_read", \.deleteAfterRead,
      "Delete files once all of their records have been accepted; needs `start_at: beginning`."),
    Field(
      "acquire_fs_lock", \.acquireFSLock,
      "Lock files while they are read (`flock`, shared), and leave those alone that others have locked."),
    .group(\.input),
    Field(
      "storage", \.storage,
      "The storage extension that keeps how far files have been read; absent: a restart begins anew at `start_at`."
    ),
    .accepted("initial_buffer_size", "one buffer serves all files"),
    .accepted("file_cache_advise", "pages are read once, and the kernel sees that"),
    .unsupported("polls_to_archive", "what is known of files is kept for days in any case; leave it out"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if startAt == .end, header != nil {
      checker.error(\.header, "needs \"start_at: beginning\"", help: "a header stands before all records")
    }
    if startAt == .end, deleteAfterRead {
      checker.error(
        \.deleteAfterRead, "needs \"start_at: beginning\"",
        help: "files would be deleted whose records were never read")
    }
    if storage == nil {
      checker.note(
        \.storage, "without storage it is not kept how far files have been read",
        help: "name a storage extension such as file_storage, so that a restart goes on where it stopped")
    }
  }
}
