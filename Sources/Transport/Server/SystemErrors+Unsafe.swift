internal import Glibc
internal import NativeCodecs

/// The few facts of the C library that servers need.
enum SystemErrors {
  static let addressInUse = EADDRINUSE
  static let connectionRefused = ECONNREFUSED
  static let addressFamilyUnsupported = EAFNOSUPPORT
  static let addressNotAvailable = EADDRNOTAVAIL

  /// Whether an error of binding says that the system lacks the family of the address.
  static func isMissingFamily(_ code: CInt) -> Bool {
    code == addressFamilyUnsupported || code == addressNotAvailable
  }

  /// The reason in words, lower case as it stands within a sentence.
  static func text(_ code: CInt) -> String { SystemCallError.text(code) }

  /// Removes a file; a missing one is fine.
  static func removeFile(_ path: String) { _ = unsafe unlink(path) }

  /// Seconds since the epoch by the system's clock.
  static func secondsSinceEpoch() -> Int { time(nil) }
}
