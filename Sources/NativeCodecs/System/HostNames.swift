internal import CLinux

/// The names of addresses, as the system's resolver knows them.
package enum HostNames {
  /// The most bytes of a name in the DNS, and a zero.
  private static let longest = 1025

  /// The name of an IP address; nil when it has none. Waits for the network: not for event loops.
  package static func name(ofAddress address: String) -> String? {
    unsafe text(longest) { unsafe millrace_name_of_address(address, $0, $1) }.map(withoutDot)
  }

  /// What this host is called, by itself.
  package static var own: String? { unsafe text(longest) { unsafe millrace_host_name($0, $1) } }

  /// The full name of a host, from the hosts file or the DNS; nil when there is none. Waits for the network.
  package static func canonicalName(of host: String) -> String? {
    unsafe text(longest) { unsafe millrace_canonical_name(host, $0, $1) }.map(withoutDot)
  }

  /// The name that the DNS has for an address of a host; nil when there is none. Waits for the network.
  package static func reverseName(of host: String) -> String? {
    unsafe text(longest) { unsafe millrace_reverse_name(host, $0, $1) }.map(withoutDot)
  }

  private static func withoutDot(_ name: String) -> String {
    name.hasSuffix(".") ? String(name.dropLast()) : name
  }

  /// What a function of C writes into room of a size; nil when it reports a failure.
  @unsafe
  fileprivate static func text(
    _ size: Int, _ write: (UnsafeMutablePointer<CChar>, Int) -> Int32
  ) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { text in
      guard let base = text.baseAddress, unsafe write(base, size) == 0 else { return nil }
      return unsafe String(cString: base)
    }
  }
}

/// What the kernel says about itself (`uname`).
package struct SystemName: Sendable, Hashable {
  package let system: String
  package let node: String
  package let release: String
  package let version: String
  /// Such as `x86_64`.
  package let machine: String

  /// Nil when the kernel does not say it.
  package init?() {
    guard let text = unsafe HostNames.text(2048, { unsafe millrace_system_name($0, $1) }) else { return nil }
    let parts = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5 else { return nil }
    (system, node, release, version, machine) = (parts[0], parts[1], parts[2], parts[3], parts[4])
  }
}

/// The addresses of the network interfaces that are up, without the loopback's.
package enum HostAddresses {
  /// Room for some hundred addresses.
  private static let mostText = 32 << 10

  /// IP addresses, and hardware addresses in capitals with dashes.
  package static func all() -> (ip: [String], mac: [String]) {
    let text = unsafe HostNames.text(mostText) { unsafe millrace_interfaces($0, $1) } ?? ""
    let lines = text.split(separator: "\n")
    return (
      lines.filter { $0.hasPrefix("i") }.map { String($0.dropFirst()) },
      lines.filter { $0.hasPrefix("m") }.map { String($0.dropFirst()) }
    )
  }
}
