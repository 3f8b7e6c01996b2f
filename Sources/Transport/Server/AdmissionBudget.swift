internal import Synchronization

/// Bounds the bytes of request bodies that one server holds, from the first byte received to the answer.
///
/// Each request has its own size limit, but many connections that send slowly would still add up; over the bound,
/// requests are refused with an answer that tells the client to try again later.
package final class AdmissionBudget: Sendable {
  /// Bytes.
  package let limit: Int
  private let heldBytes = Atomic<Int>(0)

  package init(limit: Int) { self.limit = limit }

  /// Bytes held now.
  package var held: Int { heldBytes.load(ordering: .relaxed) }

  /// Takes bytes, or takes none and returns false when that would go over the limit.
  func take(_ bytes: Int) -> Bool {
    guard bytes > 0 else { return true }
    if heldBytes.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit { return true }
    heldBytes.wrappingSubtract(bytes, ordering: .relaxed)
    return false
  }

  /// Gives bytes back.
  func give(_ bytes: Int) {
    if bytes > 0 { heldBytes.wrappingSubtract(bytes, ordering: .relaxed) }
  }
}
