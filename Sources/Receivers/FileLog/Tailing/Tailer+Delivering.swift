internal import LogData
internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Handing on what was read.
extension Tailer {
  /// Whether what follows can take more.
  var mayRead: Bool { window.hasRoom && context.gate.refusal == nil }

  /// Hands on the records that were read, and books how far files are done with them.
  func closeBatch() {
    guard !touched.isEmpty || !records.isEmpty else { return }
    var marks: [FileMark] = []
    for file in touched where !file.isHeld {
      file.isTouched = false
      mark(file, &marks)
    }
    for file in held { mark(file, &marks) }
    held.removeAll { !$0.isHeld }
    touched.removeAll(keepingCapacity: true)
    guard let batch = records.finish() else {
      _ = window.add(nil, marks)
      return settle()
    }
    let number = window.add(batch, marks)
    offer(batch, number)
  }

  /// Books up to where a file is done with: not past records that operators hold back.
  private func mark(_ file: TailedFile, _ marks: inout [FileMark]) {
    file.isTouched = false
    guard let start = records.oldestHeld(of: file), start < file.framer.offset else {
      file.recent.removeAll()
      file.isHeld = false
      file.heldFrom = nil
      marks.append(FileMark(file: file, position: file.position))
      return
    }
    if !file.isHeld {
      file.isHeld = true
      held.append(file)
    }
    if file.heldFrom?.offset == start { return }
    file.recent.removeAll { $0.start < start }
    let count = Int(min(start, UInt64(Self.trailSize)))
    let trail = (try? file.content?.print(count, endingAt: start)) ?? nil
    let number = file.recent.first?.number ?? file.records
    let position = FilePosition(offset: start, trail: trail ?? .none, records: number > 0 ? number - 1 : 0)
    file.heldFrom = position
    marks.append(FileMark(file: file, position: position))
  }

  /// Goes back to the first record that operators hold, so that it is read again.
  func giveBack(_ file: TailedFile) {
    guard file.isHeld, let position = file.heldFrom else { return }
    file.move(to: position, settings.framing)
    file.isHeld = false
  }

  func offer(_ batch: Batch, _ number: Int) {
    consumer.offer(Delivery(batch, handler: BatchAnswer(number, mailbox)))
  }

  /// Offers again what was refused, when its time has come.
  func offerAgain() {
    for (number, batch) in window.takeDue(context.clock.now) { offer(batch, number) }
  }

  /// Lets operators let go of what they have held long enough.
  func expireHeld() {
    guard let due = records.nextDue else { return }
    let now = UInt64(clamping: context.clock.now.nanoseconds)
    guard now >= due, mayRead else { return }
    records.expire(now)
    closeBatch()
  }

  /// Books what became of a batch.
  func resolve(_ number: Int, _ outcome: Outcome) {
    switch outcome {
    case .accepted: break
    case .refused(let reason, _):
      refusalLog.log(.info, "records are refused, they are offered again", metadata: ["reason": "\(reason)"])
    case .partial(let rejected, let message): reject(rejected, message)
    case .rejected(let reason): reject(window.items(of: number), reason)
    }
    window.resolve(number, outcome, now: context.clock.now)
    settle()
  }

  private func reject(_ records: Int, _ reason: String) {
    meters.rejected.add(records)
    rejectionLog.log(
      .error, "records were rejected and are passed over",
      metadata: ["records": "\(records)", "reason": "\(reason)"])
  }

  /// Books what has been accepted in order.
  func settle() {
    for mark in window.takeAccepted() {
      let file = mark.file
      file.accepted = mark.position
      unsave(file)
      if settings.config.deleteAfterRead { deleteIfDone(file) }
    }
  }

  /// Deletes a file of which everything has been accepted.
  private func deleteIfDone(_ file: TailedFile) {
    guard file.isListed, file.isAtEnd, let content = file.content,
      file.accepted?.offset == file.framer.offset,
      file.framer.flushDeadline == nil,
      let status = try? content.status(), content.isGzip || status.size == file.framer.offset,
      let named = try? FileStatus.of(file.path), named.id == file.id
    else { return }
    do {
      try OpenFile.delete(file.path)
      context.logger.debug("a file was read and is deleted", metadata: ["file": "\(file.path)"])
      book.unlist(file)
      activate(file)
    } catch {
      complain(file.path, error, "a file that was read cannot be deleted")
    }
  }
}
