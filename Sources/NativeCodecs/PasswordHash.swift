internal import CCrypt

/// Password hashes as `htpasswd -B` and `mkpasswd` make them, through the system's libcrypt.
package enum PasswordHash {
  /// The methods that are taken, by the beginning of their hashes.
  private static let methods = ["$2a$", "$2b$", "$2y$", "$5$", "$6$"]
  /// Doubles the work with each step: 2^16 rounds take seconds.
  private static let mostCost = 16
  /// Of SHA-crypt: as slow as the highest cost.
  private static let mostRounds = 5_000_000

  /// Why a hash cannot be used; nil when it can.
  package static func problem(of hash: String) -> String? {
    guard methods.contains(where: hash.hasPrefix) else {
      return "its hash is of no supported kind: make a bcrypt one with `htpasswd -nB USER`"
    }
    guard hash.hasPrefix("$2") else { return isWhole(hash) ? nil : "its hash is malformed" }
    let parts = hash.split(separator: "$")
    guard parts.count == 3, let cost = Int(parts[1]), cost >= 4, parts[2].utf8.count == 53 else {
      return "its bcrypt hash is malformed"
    }
    return cost <= mostCost ? nil : "its bcrypt cost of \(cost) is too high, at most \(mostCost) is taken"
  }

  /// `$5$salt$hash` or `$6$rounds=n$salt$hash`.
  private static func isWhole(_ hash: String) -> Bool {
    let parts = hash.split(separator: "$")
    guard (3...4).contains(parts.count), parts.last?.utf8.count == (hash.hasPrefix("$5$") ? 43 : 86) else {
      return false
    }
    guard parts.count == 4 else { return true }
    guard parts[1].hasPrefix("rounds="), let rounds = Int(parts[1].dropFirst(7)) else { return false }
    return rounds <= mostRounds
  }

  /// How much work checking against a hash is, to compare hashes of one kind.
  package static func cost(of hash: String) -> Int {
    hash.hasPrefix("$2") ? Int(hash.split(separator: "$").dropFirst().first ?? "") ?? 0 : 0
  }

  /// The hash of `password` made like `hash`, which it equals when the password is the right one; nil for passwords that
  /// C cannot hold, and for hashes that libcrypt does not know. Slow by design: not for event loops.
  package static func hash(_ password: [UInt8], like hash: String) -> [UInt8]? {
    guard !password.contains(0) else { return nil }
    var result = [CChar](repeating: 0, count: 384)
    let phrase = password.map { CChar(bitPattern: $0) } + [0]
    guard unsafe millrace_crypt(phrase, hash, &result, result.count) == 1 else { return nil }
    return result.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }
}
