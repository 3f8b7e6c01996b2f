internal import Dispatch
internal import Logging
package import PipelineKit
internal import Synchronization

/// A file of credentials whose content is read at start, and again whenever it changes.
///
/// Asked about once per second on a queue of its own: no event loop waits for a disk, and a renewed secret needs no
/// restart. A new content that cannot be used is told once and leaves the last one in force.
package final class WatchedFile: Sendable {
  /// How often the file is looked at.
  package static let interval = Duration.seconds(1)
  private static let queue = DispatchQueue(label: "millrace.credentials")

  private struct State {
    var isRunning = false
    var version: CredentialFile.Version?
    /// What was last complained about.
    var complaint: String?
  }

  private let key: String
  private let path: String
  private let context: ComponentContext
  private let apply: @Sendable (String) throws -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - key: the configuration key that names the file, for messages.
  ///   - apply: takes a content, or throws a `StartError` that says what is wrong with it, never what it is.
  package init(
    _ key: String, path: String, context: ComponentContext, apply: @escaping @Sendable (String) throws -> Void
  ) {
    self.key = key
    self.path = path
    self.context = context
    self.apply = apply
  }

  /// Reads the file, and follows it from then on.
  package func start() async throws {
    try await withCheckedThrowingContinuation { continuation in
      Self.queue.async { continuation.resume(with: Result { try self.read() }) }
    }
    state.withLock { $0.isRunning = true }
    scheduleCheck()
  }

  package func stop() { state.withLock { $0.isRunning = false } }

  private func read() throws {
    let version = CredentialFile.version(of: path)
    do {
      try apply(try CredentialFile.text(of: path))
    } catch let error as CredentialFile.ReadError {
      throw StartError("\(key): cannot read \(path): \(error.reason)")
    } catch let error as StartError {
      throw StartError("\(key): \(path): \(error.message)", help: error.help)
    }
    state.withLock { $0.version = version }
  }

  private func scheduleCheck() {
    context.clock.schedule(at: context.clock.now + Self.interval) { [weak self] in
      guard let self, self.state.withLock({ $0.isRunning }) else { return }
      Self.queue.async {
        self.check()
        self.scheduleCheck()
      }
    }
  }

  /// Reads the file again if it is another one.
  private func check() {
    let known = state.withLock { $0.version }
    guard state.withLock({ $0.isRunning }), CredentialFile.version(of: path) != known else { return }
    do {
      try read()
      state.withLock { $0.complaint = nil }
      context.logger.info("credentials were read again", metadata: ["key": "\(key)", "file": "\(path)"])
    } catch {
      let text = "\(error)"
      let isNew = state.withLock { state in
        defer { state.complaint = text }
        return state.complaint != text
      }
      guard isNew else { return }
      context.logger.error(
        "a file of credentials changed and cannot be used, the last content stays in force",
        metadata: ["file": "\(path)", "error": "\(text)"])
    }
  }
}
