internal import LogData
internal import Logging
internal import PipelineKit

/// A file that is not read because it is old: until it is written to.
struct OldFile {
  let id: FileID
  /// How long it was at the first look, where reading begins at the end; nil where it begins at the beginning.
  let size: UInt64?
  var watch: Int32?
}

/// Which paths there are and where they lead.
extension Tailer {
  /// Reads the kernel's notices.
  func takeNotices() {
    guard let notices else { return }
    var strangers: [String] = []
    for notice in notices.read() {
      switch notice {
      case .changed(let watch): changed(watch, &strangers)
      case .name(let directory, let name, let isDirectory):
        if isDirectory { lookSoon() }
        for path in directories[directory] ?? [] { check(FileFinder.path(path, name), &strangers) }
      case .moved: lookSoon()
      case .overflow:
        for file in book.files.values { activate(file) }
        lookSoon()
      case .ended(let watch):
        if directories.removeValue(forKey: watch) != nil { lookSoon() }
      }
    }
    if strangers.isEmpty { return }
    verifyActive()
    for path in strangers {
      guard let status = try? FileStatus.of(path), status.kind == .regular else { continue }
      if !found(path, status), !returned(path, status) { meet(path, status) }
    }
  }

  private func changed(_ watch: Int32, _ strangers: inout [String]) {
    if let file = watches.removeValue(forKey: watch) {
      file.watch = nil
      return activate(file)
    }
    if let path = oldWatches.removeValue(forKey: watch) {
      old[path]?.watch = nil
      check(path, &strangers)
    }
  }

  /// Has everything looked at again, though not more often than at intervals.
  func lookSoon() {
    nextLook = min(nextLook, max(context.clock.now, lastLook + settings.config.pollInterval))
  }

  /// Looks at everything: for the first time, and where notices do not tell.
  func lookAtAll() {
    looks += 1
    lastLook = context.clock.now
    remote = RemoteDevices.mounted()
    nextLook = lastLook + max(Self.lookInterval, settings.config.pollInterval)
    let look = settings.finder.look(watching: watching())
    if isBlind { lookSoon() }
    // What can be looked at again is told of again when it cannot.
    complaints.subtract(troubled.subtracting(look.problems.map(\.path)))
    troubled = Set(look.problems.map(\.path))
    for (path, error) in look.problems { complain(path, error) }
    var strangers: [(path: String, status: FileStatus)] = []
    for (path, status) in selected(look.files) where !found(path, status) { strangers.append((path, status)) }
    for file in book.paths.values where file.seenInLook != looks { lost(file) }
    // Last: by now it is known which files are gone, that others may be copies of.
    verifyActive()
    let others = strangers.filter { !returned($0.path, $0.status) }
    for (path, status) in others { meet(path, status) }
    old = old.filter { $0.value.watch != nil || book.file(at: $0.key) == nil }
    if isBeginning { searchAbsent() }
    isBeginning = false
    keepHouse()
    for (watch, paths) in directories where paths.isEmpty {
      directories[watch] = nil
      notices?.remove(watch)
    }
  }

  /// Those of the files that were found which are read, in their order.
  private func selected(
    _ files: [(path: String, status: FileStatus)]
  ) -> [(path: String, status: FileStatus)] {
    guard let ordering = settings.ordering else { return files }
    let statuses = Dictionary(files.map { ($0.path, $0.status) }, uniquingKeysWith: { first, _ in first })
    let candidates = files.map { FileOrdering.Candidate(path: $0.path, modified: $0.status.modified) }
    return ordering.select(candidates, now: Int64(clamping: context.clock.unixNanoseconds)).compactMap {
      file in
      statuses[file.path].map { (file.path, $0) }
    }
  }

