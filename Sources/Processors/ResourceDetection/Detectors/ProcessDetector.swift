internal import NativeCodecs
internal import TelemetryData

/// `process`: the collector's own process.
struct ProcessDetector: ResourceDetector {
  let config: ProcessDetectorConfig
  let surroundings: DetectorSurroundings

  func detect() async throws -> [Attribute] { try await BlockingWork.run { find() } }

  private func find() -> [Attribute] {
    var found = DetectedAttributes(config)
    let status = Self.fields(surroundings.file("/proc/self/status") ?? "")
    if let id = status["Pid"].flatMap({ Int64($0) }) { found.set("process.pid", .int(id)) }
    if let id = status["PPid"].flatMap({ Int64($0) }) { found.set("process.parent_pid", .int(id)) }
    let arguments = (surroundings.file("/proc/self/cmdline") ?? "").split(
      separator: "\0", omittingEmptySubsequences: false
    ).dropLast().map(String.init)
    found.set("process.command", arguments.first)
    found.set("process.command_args", arguments)
    found.set("process.command_line", arguments.joined(separator: " "))
    let path = ProcessEnvironment.executable ?? arguments.first
    found.set("process.executable.path", path)
    found.set("process.executable.name", path.map { String($0.split(separator: "/").last ?? "") })
    if let user = status["Uid"]?.split(separator: "\t").first {
      found.set("process.owner", owner(String(user)) ?? String(user))
    }
    return found.attributes
  }

  /// The lines `name: value` of a file in `/proc`.
  private static func fields(_ text: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let pair = line.split(separator: ":", maxSplits: 1)
      if pair.count == 2 { values[String(pair[0])] = pair[1].trimmingSpaces }
    }
    return values
  }

  /// The name of a user in `/etc/passwd`.
  private func owner(_ id: String) -> String? {
    for line in (surroundings.file("/etc/passwd") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count > 2, parts[2] == id { return String(parts[0]) }
    }
    return nil
  }
}
