package import ConfigSchema
package import WireFormat

/// The keys that say what records tell about the file they come from.
package struct FileAttributesConfig: ConfigGroup {
  package var includeFileName = true
  package var includeFilePath = false
  package var includeFileNameResolved = false
  package var includeFilePathResolved = false
  package var includeFileOwnerName = false
  package var includeFileOwnerGroupName = false
  package var includeFilePermissions = false
  package var includeFileRecordNumber = false
  package var includeFileRecordOffset = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("include_file_name", \.includeFileName, "Add the file's name as `log.file.name`."),
    Field("include_file_path", \.includeFilePath, "Add the file's path as `log.file.path`."),
    Field(
      "include_file_name_resolved", \.includeFileNameResolved,
      "Add the name that symbolic links lead to as `log.file.name_resolved`."),
    Field(
      "include_file_path_resolved", \.includeFilePathResolved,
      "Add the path that symbolic links lead to as `log.file.path_resolved`."),
    Field(
      "include_file_owner_name", \.includeFileOwnerName,
      "Add the name of the file's owner as `log.file.owner.name`, or the number of one without a name."),
    Field(
      "include_file_owner_group_name", \.includeFileOwnerGroupName,
      "Add the name of the file's group as `log.file.owner.group.name`, or the number of one without a name."),
    Field(
      "include_file_permissions", \.includeFilePermissions,
      "Add the file's permissions as `log.file.permissions`, three octal digits such as `640`."),
    Field(
      "include_file_record_number", \.includeFileRecordNumber,
      "Add the number of the record in its file, from 1, as `log.file.record_number`."),
    Field(
      "include_file_record_offset", \.includeFileRecordOffset,
      "Add the bytes before the record in its file as `log.file.record_offset`."),
  ]
}

/// What is known about a file besides its contents.
package struct FileFacts: Sendable, Hashable {
  /// The path by which it was found.
  package var path: String
  package var owner: UInt32
  package var group: UInt32
  /// The mode, of which the last nine bits count.
  package var permissions: UInt32

  package init(path: String, owner: UInt32 = 0, group: UInt32 = 0, permissions: UInt32 = 0) {
    self.path = path
    self.owner = owner
    self.group = group
    self.permissions = permissions
  }
}

extension FileAttributesConfig {
  /// Adds the attributes that all records of a file have, under the Collector's names.
  ///
  /// May ask the disk and a directory service: not for event loops. A link that leads nowhere gives no resolved names.
  package func add(_ facts: FileFacts, to entry: inout LogEntry) {
    if includeFileName { Self.add("log.file.name", Self.lastPart(of: facts.path), to: &entry) }
    if includeFilePath { Self.add("log.file.path", facts.path, to: &entry) }
    if includeFileNameResolved || includeFilePathResolved, let resolved = FileNames.resolved(facts.path) {
      if includeFileNameResolved {
        Self.add("log.file.name_resolved", Self.lastPart(of: resolved), to: &entry)
      }
      if includeFilePathResolved { Self.add("log.file.path_resolved", resolved, to: &entry) }
    }
    if includeFileOwnerName { Self.add("log.file.owner.name", FileNames.user(facts.owner), to: &entry) }
    if includeFileOwnerGroupName {
      Self.add("log.file.owner.group.name", FileNames.group(facts.group), to: &entry)
    }
    if includeFilePermissions {
      let digits = String(facts.permissions & 0o777, radix: 8)
      Self.add(
        "log.file.permissions", String(repeating: "0", count: 3 - digits.utf8.count) + digits, to: &entry)
    }
  }

  private static func add(_ key: String, _ value: String, to entry: inout LogEntry) {
    let value = entry.string(value)
    entry.set(entry.add(key), to: value, in: .attributes)
  }

  private static func lastPart(of path: String) -> String {
    path.split(separator: "/").last.map { String($0) } ?? path
  }

  /// Whether records have attributes of their own.
  package var differsByRecord: Bool { includeFileRecordNumber || includeFileRecordOffset }

  /// Adds the attributes of one record.
  ///
  /// - Parameters:
  ///   - number: from 1; records without text count too.
  ///   - offset: bytes of the stream before the record.
  package func add(number: UInt64, offset: UInt64, to entry: inout LogEntry) {
    if includeFileRecordNumber {
      entry.set(
        entry.add(Self.recordNumber), to: .int(Int64(clamping: number)), in: .attributes)
    }
    if includeFileRecordOffset {
      entry.set(entry.add(Self.recordOffset), to: .int(Int64(clamping: offset)), in: .attributes)
    }
  }

  /// Writes the attributes of one record as fields of `LogRecord`.
  package func write(number: UInt64, offset: UInt64, to writer: inout WireWriter) {
    if includeFileRecordNumber { Self.write(Self.recordNumber, number, to: &writer) }
    if includeFileRecordOffset { Self.write(Self.recordOffset, offset, to: &writer) }
  }

  private static let recordNumber = "log.file.record_number"
  private static let recordOffset = "log.file.record_offset"

  private static func write(_ key: String, _ number: UInt64, to writer: inout WireWriter) {
    let attribute = writer.beginMessage(6)
    writer.stringField(1, key)
    let value = writer.beginMessage(2)
    writer.intField(3, Int64(clamping: number))
    writer.endMessage(value)
    writer.endMessage(attribute)
  }
}
