internal import Glibc

/// The few facts of the C library that servers need.
enum SystemErrors {
  static let addressInUse = EADDRINUSE
  static let connectionRefused = ECONNREFUSED
  static let addressFamilyUnsupported = EAFNOSUPPORT
  static let addressNotAvailable = EADDRNOTAVAIL

  /// The reason in words, lower case as it stands within a sentence.
  static func text(_ code: CInt) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }

  /// Removes a file; a missing one is fine.
  static func removeFile(_ path: String) { _ = unsafe unlink(path) }

  /// Seconds since the epoch by the system's clock.
  static func secondsSinceEpoch() -> Int { time(nil) }
}
