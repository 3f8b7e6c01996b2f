internal import NIOCore

/// Carries a call to its event loop, and its cancellation after it.
final class CallHandle: @unchecked Sendable {
  private let link: GRPCLink
  /// Confined to the event loop.
  private var call: GRPCCall?
  private var isCancelled = false

  init(link: GRPCLink) { self.link = link }

  func submit(_ call: GRPCCall) {
    link.loop.execute {
      self.call = call
      if self.isCancelled { return self.abort() }
      self.link.submit(call)
    }
  }

  func cancel() {
    link.loop.execute {
      self.isCancelled = true
      self.abort()
    }
  }

  private func abort() { call?.abort(GRPCReply(code: .cancelled, message: "cancelled")) }
}
