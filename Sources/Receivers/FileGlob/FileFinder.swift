/// Finds the files that patterns stand for.
///
/// Blocks as long as a disk does: for the reading thread only.
struct FileFinder: Sendable {
  let include: [GlobPattern]
  let exclude: [GlobPattern]

  /// Looks at everything.
  ///
  /// - Parameter watching: called with each directory in which a change of names can change what is found, before it is
  ///   looked at: what changes in between is then told and found.
  func look(watching: @escaping (String) -> Void = { _ in }) -> FileWalk {
    var walk = FileWalk(exclude: exclude, watching: watching)
    for pattern in include {
      for branch in pattern.branches { walk.walk(branch) }
    }
    return walk
  }

  /// Whether a path is one of those that are read, if there is a file.
  func matches(_ path: String) -> Bool {
    include.contains { $0.matches(path) } && !exclude.contains { $0.matches(path) }
  }

  static func path(_ directory: String, _ name: String) -> String {
    if directory.isEmpty { return name }
    return directory == "/" ? "/" + name : "\(directory)/\(name)"
  }

  /// The directory of a path, as a look names it; empty for the working directory.
  static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> Substring {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path[...] }
    return path[path.utf8.index(after: slash)...]
  }
}

/// One look at everything that patterns stand for.
struct FileWalk {
  let exclude: [GlobPattern]
  let watching: (String) -> Void

  /// Existing regular files, each path once, in the order of the patterns and of their names.
  private(set) var files: [(path: String, status: FileStatus)] = []
  /// Paths that could not be looked at, apart from those that are not there.
  private(set) var problems: [(path: String, error: FileError)] = []
  private var seenFiles: Set<String> = []
  private var watched: Set<String> = []
  /// What was read of directories.
  private var listings: [String: [DirectoryEntry]] = [:]

  /// Directories within directories are followed this deep.
  private static let mostLevels = 64

  fileprivate init(exclude: [GlobPattern], watching: @escaping (String) -> Void) {
    self.exclude = exclude
    self.watching = watching
  }

  fileprivate mutating func walk(_ branch: GlobPattern.Branch) {
    walk(branch.isAbsolute ? "/" : "", branch.segments[...], [])
  }

  private mutating func walk(
    _ directory: String, _ segments: ArraySlice<GlobPattern.Segment>, _ ancestors: [FileID]
  ) {
    guard let segment = segments.first, ancestors.count < Self.mostLevels else { return }
    let rest = segments.dropFirst()
    switch segment {
    case .literal(let name): step(directory, name, rest, ancestors)
    case .wild:
      for entry in entries(of: directory) where segment.matches(entry.name[...]) {
        let path = FileFinder.path(directory, entry.name)
        if rest.isEmpty { examine(path, entry) } else { descend(path, entry, rest, ancestors) }
      }
    case .deep:
      if !rest.isEmpty { walk(directory, rest, ancestors) }
      for entry in entries(of: directory) {
        let path = FileFinder.path(directory, entry.name)
        if rest.isEmpty { examine(path, entry) }
        descend(path, entry, segments, ancestors)
      }
    }
  }

  /// Follows a name that is given as it is: its directory need not be read, only watched where the name may appear or
  /// come to mean another file.
  private mutating func step(
    _ directory: String, _ name: String, _ rest: ArraySlice<GlobPattern.Segment>, _ ancestors: [FileID]
  ) {
    let path = FileFinder.path(directory, name)
    if rest.isEmpty {
      watch(directory)
      return examine(path)
    }
    do {
      if try FileStatus.of(path).kind != .directory || FileStatus.isLink(path) { watch(directory) }
      walk(path, rest, ancestors)
    } catch {
      watch(directory)
      // It may have come before it was watched.
      if (try? FileStatus.of(path)) != nil { return walk(path, rest, ancestors) }
      report(path, error)
    }
  }

  /// Goes into a directory below one that was read; what is none is passed over.
  private mutating func descend(
    _ path: String, _ entry: DirectoryEntry, _ segments: ArraySlice<GlobPattern.Segment>,
    _ ancestors: [FileID]
  ) {
    if entry.kind == .regular || entry.kind == .other { return }
    if !entry.isText { return report(path, .nameless) }
    do {
      let status = try FileStatus.of(path)
      // A link to a directory further up would be followed for ever.
      if status.kind != .directory || ancestors.contains(status.id) { return }
      walk(path, segments, ancestors + [status.id])
    } catch {
      report(path, error)
    }
  }

  private mutating func examine(_ path: String, _ entry: DirectoryEntry? = nil) {
    if entry?.kind == .directory || entry?.kind == .other { return }
    if exclude.contains(where: { $0.matches(path) }) { return }
    if entry?.isText == false { return report(path, .nameless) }
    guard seenFiles.insert(path).inserted else { return }
    do {
      let status = try FileStatus.of(path)
      if status.kind == .regular { files.append((path, status)) }
    } catch {
      report(path, error)
    }
  }

  private mutating func entries(of directory: String) -> [DirectoryEntry] {
    watch(directory)
    if let known = listings[directory] { return known }
    var entries: [DirectoryEntry] = []
    do {
      entries = try DirectoryEntry.all(in: directory.isEmpty ? "." : directory).sorted { $0.name < $1.name }
    } catch {
      report(directory, error)
    }
    listings[directory] = entries
    return entries
  }

  private mutating func watch(_ directory: String) {
    if watched.insert(directory).inserted { watching(directory) }
  }

  private mutating func report(_ path: String, _ error: FileError) {
    if !error.isMissing { problems.append((path, error)) }
  }
}
