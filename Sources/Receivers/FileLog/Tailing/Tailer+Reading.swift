internal import LogData
internal import Logging
internal import PipelineKit

/// Reading what is new.
extension Tailer {
  /// Reads files that may have something new, each a piece at a time.
  func readReady() {
    var visits = 0
    while visits < Self.visitsPerTurn, mayRead, let file = ready.popFirst() {
      visits += 1
      file.isReady = false
      if visit(file) {
        file.isReady = true
        // A compressed file is read to its end first: decompressing takes memory.
        ready.putBack(file, first: file.content?.isGzip ?? false)
      }
    }
    if ready.isEmpty { closeBatch() }
    active.removeAll { !$0.isActive }
    meters.readingFiles.set(active.count)
  }

  /// Reads a piece of a file; whether there is more.
  private func visit(_ file: TailedFile) -> Bool {
    do throws(FileError) {
      if file.content == nil, file.isActive, book.isFollowed(file) {
        file.content = try reopened(file)
        if file.content == nil { part(file) }
      }
      guard let content = file.content else {
        file.isActive = false
        return false
      }
      if settings.config.acquireFSLock, !content.file.lock() { return false }
      defer { if settings.config.acquireFSLock { content.file.unlock() } }
      let hasMore = try read(file, content)
      // Where it goes on elsewhere, nothing was read of that.
      guard file.content === content else { return hasMore }
      file.isAtEnd = !hasMore
      if file.hasFailed {
        file.hasFailed = false
        complaints.remove(file.path)
      }
      if !hasMore { try rest(file, content) }
      return hasMore
    } catch {
      complain(file.path, error)
      // One that waits to be opened may be out of sight by now.
      file.isActive = error.isOutOfHandles
      // What is damaged stays so until more is written.
      file.hasFailed = error != .damaged
      file.content?.release()
      return false
    }
  }

  /// Lets a file alone that has not grown for a while, until the kernel tells that it has.
  private func rest(_ file: TailedFile, _ content: FileContent) throws(FileError) {
    if content.isGzip { content.release() }
    let quiet = context.clock.now - file.lastGrowth
    if file.endsAtEnd, file.framer.flushDeadline == nil { return part(file) }
    guard file.isActive, quiet >= Self.activity, file.framer.flushDeadline == nil else { return }
    if !file.isListed, try content.status().links == 0 {
      if !file.isDeleted { checkDirectory(of: file.path) }
      file.isDeleted = true
      if quiet >= Self.deletedPatience { part(file) }
      return
    }
    if file.watch != nil {
      // It was watched before it was read: nothing can have been missed.
      file.isActive = false
      file.origin = nil
      return
    }
    guard let notices, !remote.isRemote(file.id.device) else { return }
    do {
      let watch = try notices.watchFile(content.file)
      file.watch = watch
      watches[watch] = file
      enqueue(file)
    } catch  where error.isOutOfWatches {
      complain("", error, "no more files can be watched, they are looked at instead")
    } catch {}
  }

  /// Reads on from where the file was left; whether there is more.
  ///
  /// What stands before that place is read again with it: if it is not what it was, the file was written anew.
  private func read(_ file: TailedFile, _ content: FileContent) throws(FileError) -> Bool {
    if file.isAtEnd, try isUnchanged(file, content) { return false }
    if file.skipsZeros { passHole(file, content) }
    guard let origin = try origin(of: file, content) else { return false }
    var buffer: [UInt8] = []
    swap(&buffer, &self.buffer)
    defer { swap(&buffer, &self.buffer) }
    var wanted = Self.readSize
    while true {
      let trail = file.trail.count
      // Where nothing was read yet, the first bytes tell.
      let known = file.framer.offset == 0 ? file.head : file.trail
      wanted = max(wanted, known.count)
      if buffer.count < wanted + trail {
        buffer += [UInt8](repeating: 0, count: wanted + trail - buffer.count)
      }
      let count = try content.read(wanted + trail, at: file.framer.offset - UInt64(trail), into: &buffer)
      file.size =
        try content.isGzip ? content.status().size : file.framer.offset - UInt64(trail) + UInt64(count)
      if count < known.count || BytePrint(buffer.span.extracting(0..<known.count)) != known {
        if file.isAwaited, count < known.count { return false }
        rewritten(file)
        return false
      }
      file.isAwaited = false
      file.intactAt = context.clock.unixNanoseconds
      if count > trail, file.head.count < settings.fingerprintSize { refreshHead(of: file) }
      let isEnd = count < wanted + trail
      let bytes = buffer.span.extracting(0..<count)
      let (cursor, isFull) = takeLines(of: file, content, origin, in: bytes, from: trail, isEnd: isEnd)
      if cursor > trail {
        file.lastGrowth = context.clock.now
        return !isEnd || isFull
      }
      if isEnd { return false }
      // A record longer than what was read.
      wanted *= 2
    }
  }

