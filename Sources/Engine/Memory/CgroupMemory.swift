package import PipelineKit

/// The memory limit of the control group that a process is in.
///
/// Source: the kernel's documentation of control groups, "Memory" of version 2 and "Memory Resource Controller" of version
/// 1. A limit anywhere on the way up to the root binds, so the least one counts. In a container without a namespace of
/// its own for control groups, the path in `/proc/self/cgroup` does not exist below the mount: the mount itself is then
/// the group.
package struct CgroupMemory {
  /// Put before every path; empty outside of tests.
  let root: String

  package init(root: String = "") { self.root = root }

  /// The least limit found; nil when there is none.
  package func limit() -> MemoryCapacity? {
    guard let groups = FileText.read(root + "/proc/self/cgroup") else { return nil }
    var found: [MemoryCapacity] = []
    for line in groups.split(separator: "\n") {
      // hierarchy:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      if parts[1].isEmpty {
        for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
          found += least("cgroup v2", mount, String(parts[2]), file: "memory.max").map { [$0] } ?? []
        }
      } else if controllers.contains("memory") {
        found +=
          least("cgroup v1", "/sys/fs/cgroup/memory", String(parts[2]), file: "memory.limit_in_bytes")
          .map { [$0] } ?? []
      }
    }
    return found.min { ($0.bytes ?? .max) < ($1.bytes ?? .max) }
  }

  /// The least limit from the group up to the mount.
  private func least(_ version: String, _ mount: String, _ path: String, file: String) -> MemoryCapacity? {
    var names = path.split(separator: "/").filter { $0 != ".." }
    var found: MemoryCapacity?
    while true {
      let group = names.map { "/" + $0 }.joined()
      if let bytes = Self.bytes(FileText.read(root + mount + group + "/" + file)),
        bytes < found?.bytes ?? .max
      {
        found = MemoryCapacity(bytes: bytes, origin: "\(version) \(group.isEmpty ? "/" : group)")
      }
      if names.isEmpty { return found }
      names.removeLast()
    }
  }

  /// The number in a limit file; nil for none: `max`, or the page-aligned largest number of version 1.
  private static func bytes(_ text: String?) -> Int? {
    guard let word = text?.split(whereSeparator: \.isWhitespace).first, let number = UInt64(word) else {
      return nil
    }
    return number > 1 << 60 ? nil : Int(number)
  }
}
