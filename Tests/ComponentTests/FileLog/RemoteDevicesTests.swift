import Foundation
import Testing

@testable import Receivers

@Suite struct RemoteDevicesTests {
  private static let mounts = """
    22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw
    23 22 0:21 / /proc rw,nosuid shared:12 - proc proc rw
    90 22 0:45 / /mnt/logs rw,relatime shared:50 master:3 - nfs4 server:/logs rw,vers=4.2
    91 22 0:46 / /mnt/with\\040space rw - fuse.sshfs user@host:/ rw
    92 22 0:47 / /mnt/fuse rw - fuse thing rw
    93 22 0:48 / /mnt/block rw - fuseblk /dev/sdb1 rw
    94 22 4095:1048575 / /host rw - 9p host rw
    nonsense
    95 22 x:y / /odd rw - nfs odd rw
    96 22 0:50 / /short rw -

    """

  @Test func `file systems of other machines are known by their types`() {
    let devices = RemoteDevices(mounts: Self.mounts)
    for (major, minor) in [(0, 45), (0, 46), (0, 47), (4095, 1_048_575)] as [(UInt64, UInt64)] {
      #expect(devices.isRemote(RemoteDevices.device(major: major, minor: minor)), "\(major):\(minor)")
    }
    for (major, minor) in [(259, 1), (0, 21), (0, 48), (0, 50)] as [(UInt64, UInt64)] {
      #expect(!devices.isRemote(RemoteDevices.device(major: major, minor: minor)), "\(major):\(minor)")
    }
    #expect(!devices.isEmpty)
    #expect(RemoteDevices().isEmpty && RemoteDevices(mounts: "").isEmpty)
  }

  @Test func `numbers of devices are put together as the C library does it`() {
    // As Python's os.makedev gives them.
    let cases: [(UInt64, UInt64, UInt64)] = [
      (0, 0, 0),
      (8, 1, 2049),
      (259, 300, 1114924),
      (4095, 255, 1048575),
      (1048576, 1048576, 4503603922337792),
    ]
    for (major, minor, number) in cases {
      #expect(RemoteDevices.device(major: major, minor: minor) == number)
    }
  }

  @Test func `what is mounted here is read`() throws {
    let line = try #require(
      String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
        .first { $0.split(separator: " ")[4] == "/proc" })
    let numbers = line.split(separator: " ")[2].split(separator: ":").compactMap { UInt64($0) }
    #expect(
      try FileStatus.of("/proc").id.device == RemoteDevices.device(major: numbers[0], minor: numbers[1]))
    #expect(try !RemoteDevices.mounted().isRemote(FileStatus.of("/proc").id.device))
  }
}
