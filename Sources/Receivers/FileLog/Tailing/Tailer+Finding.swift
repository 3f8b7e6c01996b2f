internal import LogData
internal import Logging
internal import PipelineKit
internal import WireFormat

/// Which files there are.
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
        if isDirectory {
          nextLook = min(nextLook, context.clock.now)
        } else {
          for path in directories[directory] ?? [] { check(FileFinder.path(path, name)) }
        }
      case .moved, .overflow: nextLook = min(nextLook, context.clock.now)
      case .ended(let watch):
        if directories.removeValue(forKey: watch) != nil { nextLook = min(nextLook, context.clock.now) }
      }
    }
  }

  /// Looks at everything: for the first time, and where notices do not tell.
  func lookAtAll() {
    looks += 1
    var kept: [Int32: [String]] = [:]
    let notices = notices
    let look = settings.finder.look { path in
      guard let notices, let watch = try? notices.watchDirectory(path) else { return }
      kept[watch, default: []].append(path)
    }
    for watch in directories.keys where kept[watch] == nil { notices?.remove(watch) }
    directories = kept
    for (path, error) in look.problems { complain(path, error) }
    for (path, status) in look.files { found(path, status) }
    for file in paths.values where file.seenInLook != looks { lost(file) }
    nextLook = context.clock.now + lookInterval
  }

  private var lookInterval: Duration {
    notices == nil ? settings.config.pollInterval : max(Self.lookInterval, settings.config.pollInterval)
  }

  /// Looks at one path of which something was told.
  private func check(_ path: String) {
    let matches = settings.finder.matches(path)
    guard matches || paths[path] != nil else { return }
    do {
      let status = try OpenFile.status(of: path)
      if status.kind == .regular, matches { return found(path, status) }
    } catch  where !error.isMissing {
      return complain(path, error)
    } catch {}
    if let file = paths[path] { lost(file) }
  }

  /// A path leads to a file.
  private func found(_ path: String, _ status: FileStatus) {
    if let other = paths[path], other.id != status.id { lost(other) }
    if let file = files[status.id] {
      if file.path != path {
        // Another name of the same file, while the first still leads to it.
        if file.isListed, let first = try? OpenFile.status(of: file.path), first.id == file.id { return }
        rename(file, to: path)
      }
      file.seenInLook = looks
      activate(file)
      return
    }
    do {
      let (handle, status) = try OpenFile.open(path)
      guard status.kind == .regular else { return }
      if files[status.id] != nil { return }
      complaints.remove(path)
      adopt(path, handle, status)
    } catch {
      complain(path, error)
    }
  }

  private func rename(_ file: TailedFile, to path: String) {
    context.logger.debug("a file has another name", metadata: ["from": "\(file.path)", "to": "\(path)"])
    if paths[file.path] === file { paths[file.path] = nil }
    file.path = path
    file.isListed = true
    file.attributes = attributes(of: path)
    paths[path] = file
    meters.rotations.add()
  }

  /// Begins to read a file.
  private func adopt(_ path: String, _ handle: OpenFile, _ status: FileStatus) {
    let isOld = looks == 1 && settings.config.startAt == .end
    let file = TailedFile(
      status.id, path: path, framer: LineFramer(settings.framing, offset: isOld ? status.size : 0),
      attributes: attributes(of: path), now: context.clock.now)
    file.handle = handle
    file.seenInLook = looks
    files[status.id] = file
    paths[path] = file
    meters.openFiles.add()
    context.logger.info("a file is read", metadata: ["file": "\(path)", "offset": "\(file.framer.offset)"])
    if isOld { retrail(file) }
    file.accepted = file.position
    activate(file)
  }

  /// A path does not lead to its file any more; what is left of it is read through the open handle.
  private func lost(_ file: TailedFile) {
    paths[file.path] = nil
    file.isListed = false
    activate(file)
  }

  func complain(_ path: String, _ error: FileError) {
    if error.isMissing { return }
    guard complaints.insert(path).inserted else { return }
    meters.unreadable.add()
    context.logger.warning(
      "a file cannot be read, it is tried again", metadata: ["file": "\(path)", "error": "\(error)"])
  }

  /// Has a file read at intervals from now on.
  func activate(_ file: TailedFile) {
    if !file.isActive {
      file.isActive = true
      active.append(file)
      file.lastGrowth = context.clock.now
    }
    enqueue(file)
  }

  func enqueue(_ file: TailedFile) {
    if file.isReady { return }
    file.isReady = true
    ready.append(file)
  }

  private func attributes(of path: String) -> [UInt8] {
    var pairs: [(key: String, value: String)] = []
    if settings.config.includeFileName { pairs.append(("log.file.name", String(FileFinder.name(of: path)))) }
    if settings.config.includeFilePath { pairs.append(("log.file.path", path)) }
    var writer = WireWriter(capacity: 128)
    for (key, value) in pairs {
      writer.message(6) { pair in
        pair.stringField(1, key)
        pair.message(2) { $0.stringField(1, value) }
      }
    }
    return writer.finish()
  }
}
