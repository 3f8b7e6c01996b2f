internal import Logging
internal import PipelineKit

/// Which paths there are and where they lead.
extension Tailer {
  /// Reads the kernel's notices.
  func takeNotices() {
    guard let notices else { return }
    for notice in notices.read() {
      switch notice {
      case .changed(let watch):
        guard let file = watches.removeValue(forKey: watch) else { continue }
        file.watch = nil
        activate(file)
      case .name(let directory, let name, let isDirectory):
        if isDirectory { lookSoon() }
        for path in directories[directory] ?? [] { check(FileFinder.path(path, name)) }
      case .moved: lookSoon()
      case .overflow:
        for file in book.files.values { enqueue(file) }
        lookSoon()
      case .ended(let watch): if directories.removeValue(forKey: watch) != nil { lookSoon() }
      }
    }
  }

  /// Has everything looked at again, though not more often than at intervals.
  private func lookSoon() {
    nextLook = min(nextLook, max(context.clock.now, nextPoll))
  }

  /// Looks at everything: for the first time, and where notices do not tell.
  func lookAtAll() {
    looks += 1
    let look = settings.finder.look(watching: watching())
    for (path, error) in look.problems { complain(path, error) }
    var strangers: [(path: String, status: FileStatus)] = []
    for (path, status) in look.files where !found(path, status) { strangers.append((path, status)) }
    for file in book.paths.values where file.seenInLook != looks { lost(file) }
    // Last: by now it is known which files are gone, that others may be copies of.
    let others = strangers.filter { !returned($0.path, $0.status) }
    for (path, status) in others { meet(path, status) }
    isBeginning = false
    keepHouse()
    nextLook = context.clock.now + (isBlind ? settings.config.pollInterval : longInterval)
  }

  private var longInterval: Duration { max(Self.lookInterval, settings.config.pollInterval) }

  /// Watches the directories of a look, and no others.
  private func watching() -> (String) -> Void {
    let last = directories
    directories = [:]
    isBlind = notices == nil
    for watch in last.keys { directories[watch] = [] }
    return { [unowned self] path in
      guard let notices else { return }
      do throws(FileError) {
        let watch = try notices.watchDirectory(path)
        directories[watch, default: []].append(path)
      } catch  where error.isOutOfWatches {
        isBlind = true
        complain(path, error, "a directory cannot be watched, it is looked at instead")
      } catch {}
    }
  }

  /// Looks at one path of which something was told.
  private func check(_ path: String) {
    let matches = settings.finder.matches(path)
    guard matches || book.file(at: path) != nil else { return }
    do {
      let status = try OpenFile.status(of: path)
      if status.kind == .regular, matches {
        if !found(path, status), !returned(path, status) { meet(path, status) }
        return
      }
    } catch  where !error.isMissing {
      return complain(path, error)
    } catch {}
    complaints.remove(path)
    if let file = book.file(at: path) { lost(file) }
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
      if file.isListed, let first = try? OpenFile.status(of: file.path), first.id == file.id { return true }
      context.logger.debug("a file has another name", metadata: ["from": "\(file.path)", "to": "\(path)"])
      if file.path != path { meters.rotations.add() }
      book.rename(file, to: path)
      file.attributes = settings.attributes(of: path)
      file.isUnsaved = true
    }
    if status.size != file.size || file.isActive { activate(file) }
    return true
  }

  /// A path does not lead to its file any more; what is left of that is read through the open handle.
  private func lost(_ file: TailedFile) {
    meters.rotations.add()
    book.unlist(file)
    activate(file)
  }

  func complain(
    _ path: String, _ error: FileError, _ message: Logger.Message = "a file cannot be read, it is tried again"
  ) {
    if error.isMissing { return }
    guard complaints.insert(path).inserted else { return }
    meters.unreadable.add()
    context.logger.warning(message, metadata: ["file": "\(path)", "error": "\(error)"])
  }
}
