internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Handing on what was read.
extension Tailer {
  /// Hands on the lines that were read.
  func closeBatch() {
    if touched.isEmpty { return }
    let marks = touched.map { file in
      file.isTouched = false
      return FileMark(file: file, position: file.position)
    }
    touched.removeAll(keepingCapacity: true)
    guard batch.count > 0 else {
      _ = window.add(nil, marks)
      return settle()
    }
    let size = batch.byteCount
    var last = LineBatch(capacity: min(size + size / 8, Self.batchSize + Self.readSize))
    swap(&batch, &last)
    let finished = last.finish()
    let number = window.add(finished, marks)
    offer(finished, number)
  }

  private func offer(_ batch: Batch, _ number: Int) {
    consumer.offer(Delivery(batch, handler: BatchAnswer(number, mailbox)))
  }

  /// Offers again what was refused, when its time has come.
  func offerAgain() {
    for (number, batch) in window.takeDue(context.clock.now) { offer(batch, number) }
  }

  /// Books what became of a batch.
  func resolve(_ number: Int, _ outcome: Outcome) {
    switch outcome {
    case .accepted, .refused: break
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
  private func settle() {
    for mark in window.takeAccepted() {
      mark.file.accepted = mark.position
      mark.file.isUnsaved = true
    }
  }
}
