internal import PipelineKit

/// The forms that credentials in files have.
package enum CredentialText {
  /// The lines that hold something, without the space around them.
  package static func lines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
  }

  /// The one line of a file that holds a single secret.
  package static func single(_ text: String) throws -> String {
    let secret = trimmed(text[...])
    guard !secret.isEmpty else { throw StartError("it is empty") }
    return secret
  }

  /// Throws unless a text can stand in a header.
  package static func requireHeaderValue(_ text: String) throws {
    guard HTTPToken.isValue(text) else {
      throw StartError("it holds characters that a header cannot carry")
    }
  }

  /// Without space at both ends.
  package static func trimmed(_ text: Substring) -> String {
    var rest = text
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}
