package import ConfigSchema

/// The settings of the `file_storage` extension.
package struct FileStorageConfig: ConfigGroup {
  package var directory = "/var/lib/otelcol/file_storage"
  package var createDirectory = false
  package var directoryPermissions = "0750"
  package var timeout: Duration = .seconds(1)
  package var fsync = false
  package var maxSize: ByteCount = 0
  package var compaction = Compaction()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "directory", \.directory,
      "Where the files are, one database per client. It must exist, unless `create_directory` is set, and belongs "
        + "to one process at a time.", check: .nonEmpty),
    Field("create_directory", \.createDirectory, "Create the directory when it is missing."),
    Field(
      "directory_permissions", \.directoryPermissions,
      "Permissions of directories that are created, in octal.",
      check: .custom { text in
        permissions(text) == nil ? "must be octal permissions such as \"0750\", is \"\(text)\"" : nil
      }),
    Field(
      "timeout", \.timeout, "How long to wait for another process to give up the directory; 0 does not wait.",
      check: .atLeast(.zero)),
    Field(
      "fsync", \.fsync,
      "Sync the disk at every commit, so that what was acknowledged survives a power cut. Without it, it survives the "
        + "end of the process in any form; a power cut may cost the last moments, and never damages the files."
    ),
    Field(
      "max_size", \.maxSize,
      "The most one client's database may take; 0 is no limit. A client that would need more waits for as long as it "
        + "can, and is then refused retryably. A log of at most a quarter of this comes on top."),
    Field("compaction", \.compaction, "When files are made smaller."),
    .accepted("recreate", "a damaged file is always set aside and a new one started with what was readable"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if maxSize.bytes > 0, maxSize < .mebibytes(1) {
      checker.error(\.maxSize, "must be 0 or at least 1MiB, is \(maxSize)")
    }
  }

  /// `compaction`: SQLite uses freed space again, and gives it back to the disk only when it is asked to.
  package struct Compaction: ConfigGroup {
    package var onStart = false
    package var onRebound = true
    package var reboundNeededThresholdMiB = 100
    package var reboundTriggerThresholdMiB = 10
    package init() {}

    /// No file system holds more, and the bytes still fit into 64 bits.
    private static let mostMiB = 1 << 30

    package static let fields: [Field<Self>] = [
      Field("on_start", \.onStart, "Rewrite a file when it is opened and a tenth of it is free."),
      Field(
        "on_rebound", \.onRebound,
        "Shrink a file that was large and has drained. On by default here, off in the Collector."),
      Field(
        "rebound_needed_threshold_mib", \.reboundNeededThresholdMiB,
        "Only files larger than this are shrunk, in MiB.", check: .range(0...mostMiB)),
      Field(
        "rebound_trigger_threshold_mib", \.reboundTriggerThresholdMiB,
        "A file has drained when it holds less than this, in MiB. That much is rewritten at once.",
        check: .range(1...1024)),
      .accepted("directory", "the copy is written beside the file, so that replacing it is one step"),
      .accepted("max_transaction_size", "SQLite compacts in one step"),
      .accepted("check_interval", "whether a file has drained is known at every commit"),
      .accepted("cleanup_on_start", "leftovers are always removed"),
    ]
  }

  /// The mode bits that octal text stands for.
  package static func permissions(_ text: String) -> UInt32? {
    guard let bits = UInt32(text, radix: 8), bits <= 0o7777 else { return nil }
    return bits
  }
}