  /// Whether nothing can have come since the last time, for files that are looked at without having been told of.
  private func isUnchanged(_ file: TailedFile, _ content: FileContent) throws(FileError) -> Bool {
    guard file.framer.flushDeadline == nil else { return false }
    if !content.isGzip, context.clock.now - file.lastGrowth < Self.activity || file.watch != nil {
      return false
    }
    return try content.status().size == file.size
  }

  private func origin(of file: TailedFile, _ content: FileContent) throws(FileError) -> LogOrigin? {
    if let origin = file.origin { return origin }
    file.origin = try records.origin(of: file, content)
    return file.origin
  }

  /// Takes lines from the buffer, until the batch is full, which is then handed on.
  ///
  /// - Returns: where those end that are done with.
  private func takeLines(
    of file: TailedFile, _ content: FileContent, _ origin: LogOrigin, in bytes: Span<UInt8>, from start: Int,
    isEnd: Bool
  ) -> (cursor: Int, isFull: Bool) {
    let now = UInt64(clamping: context.clock.now.nanoseconds)
    let observed = context.clock.unixNanoseconds
    let input: LineFramer.Input =
      !isEnd ? .flowing : endsFiles || content.isGzip && content.isComplete ? .ended : .idle(now: now)
    let numbersHeld = records.mayHold && settings.config.fileAttributes.includeFileRecordNumber
    var cursor = start
    var framer = file.framer
    var count = file.records
    records.begin(now)
    while records.byteCount < Self.batchSize, let line = framer.next(in: bytes, at: &cursor, input) {
      count += 1
      if line.text.isEmpty { continue }
      if numbersHeld { file.recent.append((line.start, count)) }
      records.add(bytes.extracting(line.text), line, number: count, of: file, origin, observed: observed)
    }
    file.framer = framer
    file.records = count
    if cursor > start {
      file.advance(trail: BytePrint(bytes.extracting(max(0, cursor - Self.trailSize)..<cursor)))
      touch(file)
    }
    let isFull = records.byteCount >= Self.batchSize
    if isFull { closeBatch() }
    return (cursor, isFull)
  }

  func touch(_ file: TailedFile) {
    if file.isTouched { return }
    file.isTouched = true
    touched.append(file)
  }

  /// Takes what is incomplete at the end of a file.
  func flush(_ file: TailedFile) {
    guard let content = file.content else { return }
    _ = try? read(file, content)
  }

  /// Passes over zeros at the beginning of a file that was truncated while its writer went on where it was.
  private func passHole(_ file: TailedFile, _ content: FileContent) {
    guard file.framer.offset == 0, !content.isGzip else {
      file.skipsZeros = false
      return
    }
    var offset = content.file.firstData(from: 0) ?? 0
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    while let count = try? content.file.read(bytes.count, at: offset, into: &bytes), count > 0 {
      let zeros = bytes[..<count].prefix { $0 == 0 }.count
      offset += UInt64(zeros)
      if zeros < count {
        file.skipsZeros = false
        break
      }
    }
    if offset > 0, !file.skipsZeros { file.move(to: position(offset, in: content), settings.framing) }
  }
}
