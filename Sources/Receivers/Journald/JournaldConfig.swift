package import ConfigSchema
package import PipelineKit

/// The settings of the `journald` receiver.
package struct JournaldConfig: ConfigGroup {
  package enum Start: String, ConfigEnum { case beginning, end }

  package var directory = ""
  package var files: [String] = []
  package var startAt = Start.end
  package var units: [String] = []
  package var identifiers: [String] = []
  package var matches: [ConfigMap<String>] = []
  package var priority = "info"
  package var grep = ""
  package var dmesg = false
  package var namespace = ""
  package var all = false
  package var merge = false
  package var convertMessageBytes = false
  package var convertToSemanticConventions = false
  package var journalctlPath = "journalctl"
  package var rootPath = ""
  package var storage: ExtensionReference<StorageRole>?
  package var input = LogInputConfig()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "directory", \.directory, "The directory of journal files to read; the system's own when left out."),
    Field("files", \.files, "Journal files to read instead; `*` and `?` stand for others."),
    Field(
      "start_at", \.startAt,
      "Whether a first start reads what is in the journal already. `end` reads new entries only, while the Collector repeats the last ten."
    ),
    Field("units", \.units, "Entries of these units of systemd."),
    Field("identifiers", \.identifiers, "Entries with these syslog identifiers."),
    Field(
      "matches", \.matches,
      "Entries whose fields have the values of one of these maps, such as `_SYSTEMD_UNIT: ssh.service`.",
      check: .custom(problemOfMatches)),
    Field(
      "priority", \.priority, "The least important entries that are read, or a range such as `emerg..err`.",
      check: .custom(problemOfPriority)),
    Field("grep", \.grep, "Entries whose message matches this regular expression of PCRE2."),
    Field("dmesg", \.dmesg, "Messages of the kernel since the last boot."),
    Field("namespace", \.namespace, "The namespace of the journal; `*` for all."),
    Field("all", \.all, "Whole fields, even when they are very long or not printable."),
    Field("merge", \.merge, "Entries of all journals there are, those of other machines too."),
    Field(
      "convert_message_bytes", \.convertMessageBytes,
      "Make text of messages that are not printable, which journalctl shows as lists of numbers."),
    Field(
      "convert_to_semantic_conventions", \.convertToSemanticConventions,
      "Make the message the body, set the severity, and name fields as OpenTelemetry does; otherwise all fields are the body."
    ),
    Field(
      "journalctl_path", \.journalctlPath, "The program, looked for along PATH unless it is a path.",
      check: .nonEmpty),
    Field("root_path", \.rootPath, "A directory that is the root for journalctl, as chroot(8) does it."),
    Field(
      "storage", \.storage,
      "The storage extension that keeps how far the journal has been read; absent: a restart begins anew at `start_at`."
    ),
    .group(\.input),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !directory.isEmpty, !files.isEmpty {
      checker.error(\.files, "directory is set too", help: "keep one of the two")
    }
    if storage == nil {
      checker.note(
        \.storage, "without storage a restart begins anew at start_at, and loses or repeats entries",
        help: "name a file_storage extension")
    }
  }

  private static let priorities = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
  ]

  @Sendable private static func problemOfPriority(_ text: String) -> String? {
    let ends = text.split(separator: "..", omittingEmptySubsequences: false).map(String.init)
    let isKnown = { (end: String) in
      priorities.contains(end) || end.utf8.count == 1 && ("0"..."7").contains(end)
    }
    if (1...2).contains(ends.count), ends.allSatisfy(isKnown) { return nil }
    return "must be one of \(priorities.joined(separator: ", ")), 0 to 7, or a range such as emerg..err"
  }

  @Sendable private static func problemOfMatches(_ matches: [ConfigMap<String>]) -> String? {
    for match in matches {
      if match.isEmpty { return "has an empty map, which says nothing" }
      for entry in match {
        let isName = entry.key.utf8.allSatisfy {
          (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        if entry.key.isEmpty || !isName {
          return "\"\(entry.key)\" is no field of the journal: those have capital letters, digits and _"
        }
      }
    }
    return nil
  }

  /// What journalctl is called with.
  ///
  /// - Parameter cursor: the last entry that has been read; nil at a first start.
  func arguments(after cursor: String?) -> [String] {
    var arguments = rootPath.isEmpty ? [] : ["chroot", rootPath]
    arguments += [journalctlPath, "--utc", "--output=json", "--follow"]
    if let cursor {
      // Older versions show the last ten entries behind the cursor only, unless told otherwise.
      arguments += ["--no-tail", "--after-cursor", cursor]
    } else {
      arguments.append(startAt == .beginning ? "--no-tail" : "--lines=0")
    }
    for unit in units { arguments += ["--unit", unit] }
    for identifier in identifiers { arguments += ["--identifier", identifier] }
    arguments += ["--priority", priority]
    if !grep.isEmpty { arguments += ["--grep", grep] }
    if dmesg { arguments.append("--dmesg") }
    if !namespace.isEmpty { arguments += ["--namespace", namespace] }
    if !directory.isEmpty {
      arguments += ["--directory", directory]
    } else {
      for file in files { arguments += ["--file", file] }
    }
    if all { arguments.append("--all") }
    if merge { arguments.append("--merge") }
    for (position, match) in matches.enumerated() {
      if position > 0 { arguments.append("+") }
      arguments += match.map { "\($0.key)=\($0.value)" }.sorted()
    }
    return arguments
  }
}
