internal import PipelineKit
internal import TelemetryData

/// What one policy says of a trace.
enum PolicyDecision: UInt8, CaseIterable, Sendable {
  case sampled, notSampled
  /// The answers of policies with `invert_match`.
  case invertedSampled, invertedNotSampled
  case dropped

  var isSampled: Bool { self == .sampled || self == .invertedSampled }
}

/// What is known of a trace when it is decided about.
struct TraceSummary {
  var id: TraceID
  var facts: Facts
  /// From the first start to the last end, in whole milliseconds; 0 where clocks make it negative.
  var milliseconds: Int64
  var spans: Int
  /// Of its spans with their resources and scopes.
  var bytes: Int
}

/// When a decision is taken, for policies with budgets.
struct DecisionTime {
  var monotonic: MonotonicInstant
  var unixSecond: UInt64
}

/// A sampling policy, ready to be asked.
///
/// Those with budgets have a state: they are asked in the order of the configuration, for one trace after the other.
enum SamplingPolicy {
  case always
  case latency(over: Int64, upTo: Int64?)
  case fact(Facts)
  case noFact(Facts)
  case spanCount(ClosedRange<Int>)
  case probabilistic(TraceIDThreshold)
  case spanRate(TokenBucket)
  case byteRate(TokenBucket)
  case and([SamplingPolicy])
  indirect case not(SamplingPolicy)
  case drop([SamplingPolicy])
  case composite(CompositePolicy)

  func decide(_ trace: TraceSummary, at time: DecisionTime) -> PolicyDecision {
    switch self {
    case .always: return .sampled
    case .latency(let threshold, let upper):
      guard let upper else { return trace.milliseconds >= threshold ? .sampled : .notSampled }
      return trace.milliseconds > threshold && trace.milliseconds <= upper ? .sampled : .notSampled
    case .fact(let bit): return trace.facts & bit != 0 ? .sampled : .notSampled
    case .noFact(let bit): return trace.facts & bit != 0 ? .invertedNotSampled : .invertedSampled
    case .spanCount(let range): return range.contains(trace.spans) ? .sampled : .notSampled
    case .probabilistic(let threshold): return threshold.keeps(trace.id) ? .sampled : .notSampled
    case .spanRate(let bucket): return bucket.take(trace.spans, at: time.monotonic) ? .sampled : .notSampled
    case .byteRate(let bucket): return bucket.take(trace.bytes, at: time.monotonic) ? .sampled : .notSampled
    case .and(let policies):
      return policies.allSatisfy { $0.decide(trace, at: time).isSampled } ? .sampled : .notSampled
    case .not(let policy):
      let decision = policy.decide(trace, at: time)
      switch decision {
      case .sampled: return .notSampled
      case .notSampled: return .sampled
      case .invertedSampled, .invertedNotSampled, .dropped: return decision
      }
    case .drop(let policies):
      return policies.allSatisfy { $0.decide(trace, at: time).isSampled } ? .dropped : .notSampled
    case .composite(let policy): return policy.decide(trace, at: time)
    }
  }
}

/// Keeps a share of all trace ids: those whose FNV-1a hash, with a salt in front, is not above a threshold.
struct TraceIDThreshold: Sendable, Equatable {
  static let defaultSalt = "default-hash-seed"
  private static let prime: UInt64 = 1_099_511_628_211

  private let saltHash: UInt64
  let threshold: UInt64

  /// - Parameter percentage: 0 to 100; what is above keeps all.
  init(percentage: Double, salt: String) {
    var hash: UInt64 = 14_695_981_039_346_656_037
    for byte in (salt.isEmpty ? Self.defaultSalt : salt).utf8 { hash = (hash ^ UInt64(byte)) &* Self.prime }
    saltHash = hash
    threshold = Self.share(percentage / 100)
  }

  func keeps(_ id: TraceID) -> Bool { hash(of: id) <= threshold }

  func hash(of id: TraceID) -> UInt64 {
    var hash = saltHash
    for number in [id.high, id.low] {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        hash = (hash ^ (number >> shift & 0xFF)) &* Self.prime
      }
    }
    return hash
  }

  /// `ratio` of the largest number, as a product with 64 bits of precision, rounded to even, and then cut off: what the
  /// Collector computes with big numbers.
  private static func share(_ ratio: Double) -> UInt64 {
    guard ratio > 0 else { return 0 }
    guard ratio < 1 else { return .max }
    let shift = ratio.exponent - Int(Double.significandBitCount)
    let fraction = UInt64(ratio.significandBitPattern) | (ratio.isNormal ? 1 << 52 : 0)
    var product = UInt128(UInt64.max) * UInt128(fraction)
    var exponent = Int(shift)
    let excess = max(0, UInt128.bitWidth - product.leadingZeroBitCount - 64)
    if excess > 0 {
      let (half, rest) = (UInt128(1) << UInt128(excess - 1), product & ((UInt128(1) << UInt128(excess)) - 1))
      product >>= UInt128(excess)
      exponent += excess
      if rest > half || (rest == half && product & 1 == 1) { product += 1 }
    }
    return UInt64(clamping: product >> UInt128(min(127, max(0, -exponent))))
  }
}

/// A budget that fills up at a steady rate and holds a bounded amount; full at first.
final class TokenBucket {
  private let perSecond: Double
  private let capacity: Double
  private var tokens: Double
  private var filledAt: MonotonicInstant?

  init(perSecond: Int, capacity: Int) {
    self.perSecond = Double(perSecond)
    self.capacity = Double(capacity)
    tokens = self.capacity
  }

  /// Takes so many tokens, or none when there are fewer.
  func take(_ count: Int, at now: MonotonicInstant) -> Bool {
    if let filledAt, now > filledAt {
      tokens = min(capacity, tokens + Double((now - filledAt).wholeNanoseconds) / 1e9 * perSecond)
    }
    filledAt = now
    guard Double(count) <= tokens else { return false }
    tokens -= Double(count)
    return true
  }
}

/// Policies that share a budget of spans: in every second each has a part of it, and the first that wants a trace spends
/// from its own.
final class CompositePolicy {
  struct Member {
    let policy: SamplingPolicy
    /// Spans that it may keep in a second.
    let allowance: Int
    var kept = 0
  }
  private var members: [Member]
  private let total: Int
  private var kept = 0
  private var second: UInt64 = 0

  /// - Parameter members: in the order in which they are asked.
  init(_ members: [Member], total: Int) {
    self.members = members
    self.total = total
  }

  func decide(_ trace: TraceSummary, at time: DecisionTime) -> PolicyDecision {
    if second != time.unixSecond {
      second = time.unixSecond
      kept = 0
      for index in members.indices { members[index].kept = 0 }
    }
    for index in members.indices where members[index].policy.decide(trace, at: time).isSampled {
      // A smaller trace may fit yet, so that nothing is spent on one that does not.
      guard members[index].kept + trace.spans <= members[index].allowance, kept + trace.spans <= total else {
        return .notSampled
      }
      members[index].kept += trace.spans
      kept += trace.spans
      return .sampled
    }
    return .notSampled
  }
}
