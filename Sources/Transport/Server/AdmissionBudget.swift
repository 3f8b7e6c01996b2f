package import PipelineKit
internal import Synchronization

/// Bounds the bytes of request bodies that one server holds, from the first byte received to the answer.
///
/// Each request has its own size limit, but many connections that send slowly would still add up; over the bound,
/// requests are refused with an answer that tells the client to try again later, and the slowest make room.
package final class AdmissionBudget: Sendable {
  /// Bytes.
  package let limit: Int
  private let heldBytes = Atomic<Int>(0)
  /// The bound over all servers.
  private let whole: ByteBudget?
  private let onExhausted: @Sendable () -> Void

  /// - Parameters:
  ///   - limit: in bytes.
  ///   - whole: what all servers of the process share.
  ///   - onExhausted: called whenever bytes are refused.
  package init(limit: Int, whole: ByteBudget? = nil, onExhausted: @escaping @Sendable () -> Void = {}) {
    self.limit = limit
    self.whole = whole
    self.onExhausted = onExhausted
  }

  /// A budget in which one body of the largest size always has room, compressed as it may be.
  convenience init(
    _ wanted: Int, largestBody: Int, whole: ByteBudget? = nil, onExhausted: @escaping @Sendable () -> Void
  ) {
    let least = largestBody + largestBody / 4 + min(largestBody, 256 << 10)
    self.init(limit: max(wanted, least), whole: whole, onExhausted: onExhausted)
    whole?.join(self, largest: least, makeRoom: onExhausted)
  }

  /// Bytes held now.
  package var held: Int { heldBytes.load(ordering: .relaxed) }

  /// Takes bytes, or takes none and returns false when that would go over the limit. A negative count gives back.
  func take(_ bytes: Int) -> Bool {
    guard bytes > 0 else {
      give(-bytes)
      return true
    }
    if heldBytes.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit, whole?.take(bytes) ?? true {
      return true
    }
    heldBytes.wrappingSubtract(bytes, ordering: .relaxed)
    onExhausted()
    return false
  }

  /// Gives bytes back.
  func give(_ bytes: Int) {
    guard bytes > 0 else { return }
    heldBytes.wrappingSubtract(bytes, ordering: .relaxed)
    whole?.give(bytes)
  }
}
