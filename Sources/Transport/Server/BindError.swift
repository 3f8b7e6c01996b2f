/// A server could not listen on its address.
package struct BindError: Error, CustomStringConvertible, Equatable {
  /// The address as it was configured.
  package let address: String
  /// Why, in words.
  package let reason: String

  package var description: String { "cannot listen on \(address): \(reason)" }
}
