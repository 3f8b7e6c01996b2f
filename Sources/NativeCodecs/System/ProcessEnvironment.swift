internal import Glibc

/// The environment variables of the process, and its program.
package enum ProcessEnvironment {
  /// The path of the program that runs; nil where the kernel does not tell.
  package static var executable: String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { text in
      guard let base = text.baseAddress else { return nil }
      let length = unsafe readlink("/proc/self/exe", base, Int(PATH_MAX) - 1)
      guard length > 0 else { return nil }
      unsafe text[length] = 0
      return unsafe String(cString: base)
    }
  }

  /// All of them, as they are now.
  package static var variables: [String: String] {
    var variables: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return variables
  }
}
