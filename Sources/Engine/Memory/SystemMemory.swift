import Glibc
package import PipelineKit

/// The memory of this process as Linux tells it.
package struct SystemMemory: MemorySource {
  private let root: String
  private let freed: @Sendable () -> Void

  /// - Parameters:
  ///   - root: put before every path; empty outside of tests.
  ///   - giveBack: gives memory that was freed back to the system.
  package init(root: String = "", giveBack: @escaping @Sendable () -> Void) {
    self.root = root
    freed = giveBack
  }

  package func capacity() -> MemoryCapacity {
    let group = CgroupMemory(root: root).limit()
    let machine = machineBytes().map { MemoryCapacity(bytes: $0, origin: "machine") }
    return [group, machine].compactMap { $0 }.min { ($0.bytes ?? .max) < ($1.bytes ?? .max) }
      ?? MemoryCapacity(bytes: nil, origin: "unknown")
  }

  /// `MemTotal` of `/proc/meminfo`.
  private func machineBytes() -> Int? {
    let lines = FileText.read(root + "/proc/meminfo")?.split(separator: "\n") ?? []
    guard let line = lines.first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
    let fields = line.split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 << 10 } : nil
  }

  /// The second field of `/proc/self/statm`, in pages.
  package func residentBytes() -> Int? {
    let fields = FileText.read(root + "/proc/self/statm")?.split(separator: " ") ?? []
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  package func giveBack() { freed() }
}
