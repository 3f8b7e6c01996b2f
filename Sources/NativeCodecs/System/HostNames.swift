internal import CLinux

/// The names of addresses, as the system's resolver knows them.
package enum HostNames {
  /// The most bytes of a name in the DNS, and a zero.
  private static let longest = 1025

  /// The name of an IP address; nil when it has none. Waits for the network: not for event loops.
  package static func name(ofAddress address: String) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: longest) { text in
      guard let base = text.baseAddress, unsafe millrace_name_of_address(address, base, longest) == 0 else {
        return nil
      }
      let name = unsafe String(cString: base)
      return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
  }
}
