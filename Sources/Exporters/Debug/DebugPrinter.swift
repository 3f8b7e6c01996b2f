internal import Dispatch
internal import Logging
internal import Synchronization
internal import TelemetryData

/// Where debug text goes.
enum DebugOutput: Sendable {
  case logger(Logger)
  case descriptor(Int32, isOurs: Bool)

  /// `stdout`, `stderr`, or a file, which is created or continued.
  init(path: String) throws(FileError) {
    switch path {
    case "stdout": self = .descriptor(1, isOurs: false)
    case "stderr": self = .descriptor(2, isOurs: false)
    default: self = .descriptor(try FilePrimitives.openForWriting(path, truncating: false), isOurs: true)
    }
  }

  func write(_ text: String) {
    switch self {
    case .logger(let logger): logger.info("\(text)")
    case .descriptor(let descriptor, _):
      let bytes = Array((text + "\n").utf8)
      var written = 0
      while written < bytes.count {
        let rest = bytes.span.extracting(written..<bytes.count)
        // A closed terminal is no reason to stop the pipeline; there is nobody left to tell.
        guard case .success(let count) = SystemFileCalls().write(rest, to: descriptor), count > 0 else {
          return
        }
        written += count
      }
    }
  }

  func close() {
    if case .descriptor(let descriptor, isOurs: true) = self { FilePrimitives.close(descriptor) }
  }
}

/// Formats and writes batches on a thread of its own, in order.
///
/// Holds at most ``maxBytes`` of batches plus one; what comes while it is full is counted, and the count
/// printed as soon as there is room again.
final class DebugPrinter: Sendable {
  private struct State {
    var outputs: [DebugOutput] = []
    var waiting: [Batch] = []
    var bytes = 0
    var skippedBatches = 0
    var skippedItems = 0
    var isRunning = false
  }

  /// The most bytes of batches, as OTLP, that wait to be printed.
  static let maxBytes = 8 << 20

  private let verbosity: DebugExporter.Verbosity
  private let queue: DispatchQueue
  private let state = Mutex(State())

  init(label: String, verbosity: DebugExporter.Verbosity) {
    queue = DispatchQueue(label: label)
    self.verbosity = verbosity
  }

  func open(_ outputs: [DebugOutput]) { state.withLock { $0.outputs = outputs } }

  /// Prints `batch` soon. Never blocks.
  func print(_ batch: Batch) {
    let starts = state.withLock { state in
      if state.bytes >= Self.maxBytes {
        state.skippedBatches += 1
        state.skippedItems += batch.itemCount
        return false
      }
      state.waiting.append(batch)
      state.bytes += batch.byteCount
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if starts { queue.async { self.drain() } }
  }

  /// Prints what waits, then closes the outputs.
  func close() async {
    await withCheckedContinuation { continuation in
      queue.async {
        let outputs = self.state.withLock { state in
          defer { state.outputs = [] }
          return state.outputs
        }
        for output in outputs { output.close() }
        continuation.resume()
      }
    }
  }

  private struct Work {
    let batches: [Batch]
    let outputs: [DebugOutput]
    let note: String?
  }

  private func drain() {
    while let work = takeWork() {
      for batch in work.batches {
        let text = DebugFormat.text(of: batch, verbosity)
        for output in work.outputs { output.write(text) }
        state.withLock { $0.bytes -= batch.byteCount }
      }
      if let note = work.note {
        for output in work.outputs { output.write(note) }
      }
    }
  }

  private func takeWork() -> Work? {
    state.withLock { state in
      let batches = state.waiting
      state.waiting = []
      if batches.isEmpty, state.skippedBatches == 0 {
        state.isRunning = false
        return nil
      }
      var note: String?
      // What was skipped came after what waited.
      if state.skippedBatches > 0 {
        let count = DebugFormat.count(state.skippedBatches, "batch", "batches")
        let items = DebugFormat.count(state.skippedItems, "item", "items")
        note = "\(count) (\(items)) not shown: the output is too slow"
        state.skippedBatches = 0
        state.skippedItems = 0
      }
      return Work(batches: batches, outputs: state.outputs, note: note)
    }
  }
}
