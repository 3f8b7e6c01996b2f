internal import LogData
internal import Logging
internal import PipelineKit

/// What lies in which file: beginning to follow one, going on in another, and letting go.
extension Tailer {
  /// Opens a regular file; nil when it is none, or cannot be opened.
  func open(_ path: String) -> (content: FileContent, status: FileStatus)? {
    do {
      let (file, status) = try openHandle(path)
      guard status.kind == .regular else { return nil }
      let content = try FileContent(file, settings.config.compression)
      complaints.remove(path)
      return (content, status)
    } catch {
      complain(path, error)
      return nil
    }
  }

  /// Goes on in a file that was there before, such as before a restart; false when nothing is known of it.
  func returned(_ path: String, _ status: FileStatus) -> Bool {
    // Numbers of files that were deleted are given to new ones.
    let known = book.absent(in: status.id, at: path).filter { !$0.isDeleted && $0.head.count > 0 }
    if known.isEmpty { return false }
    guard let (content, status) = open(path) else { return true }
    for file in known {
      let head = try? content.print(file.head.count, endingAt: UInt64(file.head.count))
      guard head == file.head else { continue }
      attach(file, to: content, status, path: path)
      return true
    }
    return false
  }

  /// Decides what a file is that nothing was known of: something new, or a copy of something that is followed.
  func meet(_ path: String, _ status: FileStatus) {
    if isTooOld(path, status) { return }
    guard let (content, status) = open(path), book.file(status.id) == nil, candidates[status.id] == nil else {
      return
    }
    // A copy is seen first when there is nothing in it yet.
    if status.size == 0, !isBeginning {
      candidates[status.id] = CopyCandidate(path, content, status, of: nil, now: context.clock.now)
      return
    }
    decide(path, content, status)
  }

  /// Decides about a file with something in it.
  func decide(_ path: String, _ content: FileContent, _ status: FileStatus) {
    candidates[status.id] = nil
    if isBeginning, book.absent.isEmpty { return adopt(path, content, status) }
    let kin = kin(of: content)
    if let file = kin.first(where: { book.absent[$0.serial] != nil && goesOn($0, in: content, status, path) })
    {
      context.logger.info(
        "a file goes on in a copy", metadata: ["file": "\(file.path)", "copy": "\(path)"])
      return attach(file, to: content, status, path: path)
    }
    for file in kin where book.isFollowed(file) {
      guard let likeness = resemblance(file, to: content, status.size) else { continue }
      content.release()
      candidates[status.id] = CopyCandidate(
        path, content, status, of: file, isStrong: likeness == .strong, now: context.clock.now)
      return
    }
    adopt(path, content, status)
  }

  /// Begins to follow something new.
  func adopt(_ path: String, _ content: FileContent, _ status: FileStatus) {
    candidates[status.id] = nil
    let isOld = isBeginning && !hasPast && settings.config.startAt == .end
    let file = TailedFile(
      serial: book.makeSerial(), id: status.id, path: path, framer: LineFramer(settings.framing),
      now: context.clock.now)
    let begun = old[path].flatMap { $0.id == status.id ? $0.size : nil }
    old[path] = nil
    if let start = isOld ? status.size : begun, !content.isGzip {
      file.move(to: position(min(start, status.size), in: content), settings.framing)
    }
    // So that it is stored at once that there is such a file, and it can be found wherever it is moved.
    file.accepted = file.position
    attach(file, to: content, status, path: path)
    touch(file)
  }

  /// Goes on in a file.
  func attach(_ file: TailedFile, to content: FileContent, _ status: FileStatus, path: String) {
    candidates[status.id] = nil
    if book.absent[file.serial] != nil { book.remove(file) }
    // One that was empty is this one, by another number of ours.
    for other in book.absent(in: status.id, at: path) where other.head.count == 0 { forget(other) }
    // A copy may still be growing; the file itself, when it is shorter now, was truncated.
    file.isAwaited =
      content.isGzip || status.size < file.framer.offset && status.id.inode != file.id.inode
    file.id = status.id
    file.path = path
    file.isListed = settings.finder.matches(path) && (try? FileStatus.of(path).id) == status.id
    file.content = content
    file.origin = nil
    file.isAtEnd = false
    file.endsAtEnd = false
    file.isDeleted = false
    file.size = status.size
    file.seenInLook = looks
    book.add(file)
    unsave(file)
    refreshHead(of: file)
    context.logger.info("a file is read", metadata: ["file": "\(path)", "offset": "\(file.framer.offset)"])
    activate(file)
  }

