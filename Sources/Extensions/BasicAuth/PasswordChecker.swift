import Dispatch
import NativeCodecs
import Synchronization
import Transport

/// Checks user names and passwords against hashes that are slow by design.
///
/// What was found out is remembered under a keyed hash of the credentials, so that a busy exporter costs one slow check and
/// not one per request. Unknown users are checked against somebody else's hash, so that the time tells nothing. Checks
/// run on a few queues of their own, in bounded number; the same credentials are checked once for all that wait.
final class PasswordChecker: Sendable {
  typealias Later = @Sendable (AuthenticationDecision) -> Void

  /// Checks that may wait or run.
  static let queueLimit = 64
  /// Credentials that are remembered as right, and as wrong.
  static let memoryLimit = 1024
  private static let wrong = AuthenticationDecision.denied("the user or the password is wrong")

  private struct State {
    var users: [String: String] = [:]
    /// The hash that unknown users are checked against.
    var decoy = ""
    /// Counts the changes of the users: what was found out before one is not remembered after it.
    var generation = 0
    var right: Set<CredentialDigest> = []
    var wrong: Set<CredentialDigest> = []
    var waiting: [CredentialDigest: [Later]] = [:]
    var nextWorker = 0
  }

  private let state = Mutex(State())
  private let key = CredentialDigest.Key()
  private let workers: [DispatchQueue]

  init() {
    workers = (0..<2).map { DispatchQueue(label: "millrace.passwords.\($0)", qos: .utility) }
  }

  /// Takes the users in place of those so far, and forgets what was found out about those.
  func replace(_ users: [String: String]) {
    // The slowest hash hides best that there is no such user.
    let decoy = users.values.max { PasswordHash.cost(of: $0) < PasswordHash.cost(of: $1) } ?? ""
    state.withLock { state in
      state.users = users
      state.decoy = decoy
      state.generation += 1
      state.right = []
      state.wrong = []
    }
  }

  /// Decides about a user and a password, at once when they were seen before.
  func check(user: String, password: [UInt8], later: @escaping Later) -> AuthenticationDecision? {
    let digest = CredentialDigest(user: user, password: password, key: key)
    enum Next {
      case decision(AuthenticationDecision)
      case wait
      case check(hash: String, isKnown: Bool, generation: Int, worker: Int)
    }
    let next: Next = state.withLock { state in
      if state.right.contains(digest) { return .decision(.allowed) }
      if state.wrong.contains(digest) { return .decision(Self.wrong) }
      if state.waiting[digest] != nil {
        state.waiting[digest]?.append(later)
        return .wait
      }
      guard state.waiting.count < Self.queueLimit else {
        return .decision(.unavailable("too many passwords are being checked, try again later"))
      }
      state.waiting[digest] = [later]
      state.nextWorker = (state.nextWorker + 1) % workers.count
      let hash = state.users[user]
      return .check(
        hash: hash ?? state.decoy, isKnown: hash != nil, generation: state.generation,
        worker: state.nextWorker)
    }
    switch next {
    case .decision(let decision): return decision
    case .wait: return nil
    case .check(let hash, let isKnown, let generation, let worker):
      workers[worker].async {
        let computed = PasswordHash.hash(password, like: hash) ?? []
        let isRight = ConstantTime.equal(computed, Array(hash.utf8)) && isKnown && !hash.isEmpty
        self.found(isRight, digest, generation)
      }
      return nil
    }
  }

  private func found(_ isRight: Bool, _ digest: CredentialDigest, _ generation: Int) {
    let waiting = state.withLock { state in
      if state.generation == generation {
        if isRight {
          Self.remember(digest, in: &state.right)
        } else {
          Self.remember(digest, in: &state.wrong)
        }
      }
      return state.waiting.removeValue(forKey: digest) ?? []
    }
    for later in waiting { later(isRight ? .allowed : Self.wrong) }
  }

  private static func remember(_ digest: CredentialDigest, in memory: inout Set<CredentialDigest>) {
    // Rather than keeping an order, all is found out again when there is too much.
    if memory.count >= memoryLimit { memory.removeAll(keepingCapacity: true) }
    memory.insert(digest)
  }
}

/// Stands for a user with a password in memory, without holding them: 128 bits of a hash under a random key.
struct CredentialDigest: Hashable, Sendable {
  /// Made anew by each process, and never told.
  struct Key: Sendable {
    let first = UInt64.random(in: 0...UInt64.max)
    let second = UInt64.random(in: 0...UInt64.max)
  }

  private let high: Int
  private let low: Int

  init(user: String, password: [UInt8], key: Key) {
    func hash(_ salt: UInt64) -> Int {
      // SipHash under the process' own random key, and ours.
      var hasher = Hasher()
      hasher.combine(salt)
      hasher.combine(user)
      hasher.combine(password)
      return hasher.finalize()
    }
    high = hash(key.first)
    low = hash(key.second)
  }
}
