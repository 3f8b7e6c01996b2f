/// The files that are open: the exporter's one, or with `group_by` those used last.
struct OpenFiles {
  private let limit: Int
  private let truncates: Bool
  private let terminator: UInt8?
  private let rotation: FileRotation?
  private let directoryPermissions: UInt32?
  private let calls: any FileCalls
  private var files: [String: OutputFile] = [:]
  /// Paths in the order of their last use.
  private var order: [String] = []
  /// Where the files touched by the present batch ended before it.
  private var marks: [String: Int] = [:]
  /// Old files that could not be removed, for the log.
  private var removalErrors: [FileError] = []
  /// Files that were closed since the last ``takeDirty()`` and must still be synced.
  private var retired: [(path: String, descriptor: Int32)] = []
  private let syncs: Bool
  /// The most descriptors that wait to be synced.
  private static let maxRetired = 16

  init(_ config: FileExporterConfig, calls: any FileCalls) {
    syncs = config.flushInterval > .zero
    limit = config.groupBy.enabled ? config.groupBy.maxOpenFiles : 1
    rotation = config.rotation.map(FileRotation.init)
    truncates = !config.append && rotation == nil && !config.groupBy.enabled
    terminator = config.format == .json && config.compression == .none ? UInt8(ascii: "\n") : nil
    let creates = config.createDirectory || config.groupBy.enabled
    directoryPermissions =
      creates ? FileExporterConfig.permissions(config.directoryPermissions) ?? 0o755 : nil
    self.calls = calls
  }

  /// Opens `path` unless it is open.
  mutating func open(_ path: String, isFirst: Bool) throws(FileError) {
    if files[path] != nil {
      if let position = order.firstIndex(of: path), position < order.count - 1 {
        order.append(order.remove(at: position))
      }
      return
    }
    if order.count >= limit { close(order[0]) }
    if let directoryPermissions {
      try FilePrimitives.createDirectories(
        FilePrimitives.directory(of: path), permissions: directoryPermissions)
    }
    files[path] = try OutputFile(path, truncating: truncates && isFirst, endsWith: terminator)
    order.append(path)
  }

  /// Appends a record to `path`, after rotating it where it is full.
  mutating func append(_ record: Span<UInt8>, to path: String, unixNanoseconds: UInt64) throws(FileError) {
    try open(path, isFirst: false)
    if let rotation, let size = files[path]?.size, size > 0, size + record.count > rotation.maxBytes {
      try rotate(path, rotation, at: unixNanoseconds)
    }
    if marks[path] == nil, let size = files[path]?.size { marks[path] = size }
    let calls = calls
    try files[path]?.append(record, calls: calls)
  }

  /// Takes back what was appended since ``commit()``, so that a batch that failed in one file is in none.
  ///
  /// Files that were rotated or closed since keep what they got.
  mutating func rollBack() {
    for (path, mark) in marks {
      // A failure is remembered by the file, and mended before its next record.
      try? files[path]?.rollBack(to: mark)
    }
    marks.removeAll(keepingCapacity: true)
  }

  /// Ends a batch that is in the files as a whole.
  mutating func commit() { marks.removeAll(keepingCapacity: true) }

  /// Descriptors of what was written since the last call, to be synced and closed by the caller.
  mutating func takeDirty() -> [(path: String, descriptor: Int32)] {
    var dirty = retired
    retired.removeAll()
    for path in order where files[path]?.isDirty == true {
      files[path]?.isDirty = false
      if let file = files[path], let copy = FilePrimitives.duplicate(file.descriptor) {
        dirty.append((path, copy))
      }
    }
    return dirty
  }

  /// Removes old files as the rotation says, which also covers what an earlier run left.
  mutating func removeBackups(of path: String, at unixNanoseconds: UInt64) {
    guard let rotation else { return }
    removalErrors += rotation.removeBackups(of: path, at: unixNanoseconds)
  }

  /// The removals that failed since the last call.
  mutating func takeRemovalErrors() -> [FileError] {
    defer { removalErrors.removeAll() }
    return removalErrors
  }

  /// Closes everything; ``takeDirty()`` then gives what is still to be synced.
  mutating func closeAll() {
    while let path = order.first { close(path) }
  }

  private mutating func rotate(_ path: String, _ rotation: FileRotation, at unixNanoseconds: UInt64)
    throws(FileError)
  {
    close(path)
    try FilePrimitives.rename(path, to: rotation.backupPath(for: path, at: unixNanoseconds))
    removeBackups(of: path, at: unixNanoseconds)
    try open(path, isFirst: false)
  }

  private mutating func close(_ path: String) {
    if let position = order.firstIndex(of: path) { order.remove(at: position) }
    marks[path] = nil
    guard let file = files.removeValue(forKey: path) else { return }
    guard file.isDirty, syncs else { return file.close() }
    if retired.count < Self.maxRetired {
      retired.append((path, file.descriptor))
    } else {
      _ = calls.sync(file.descriptor)
      file.close()
    }
  }
}