  /// Lets go of a file; what was known of it is kept for a while, in case it comes back.
  func part(_ file: TailedFile) {
    if let watch = file.watch {
      notices?.remove(watch)
      watches[watch] = nil
      file.watch = nil
    }
    file.content = nil
    file.isActive = false
    file.lastGrowth = context.clock.now
    file.origin = nil
    book.addAbsent(file)
    unsave(file)
    context.logger.debug("a file is closed", metadata: ["file": "\(file.path)"])
  }

  /// A file was truncated or written anew: what was in it before is gone from it, or lies in a copy.
  func rewritten(_ file: TailedFile) {
    guard let content = file.content, let status = try? content.status() else { return }
    let isShorter = content.count(in: status.size) < file.framer.offset
    let begins = try? content.print(file.head.count, endingAt: UInt64(file.head.count))
    let beginsAlike = file.head.count > 0 && begins == file.head
    if beginsAlike, isShorter, settings.config.onTruncate == .ignore {
      // Read on from the same place, whatever comes to stand before it.
      file.trail = .none
      file.waypoints = []
      return
    }
    meters.truncations.add()
    context.logger.info(
      "a file was truncated or written anew",
      metadata: ["file": "\(file.path)", "offset": "\(file.framer.offset)", "size": "\(status.size)"])
    let next = TailedFile(
      serial: book.makeSerial(), id: file.id, path: file.path, framer: LineFramer(settings.framing),
      now: context.clock.now)
    if beginsAlike, isShorter, settings.config.onTruncate == .readNew {
      next.move(to: position(status.size, in: content), settings.framing)
    }
    next.accepted = next.position
    next.skipsZeros = true
    next.isListed = file.isListed
    next.content = content
    next.seenInLook = file.seenInLook
    next.watch = file.watch
    if let watch = file.watch { watches[watch] = next }
    file.watch = nil
    part(file)
    book.add(next)
    refreshHead(of: next)
    unsave(next)
    touch(next)
    activate(next)
    judgeCandidates(of: file)
    if book.isAbsent(file), file.framer.offset > 0 { search(for: file) }
  }

  /// A place in a file and what stands before it.
  func position(_ offset: UInt64, in content: FileContent) -> FilePosition {
    let count = Int(min(offset, UInt64(Self.trailSize)))
    let trail = (try? content.print(count, endingAt: offset)) ?? nil
    return FilePosition(offset: offset, trail: trail ?? .none)
  }

  /// Reads the first bytes of a file again, while there are fewer than tell it from others.
  func refreshHead(of file: TailedFile) {
    guard let content = file.content, file.head.count < settings.fingerprintSize else { return }
    var bytes = [UInt8](repeating: 0, count: settings.fingerprintSize)
    guard let count = try? content.read(bytes.count, at: 0, into: &bytes), count > file.head.count,
      BytePrint(bytes.span.extracting(0..<file.head.count)) == file.head
    else { return }
    book.setHead(BytePrint(bytes.span.extracting(0..<count)), of: file)
  }

  /// Finds out what has become of files that were written to, before it is decided what others are: whether they were
  /// truncated, and with which bytes they begin.
  func verifyActive() {
    for file in active {
      guard let content = file.content, !content.isGzip, !file.isAwaited else { continue }
      // Where nothing was read yet, the first bytes tell.
      let (known, end) =
        file.framer.offset == 0 ? (file.head, UInt64(file.head.count)) : (file.trail, file.framer.offset)
      if let print = try? content.print(known.count, endingAt: end), print == known {
        refreshHead(of: file)
      } else {
        rewritten(file)
      }
    }
  }

  /// Looks after what is seldom to be done.
  func keepHouse() {
    let now = context.clock.now
    for file in book.files.values where !file.isListed && now - file.lastGrowth >= Self.unlistedPatience {
      part(file)
    }
    for file in book.absent.values
    where now - file.lastGrowth >= (file.isDeleted ? Self.deletedMemory : Self.absentMemory) {
      forget(file)
    }
  }
}
