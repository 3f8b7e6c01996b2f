internal import ConfigSchema

/// Which file systems change without the kernel knowing: those of other machines and of other kernels.
struct RemoteDevices: Sendable {
  private var devices: Set<UInt64> = []

  private static let types: Set<String> = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "coda", "lustre", "gpfs",
    "glusterfs",
    "vboxsf", "ncpfs", "ocfs2", "gfs2", "beegfs",
  ]

  /// Knows of none.
  init() {}

  /// Those that are mounted now, of a text such as `/proc/self/mountinfo`.
  init(mounts text: String) {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
      let type = fields[dash + 1]
      guard Self.types.contains(String(type)) || type == "fuse" || type.hasPrefix("fuse.") else { continue }
      let numbers = fields[2].split(separator: ":").compactMap { UInt64($0) }
      if numbers.count == 2 { devices.insert(Self.device(major: numbers[0], minor: numbers[1])) }
    }
  }

  /// Those that are mounted now.
  static func mounted() -> RemoteDevices {
    guard case .success(let text) = ConfigEnvironment.process.file("/proc/self/mountinfo") else {
      return RemoteDevices()
    }
    return RemoteDevices(mounts: text)
  }

  var isEmpty: Bool { devices.isEmpty }

  func isRemote(_ device: UInt64) -> Bool { devices.contains(device) }

  /// The number that `stat` gives, as glibc puts it together.
  static func device(major: UInt64, minor: UInt64) -> UInt64 {
    (major & 0xFFF) << 8 | (major & ~0xFFF) << 32 | minor & 0xFF | (minor & ~0xFF) << 12
  }
}
