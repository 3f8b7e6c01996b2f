internal import LogData
internal import Logging
internal import PipelineKit

/// Reading what is new.
extension Tailer {
  /// Has every file read again that has been written to lately.
  func pollActive(_ now: MonotonicInstant) {
    nextPoll = now + settings.config.pollInterval
    for file in active { enqueue(file) }
  }

  /// Reads files that may have something new, each a piece at a time.
  func readReady() {
    var visits = 0
    var position = 0
    while position < ready.count, visits < Self.visitsPerTurn, window.hasRoom {
      let file = ready[position]
      position += 1
      visits += 1
      file.isReady = false
      if visit(file) { enqueue(file) }
    }
    ready.removeFirst(position)
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
      return false
    }
  }

  /// Lets a file alone that has not grown for a while, until the kernel tells that it has.
  private func rest(_ file: TailedFile) {
    let now = context.clock.now
    guard now - file.lastGrowth >= Self.activity, file.framer.flushDeadline == nil else { return }
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
      if count < trail || BytePrint(buffer.span.extracting(0..<trail)) != file.trail {
        rewind(file)
        return true
      }
      let isEnd = count < wanted + trail
      let bytes = buffer.span.extracting(0..<count)
      let (cursor, isFull) = takeLines(of: file, in: bytes, from: trail, isEnd: isEnd)
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
      file.trail = BytePrint(bytes.extracting(max(0, cursor - Self.trailSize)..<cursor))
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

  /// Begins again in a file that was written anew.
  private func rewind(_ file: TailedFile) {
    meters.truncations.add()
    context.logger.info(
      "a file was truncated or written anew",
      metadata: ["file": "\(file.path)", "offset": "\(file.framer.offset)"])
    file.framer = LineFramer(settings.framing)
    file.trail = .none
    touch(file)
  }

  /// Reads what stands before a position that was set from outside.
  func retrail(_ file: TailedFile) {
    let count = Int(min(file.framer.offset, UInt64(Self.trailSize)))
    var bytes = [UInt8](repeating: 0, count: count)
    guard let handle = file.handle,
      let read = try? handle.read(count, at: file.framer.offset - UInt64(count), into: &bytes)
    else { return }
    file.trail = BytePrint(bytes.span.extracting(0..<read))
  }
}
