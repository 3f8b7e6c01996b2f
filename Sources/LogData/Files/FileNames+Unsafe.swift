internal import Glibc

/// What the system knows about names of files and their owners.
///
/// - Important: Looking up an owner may ask a directory service: not for event loops.
enum FileNames {
  /// The absolute path without symbolic links; nil when the file is not there.
  static func resolved(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// The name of a user; the number when nobody has it.
  static func user(_ id: UInt32) -> String {
    unsafe name(id) { buffer in
      guard let space = buffer.baseAddress else { return (0, nil) }
      var entry = unsafe passwd()
      var found: UnsafeMutablePointer<passwd>?
      let status = unsafe getpwuid_r(id, &entry, space, buffer.count, &found)
      guard unsafe found != nil, let name = unsafe entry.pw_name else { return (status, nil) }
      return (status, unsafe String(cString: name))
    }
  }

  /// The name of a group; the number when none has it.
  static func group(_ id: UInt32) -> String {
    unsafe name(id) { buffer in
      guard let space = buffer.baseAddress else { return (0, nil) }
      var entry = unsafe Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      let status = unsafe getgrgid_r(id, &entry, space, buffer.count, &found)
      guard unsafe found != nil, let name = unsafe entry.gr_name else { return (status, nil) }
      return (status, unsafe String(cString: name))
    }
  }

  /// Looks up with buffers of growing size, since the C library does not say how large an answer is.
  private static func name(
    _ id: UInt32, _ look: (UnsafeMutableBufferPointer<CChar>) -> (status: Int32, name: String?)
  ) -> String {
    for size in [1 << 10, 1 << 14, 1 << 18] {
      let (status, name) = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
        unsafe look(buffer)
      }
      if status != ERANGE { return name ?? "\(id)" }
    }
    return "\(id)"
  }
}
