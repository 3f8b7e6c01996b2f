import Glibc

/// Finds the files that a path with `*`, `?` or `[…]` names, through the C library's `glob`.
enum FileGlob {
  /// Whether a path names files by a pattern.
  static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

  /// The paths of existing files, sorted; may take as long as a disk does.
  static func paths(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0, let paths = unsafe found.gl_pathv else { return [] }
    return (0..<Int(clamping: unsafe found.gl_pathc)).compactMap { index in
      unsafe paths[index].map { unsafe String(cString: $0) }
    }
  }
}
