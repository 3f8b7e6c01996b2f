internal import LogData
internal import Logging
internal import PipelineKit

/// Reading what is new.
extension Tailer {
  /// Reads files that may have something new, each a piece at a time.
  func readReady() {
    var visits = 0
    while visits < Self.visitsPerTurn, window.hasRoom, let file = ready.popFirst() {
      visits += 1
      file.isReady = false
      if visit(file) { enqueue(file) }
    }
    if ready.isEmpty { closeBatch() }
    active.removeAll { !$0.isActive }
    meters.readingFiles.set(active.count)
  }

  /// Reads a piece of a file; whether there is more.
  private func visit(_ file: TailedFile) -> Bool {
    do {
      let hasMore = try read(file)
      if !hasMore, file.isActive { rest(file) }
      return hasMore
    } catch {
      complain(file.path, error)
      file.isActive = false
      return false
    }
  }

  /// Lets a file alone that has not grown for a while, until the kernel tells that it has.
  private func rest(_ file: TailedFile) {
    let quiet = context.clock.now - file.lastGrowth
    guard quiet >= Self.activity, file.framer.flushDeadline == nil else { return }
    if !file.isListed, let status = try? file.handle?.status(), status.links == 0 {
      file.isDeleted = true
      if quiet >= Self.deletedPatience { part(file) }
      return
    }
    if file.watch != nil {
      // It was watched before it was read: nothing can have been missed.
      file.isActive = false
      return
    }
    guard let notices, let handle = file.handle, let watch = try? notices.watchFile(handle) else { return }
    file.watch = watch
    watches[watch] = file
    enqueue(file)
  }

  /// Reads on from where the file was left; whether there is more.
  ///
  /// What stands before that place is read again with it: if it is not what it was, the file was written anew.
  private func read(_ file: TailedFile) throws(FileError) -> Bool {
    guard let handle = file.handle else { return false }
    if file.skipsZeros { passHole(file, handle) }
    var buffer: [UInt8] = []
    swap(&buffer, &self.buffer)
    defer { swap(&buffer, &self.buffer) }
    var wanted = Self.readSize
    while true {
      let trail = file.trail.count
      if buffer.count < wanted + trail {
        buffer += [UInt8](repeating: 0, count: wanted + trail - buffer.count)
      }
      let count = try handle.read(wanted + trail, at: file.framer.offset - UInt64(trail), into: &buffer)
      file.size = file.framer.offset - UInt64(trail) + UInt64(count)
      if count < trail || BytePrint(buffer.span.extracting(0..<trail)) != file.trail {
        if file.isAwaited, count < trail { return false }
        rewritten(file)
        return false
      }
      file.isAwaited = false
      file.intactAt = Int64(clamping: context.clock.unixNanoseconds)
      let isEnd = count < wanted + trail
      let bytes = buffer.span.extracting(0..<count)
      let (cursor, isFull) = takeLines(of: file, in: bytes, from: trail, isEnd: isEnd)
      if count > trail, file.head.count < settings.fingerprintSize { refreshHead(of: file) }
      if cursor > trail {
        file.lastGrowth = context.clock.now
        return !isEnd || isFull
      }
      if isEnd { return false }
      // A record longer than what was read.
      wanted *= 2
    }
  }

  /// Takes lines from the buffer, until the batch is full, which is then handed on.
  ///
  /// - Returns: where those end that are done with.
  private func takeLines(
    of file: TailedFile, in bytes: Span<UInt8>, from start: Int, isEnd: Bool
  ) -> (cursor: Int, isFull: Bool) {
    let now = UInt64(clamping: context.clock.now.nanoseconds)
    let observed = context.clock.unixNanoseconds
    let input: LineFramer.Input = isEnd ? .idle(now: now) : .flowing
    var cursor = start
    while batch.byteCount < Self.batchSize, let line = file.framer.next(in: bytes, at: &cursor, input) {
      if line.text.isEmpty { continue }
      batch.add(bytes.extracting(line.text), attributes: file.attributes.span, observed: observed)
    }
    if cursor > start {
      file.advance(trail: BytePrint(bytes.extracting(max(0, cursor - Self.trailSize)..<cursor)))
      touch(file)
    }
    let isFull = batch.byteCount >= Self.batchSize
    if isFull { closeBatch() }
    return (cursor, isFull)
  }

  func touch(_ file: TailedFile) {
    if file.isTouched { return }
    file.isTouched = true
    touched.append(file)
  }

  /// Passes over zeros at the beginning of a file that was truncated while its writer went on where it was.
  private func passHole(_ file: TailedFile, _ handle: OpenFile) {
    guard file.framer.offset == 0 else {
      file.skipsZeros = false
      return
    }
    var offset = handle.firstData(from: 0) ?? 0
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    while let count = try? handle.read(bytes.count, at: offset, into: &bytes), count > 0 {
      let zeros = bytes[..<count].prefix { $0 == 0 }.count
      offset += UInt64(zeros)
      if zeros < count {
        file.skipsZeros = false
        break
      }
    }
    if offset > 0, !file.skipsZeros { file.move(to: FilePosition(offset: offset), settings.framing) }
  }
}
