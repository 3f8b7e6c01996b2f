internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Holds what was made of the files of a `tls` block, and makes it anew when they changed.
///
/// Whoever holds an older product keeps it: open connections go on with what they began with. New files that cannot be
/// used leave the product as it is, with one error in the log for each such change.
final class TLSRenewal<Product: Sendable>: Sendable {
  private struct State {
    var product: Product?
    /// What the product was made of.
    var content: TLSFiles.Content?
    /// The last reading that failed, to say each failure once.
    var failed: Failed?
    var nextReading = NIODeadline.distantPast
  }

  private struct Failed: Equatable {
    var content: TLSFiles.Content?
    var error: TLSFileError
  }

  private let files: TLSFiles
  /// How often the files are looked at; nil for never again.
  let interval: TimeAmount?
  private let logger: Logger?
  private let make: @Sendable (TLSFiles.Content) throws(TLSFileError) -> Product
  private let state = Mutex(State())
  /// One reading at a time.
  private let reading = Mutex(())

  init(
    files: TLSFiles, interval: Duration?, logger: Logger?,
    make: @escaping @Sendable (TLSFiles.Content) throws(TLSFileError) -> Product
  ) {
    self.files = files
    // Certificates that change more often than that are a mistake.
    self.interval = interval.map { max(TimeAmount(clamping: $0), .milliseconds(10)) }
    self.logger = logger
    self.make = make
  }

  /// The product, if it was made and need not be looked at again yet.
  var current: Product? {
    state.withLock { state in
      interval == nil || NIODeadline.now() < state.nextReading ? state.product : nil
    }
  }

  /// The product as it is, whatever its age.
  var latest: Product? { state.withLock { $0.product } }

  /// The product, after a look at the files when one is due.
  func renewed() async throws -> Product {
    if let current { return current }
    return try await NIOThreadPool.singleton.runIfActive { try self.read() }
  }

  /// The same for an event loop.
  func renewed(on loop: any EventLoop) -> EventLoopFuture<Product> {
    if let current { return loop.makeSucceededFuture(current) }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try self.read() }
  }

  /// Reads the files, and makes the product when they changed. Blocks: not for event loops.
  ///
  /// - Throws: ``TLSFileError`` as long as there is no product at all.
  private func read(isDue: Bool = false) throws(TLSFileError) -> Product {
    try reading.withLock { _ throws(TLSFileError) in
      // Another thread may have read while this one waited.
      if !isDue, let current { return current }
      let (held, heldContent) = state.withLock { state in
        if let interval { state.nextReading = .now() + interval }
        return (state.product, state.content)
      }
      var content: TLSFiles.Content?
      do throws(TLSFileError) {
        let read = try files.read()
        if let held, read == heldContent {
          state.withLock { $0.failed = nil }
          return held
        }
        content = read
        let product = try make(read)
        state.withLock { state in
          state.product = product
          state.content = read
          state.failed = nil
        }
        if held != nil { logger?.info("TLS certificates were renewed") }
        return product
      } catch {
        guard let held else { throw error }
        let failed = Failed(content: content, error: error)
        let isNew = state.withLock { state in
          defer { state.failed = failed }
          return state.failed != failed
        }
        if isNew {
          logger?.error(
            "renewed TLS certificates cannot be used; the ones before stay in use",
            metadata: ["reason": "\(error)"])
        }
        return held
      }
    }
  }
}

extension TLSRenewal {
  /// Looks at the files again and again until the timer is cancelled; nil when they are read once only.
  func startTimer(on loop: any EventLoop) -> RepeatedTask? {
    guard let interval else { return nil }
    return loop.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
      NIOThreadPool.singleton.runIfActive(eventLoop: loop) { _ = try? self.read(isDue: true) }
    }
  }
}
