/// Finds the files that a path with `*`, `?` or `[…]` names.
enum FileGlob {
  /// Whether a path names files by a pattern.
  static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

  /// The paths of existing files, sorted; may take as long as a disk does.
  static func paths(_ pattern: String) -> [String] {
    guard let pattern = try? GlobPattern(pattern) else { return [] }
    return FileFinder(include: [pattern], exclude: []).look().files.map(\.path).sorted()
  }
}
