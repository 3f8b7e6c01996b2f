import NativeCodecs
import Transport

/// Users and the hashes of their passwords, as lines of `user:hash`.
struct HtpasswdFile: Sendable {
  /// The hash of each user's password.
  private(set) var users: [String: String] = [:]
  /// What is wrong with the first line that cannot be used; never shows a hash.
  private(set) var problem: String?

  /// Reads the lines of a file; empty ones and those that begin with `#` say nothing.
  init(_ text: String) {
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let content = CredentialText.trimmed(line)
      if content.isEmpty || content.hasPrefix("#") { continue }
      guard let colon = content.firstIndex(of: ":"), colon > content.startIndex else {
        problem = problem ?? "line \(index + 1) is not user:hash"
        continue
      }
      let user = String(content[..<colon])
      // Apache allows further fields behind another colon.
      let hash = String(content[content.index(after: colon)...].prefix { $0 != ":" })
      if let reason = PasswordHash.problem(of: hash) {
        problem = problem ?? "line \(index + 1), user \(user): \(reason)"
        continue
      }
      users[user] = hash
    }
  }

  /// These users, with those of `other` where both have them.
  func merging(_ other: HtpasswdFile) -> HtpasswdFile {
    var merged = self
    merged.users.merge(other.users) { $1 }
    return merged
  }
}
