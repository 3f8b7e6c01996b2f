package import ConfigSchema

/// The settings of the `file` exporter.
package struct FileExporterConfig: ConfigGroup {
  package var path = ""
  package var append = false
  package var rotation: Rotation?
  package var format: Format = .json
  package var compression: Compression = .none
  package var compressionParams = CompressionParams()
  package var flushInterval: Duration = .seconds(1)
  package var groupBy = GroupBy()
  package var createDirectory = false
  package var directoryPermissions = "0755"
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "path", \.path, "The file to write, relative to the working directory.", check: .nonEmpty,
      required: true),
    Field("append", \.append, "Keep what the file holds already, instead of starting it anew."),
    Field(
      "rotation", \.rotation,
      "Rename the file when it is full and start a new one. What the file holds at the start is kept."),
    Field(
      "format", \.format,
      "`json` writes one line per batch, `proto` a 4-byte big-endian length and the protobuf message."),
    Field(
      "compression", \.compression,
      "Compress each message on its own; each then follows its 4-byte big-endian length, whatever the format."
    ),
    Field("compression_params", \.compressionParams, "How hard to compress."),
    Field(
      "flush_interval", \.flushInterval,
      "How long written data may take to reach the disk itself. Every batch is handed to the operating "
        + "system before its sender is answered; this is about power cuts. 0 leaves it to the system.",
      check: .atLeast(.zero)),
    Field("group_by", \.groupBy, "Write a file of its own for each value of a resource attribute."),
    Field("create_directory", \.createDirectory, "Create the directory of `path` when it is missing."),
    Field(
      "directory_permissions", \.directoryPermissions,
      "Permissions of directories that are created, in octal.",
      check: .custom { text in
        permissions(text) == nil ? "must be octal permissions such as \"0755\", is \"\(text)\"" : nil
      }),
    .unsupported("encoding", "encoding extensions are not part of this version; use format: json or proto"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if append, rotation != nil {
      checker.error(
        \.append, "cannot be combined with rotation",
        help: "leave out append: with rotation the file is continued in any case")
    }
    if append, compression != .none {
      checker.error(\.append, "cannot be combined with compression", help: "leave out one of the two")
    }
    guard groupBy.enabled else { return }
    let stars = path.utf8.count { $0 == UInt8(ascii: "*") }
    if stars != 1 {
      checker.error(
        \.path, "must contain exactly one * when group_by is enabled, has \(stars)",
        help: "write the * where the value of \(groupBy.resourceAttribute) belongs, such as ./out/*.json")
    } else if path.hasPrefix("*") {
      checker.error(\.path, "must not start with * when group_by is enabled", help: "write ./\(path)")
    }
  }

  /// The mode bits that octal text stands for.
  package static func permissions(_ text: String) -> UInt32? {
    guard let bits = UInt32(text, radix: 8), bits <= 0o7777 else { return nil }
    return bits
  }

  /// How batches are written.
  package enum Format: String, ConfigEnum { case json, proto }

  /// How messages are compressed.
  package enum Compression: String, ConfigEnum {
    case none = ""
    case zstd

    package static let alternatives: [String: Self] = ["none": .none]
  }

  /// `compression_params`.
  package struct CompressionParams: ConfigGroup {
    package var level = 3
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "level", \.level, "zstd level: 1 is fastest, 11 smallest; 0 is the default.",
        check: .oneOf(0, 1, 3, 6, 11))
    ]
  }

  /// `rotation`: when to start a new file, and which old ones to keep.
  package struct Rotation: ConfigGroup {
    package var maxMegabytes = 100
    package var maxDays = 0
    package var maxBackups = 100
    package var localtime = false
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "max_megabytes", \.maxMegabytes, "Rotate before the file grows beyond this, in MiB.",
        check: .range(1...1_048_576)),
      Field(
        "max_days", \.maxDays, "Remove renamed files whose name says they are older; 0 keeps them.",
        check: .range(0...36_500)),
      Field(
        "max_backups", \.maxBackups, "Keep at most this many renamed files; 0 keeps all.",
        check: .atLeast(0)),
      Field("localtime", \.localtime, "Name files by local time instead of UTC."),
    ]
  }

  /// `group_by`: a file for each value of a resource attribute.
  package struct GroupBy: ConfigGroup {
    package var enabled = false
    package var resourceAttribute = "fileexporter.path_segment"
    package var maxOpenFiles = 100
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("enabled", \.enabled, "Whether to group. Files are then always continued, never started anew."),
      Field(
        "resource_attribute", \.resourceAttribute,
        "The string attribute whose value replaces the * in `path`; resources without are rejected.",
        check: .nonEmpty),
      Field(
        "max_open_files", \.maxOpenFiles,
        "Files open at the same time; the one not used for longest is closed.",
        check: .range(1...100_000)),
    ]
  }
}
