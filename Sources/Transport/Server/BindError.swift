internal import PipelineKit

/// A server could not listen on its address.
package struct BindError: InUseError, CustomStringConvertible, Equatable {
  /// The address as it was configured.
  package let address: String
  /// Why, in words.
  package let reason: String
  package var isInUse = false
  /// The system's code, where it is known.
  var errorCode: CInt?

  package var description: String { "cannot listen on \(address): \(reason)" }
}