  /// Watches the directories of a look; those that are not among them are left without a path.
  private func watching() -> (String) -> Void {
    directories = directories.mapValues { _ in [] }
    isBlind = notices == nil
    return { [unowned self] path in
      guard let notices else { return }
      do throws(FileError) {
        let watch = try notices.watchDirectory(path)
        directories[watch, default: []].append(path)
        if !isBlind, !remote.isEmpty, remote.isRemote(try FileStatus.of(path.isEmpty ? "." : path).id.device)
        {
          isBlind = true
        }
      } catch {
        // It was there a moment ago.
        if error.isMissing { return lookSoon() }
        guard error.isOutOfWatches else { return }
        isBlind = true
        complain("", error, "no more directories can be watched, they are looked at instead")
      }
    }
  }

  /// Looks at one path of which something was told.
  ///
  /// - Parameter strangers: gets the path when it leads to a file that is not followed.
  private func check(_ path: String, _ strangers: inout [String]) {
    let matches = settings.finder.matches(path)
    guard matches || book.file(at: path) != nil else { return }
    // Which of the files are read depends on all of them.
    if settings.ordering != nil { return lookSoon() }
    do {
      let status = try FileStatus.of(path)
      if status.kind == .regular, matches {
        if !found(path, status) { strangers.append(path) }
        return
      }
    } catch  where !error.isMissing {
      return complain(path, error)
    } catch {}
    complaints.remove(path)
    if let file = book.file(at: path) { lost(file) }
    checkDirectory(of: path)
  }

  /// Has everything looked at when a file's directory went with it, which the kernel tells only once the file is closed.
  func checkDirectory(of path: String) {
    guard let notices else { return }
    // One that is watched gives the same number again.
    let watch = try? notices.watchDirectory(FileFinder.directory(of: path))
    if watch.flatMap({ directories[$0] }) == nil { lookSoon() }
  }

  /// A path leads to a file; false when it is none that is followed.
  private func found(_ path: String, _ status: FileStatus) -> Bool {
    if let other = book.file(at: path), other.id != status.id { lost(other) }
    if let candidate = candidates[status.id] {
      candidate.path = path
      return true
    }
    guard let file = book.file(status.id) else { return false }
    file.seenInLook = looks
    if file.path != path || !file.isListed {
      // Another name of the same file, while the first still leads to it.
      if file.isListed, let first = try? FileStatus.of(file.path), first.id == file.id { return true }
      context.logger.debug("a file has another name", metadata: ["from": "\(file.path)", "to": "\(path)"])
      if file.path != path { meters.rotations.add() }
      book.rename(file, to: path)
      file.origin = nil
      unsave(file)
    }
    if status.size != file.size || file.isActive || file.hasFailed { activate(file) }
    return true
  }

  /// A path does not lead to its file any more; what is left of that is read through the open handle.
  private func lost(_ file: TailedFile) {
    if (try? FileStatus.of(file.path))?.id == file.id {
      // It is there, and no longer among those that are to be read.
      file.endsAtEnd = true
    } else {
      meters.rotations.add()
    }
    book.unlist(file)
    activate(file)
  }

  /// Whether a file is too old to be read; it is then watched until it is written to.
  func isTooOld(_ path: String, _ status: FileStatus) -> Bool {
    guard let limit = settings.config.excludeOlderThan else { return false }
    let now = Int64(clamping: context.clock.unixNanoseconds)
    guard now - status.modified > limit.wholeNanoseconds else { return false }
    if old[path]?.id != status.id {
      let isBefore = isBeginning && !hasPast && settings.config.startAt == .end
      old[path] = OldFile(id: status.id, size: isBefore ? status.size : nil)
    }
    if let notices, old[path]?.watch == nil, let watch = try? notices.watchFile(at: path) {
      old[path]?.watch = watch
      oldWatches[watch] = path
    }
    return true
  }

  /// Tells once of a path that something is wrong with.
  func complain(
    _ path: String, _ error: FileError, _ message: Logger.Message = "a file cannot be read, it is tried again"
  ) {
    // Of too many open files it is told where they are opened.
    if error.isMissing || error.isOutOfHandles { return }
    guard complaints.insert(path).inserted else { return }
    meters.unreadable.add()
    context.logger.warning(message, metadata: ["file": "\(path)", "error": "\(error)"])
  }
}
