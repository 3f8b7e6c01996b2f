internal import Glibc

/// A function of the system failed.
package struct SystemCallError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was to be done: `start a thread`.
  package let action: String
  /// The system's code (`errno`).
  package let code: CInt

  package init(_ action: String, code: CInt) {
    self.action = action
    self.code = code
  }

  /// The reason in words, lower case as it stands within a sentence.
  package var reason: String { Self.text(code) }

  package var description: String { "cannot \(action): \(reason)" }

  /// The words for a code of the system.
  package static func text(_ code: CInt) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    let words = unsafe String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }
}
