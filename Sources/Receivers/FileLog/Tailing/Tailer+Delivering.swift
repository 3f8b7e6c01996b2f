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
      return book()
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
    window.resolve(number, outcome, now: context.clock.now)
    book()
  }

  private func book() {
    for mark in window.takeAccepted() { mark.file.accepted = mark.position }
  }
}
