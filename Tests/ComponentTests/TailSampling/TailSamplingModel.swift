import Foundation
import SeededRandom
import TelemetryData

/// A sampling policy as the documentation has it, asked of decoded spans: the oracle of the property test.
indirect enum ModelPolicy {
  case always, flags
  case latency(Int, upper: Int)
  case number(String, min: Int, max: Int, inverted: Bool)
  case text(String, [String], isRegex: Bool, inverted: Bool)
  case boolean(String, Bool, inverted: Bool)
  case probabilistic(Double, salt: String)
  case status([String])
  case rate(Int, burst: Int)
  case spanCount(Int, Int)
  case traceState(String, [String])
  case and([ModelPolicy])
  case not(ModelPolicy)
  case drop([ModelPolicy])
  case composite(total: Int, order: [Int], [(policy: ModelPolicy, percent: Int)])

  /// The settings, in flow style.
  func yaml(_ name: String) -> String {
    let (type, section) = parts
    return "{name: \(name), type: \(type)\(section.isEmpty ? "" : ", \(type): {\(section)}")}"
  }

  private var parts: (String, String) {
    func list(_ policies: [ModelPolicy]) -> String {
      "[" + policies.enumerated().map { $1.yaml("p\($0)") }.joined(separator: ", ") + "]"
    }
    switch self {
    case .always: return ("always_sample", "")
    case .flags: return ("trace_flags", "")
    case .latency(let low, let high): return ("latency", "threshold_ms: \(low), upper_threshold_ms: \(high)")
    case .number(let key, let low, let high, let inverted):
      return (
        "numeric_attribute", "key: \(key), min_value: \(low), max_value: \(high), invert_match: \(inverted)"
      )
    case .text(let key, let values, let isRegex, let inverted):
      let values = values.map { "\"\($0)\"" }.joined(separator: ", ")
      return (
        "string_attribute",
        "key: \(key), values: [\(values)], enabled_regex_matching: \(isRegex), invert_match: \(inverted)"
      )
    case .boolean(let key, let value, let inverted):
      return ("boolean_attribute", "key: \(key), value: \(value), invert_match: \(inverted)")
    case .probabilistic(let percentage, let salt):
      return ("probabilistic", "sampling_percentage: \(percentage), hash_salt: \"\(salt)\"")
    case .status(let codes): return ("status_code", "status_codes: [\(codes.joined(separator: ", "))]")
    case .rate(let rate, let burst):
      return ("rate_limiting", "spans_per_second: \(rate), burst_capacity: \(burst)")
    case .spanCount(let low, let high): return ("span_count", "min_spans: \(low), max_spans: \(high)")
    case .traceState(let key, let values):
      return ("trace_state", "key: \(key), values: [\(values.joined(separator: ", "))]")
    case .and(let policies): return ("and", "and_sub_policy: \(list(policies))")
    case .not(let policy): return ("not", "not_sub_policy: \(policy.yaml("n"))")
    case .drop(let policies): return ("drop", "drop_sub_policy: \(list(policies))")
    case .composite(let total, let order, let members):
      let order = order.map { "p\($0)" }.joined(separator: ", ")
      let shares = members.enumerated().filter { $1.percent > 0 }
        .map { "{policy: p\($0), percent: \($1.percent)}" }.joined(separator: ", ")
      return (
        "composite",
        "max_total_spans_per_second: \(total), policy_order: [\(order)], "
          + "composite_sub_policy: \(list(members.map(\.policy))), rate_allocation: [\(shares)]"
      )
    }
  }
}

enum ModelDecision { case sampled, notSampled, invertSampled, invertNotSampled, dropped }

/// The sampler by brute force: keeps decoded spans of every trace, and looks at all of them again to decide.
final class SamplingModel {
  struct Settings {
    var wait = 2000
    var rootWait = 0
    var traces = 1000
    var sampledCache = 0
    var droppedCache = 0
    var stopsAtFirstMatch = false
    var dropsAtEnd = false
    var policies: [ModelPolicy] = []

    var yaml: String {
      let policies = policies.enumerated().map { $1.yaml("policy\($0)") }.joined(separator: ", ")
      return
        "decision_wait: \(wait)ms, decision_wait_after_root_received: \(rootWait)ms, num_traces: \(traces), "
        + "decision_cache: {sampled_cache_size: \(sampledCache), non_sampled_cache_size: \(droppedCache)}, "
        + "sample_on_first_match: \(stopsAtFirstMatch), drop_pending_traces_on_shutdown: \(dropsAtEnd), "
        + "policies: [\(policies)]"
    }
  }

  private struct Trace {
    let id: [UInt8]
    let number: Int
    var due: Int
    var spans: [TestSpan] = []
    var isKept: Bool?
  }

  private let settings: Settings
  private var traces: [Trace] = []
  private var keptIDs: [[UInt8]] = []
  private var droppedIDs: [[UInt8]] = []
  private var made = 0
  /// Milliseconds on the virtual clock.
  private var now = 0
  private var buckets: [String: (tokens: Double, at: Int)] = [:]
  private var seconds: [String: (second: Int, kept: [Int])] = [:]
  private(set) var kept: [String] = []
  private(set) var lost = 0
  private(set) var early = 0
  private let unixStart = 1_767_323_045_678

  init(_ settings: Settings) { self.settings = settings }

  private var tick: Int {
    let shortest = settings.rootWait > 0 ? min(settings.wait, settings.rootWait) : settings.wait
    return min(max(shortest / 10, 1), 100)
  }

  // MARK: Events

  func add(_ spans: [TestSpan]) {
    for span in spans { add(span) }
    decideDue()
  }

  func pause(_ milliseconds: Int) {
    for _ in 0..<milliseconds {
      now += 1
      if now % tick == 0 { decideDue() }
    }
  }

  func finish() {
    if settings.dropsAtEnd {
      lost += traces.filter { $0.isKept == nil }.reduce(0) { $0 + $1.spans.count }
      return
    }
    while let next = traces.first(where: { $0.isKept == nil }) { decide(next.number) }
  }

  private func add(_ span: TestSpan) {
    let id = span.value.traceID
    if let known = traces.firstIndex(where: { $0.id == id }) {
      if let isKept = traces[known].isKept {
        if isKept { kept.append(span.value.name) }
        return
      }
      traces[known].spans.append(span)
    } else {
      if remembers(id, in: &keptIDs) {
        kept.append(span.value.name)
        return
      }
      if remembers(id, in: &droppedIDs) { return }
      while traces.count >= settings.traces {
        let oldest = traces[0]
        if oldest.isKept == nil {
          early += 1
          decide(oldest.number)
        }
        traces.removeAll { $0.number == oldest.number }
      }
      traces.append(Trace(id: id, number: made, due: now + settings.wait, spans: [span]))
      made += 1
    }
    if settings.rootWait > 0,
      traces.first(where: { $0.id == id })?.spans.contains(where: \.value.parentSpanID.isEmpty) == true,
      let place = traces.firstIndex(where: { $0.id == id })
    {
      traces[place].due = min(traces[place].due, now + settings.rootWait)
    }
  }

  private func remembers(_ id: [UInt8], in cache: inout [[UInt8]]) -> Bool {
    guard let place = cache.firstIndex(of: id) else { return false }
    cache.append(cache.remove(at: place))
    return true
  }

  private func decideDue() {
    let due = traces.filter { $0.isKept == nil && $0.due <= now / tick * tick }
    for trace in due.sorted(by: { ($0.due, $0.number) < ($1.due, $1.number) }) { decide(trace.number) }
  }

  private func decide(_ number: Int) {
    guard let place = traces.firstIndex(where: { $0.number == number }) else { return }
    let isKept = isWanted(traces[place].spans)
    if isKept { kept += traces[place].spans.map(\.value.name) }
    traces[place].isKept = isKept
    traces[place].spans = []
    let id = traces[place].id
    let size = isKept ? settings.sampledCache : settings.droppedCache
    guard size > 0 else { return }
    traces.remove(at: place)
    if isKept { Self.remember(id, in: &keptIDs, size) } else { Self.remember(id, in: &droppedIDs, size) }
  }

  private static func remember(_ id: [UInt8], in cache: inout [[UInt8]], _ size: Int) {
    cache.removeAll { $0 == id }
    cache.append(id)
    if cache.count > size { cache.removeFirst() }
  }

  // MARK: Policies

  private func isWanted(_ spans: [TestSpan]) -> Bool {
    let numbered = settings.policies.enumerated().map { (path: "\($0)", policy: $1) }
    func isDrop(_ policy: ModelPolicy) -> Bool { if case .drop = policy { true } else { false } }
    var decisions: [ModelDecision] = []
    for (path, policy) in numbered.filter({ isDrop($0.policy) }) + numbered.filter({ !isDrop($0.policy) }) {
      let decision = ask(policy, spans, path)
      decisions.append(decision)
      if decision == .dropped || settings.stopsAtFirstMatch && decision == .sampled { break }
    }
    if decisions.contains(.dropped) || decisions.contains(.invertNotSampled) { return false }
    if decisions.contains(.sampled) { return true }
    return decisions.contains(.invertSampled) && !decisions.contains(.notSampled)
  }

  private func ask(_ policy: ModelPolicy, _ spans: [TestSpan], _ path: String) -> ModelDecision {
    func any(_ holds: (TestSpan) -> Bool) -> ModelDecision {
      spans.contains(where: holds) ? .sampled : .notSampled
    }
    func attribute(_ key: String, _ inverted: Bool, _ holds: (AnyValue, Bool) -> Bool) -> ModelDecision {
      let found = spans.contains { span in
        first(key, span.resource).map { holds($0, true) } ?? false
          || first(key, span.value.attributes).map { holds($0, false) } ?? false
      }
      return inverted ? (found ? .invertNotSampled : .invertSampled) : (found ? .sampled : .notSampled)
    }
    func wants(_ policy: ModelPolicy, _ path: String) -> Bool {
      let decision = ask(policy, spans, path)
      return decision == .sampled || decision == .invertSampled
    }
    switch policy {
    case .always: return .sampled
    case .flags: return any { $0.value.flags & 1 == 1 }
    case .latency(let low, let high):
      let start = spans.map(\.value.startTime).min() ?? 0
      let end = spans.map(\.value.endTime).max() ?? 0
      let length = end > start ? Int((end - start) / 1_000_000) : 0
      return (high == 0 ? length >= low : length > low && length <= high) ? .sampled : .notSampled
    case .number(let key, let low, let high, let inverted):
      return attribute(key, inverted) { value, _ in
        guard case .int(let number) = value else { return false }
        return (low == 0 || number >= low) && (high == 0 || number <= high)
      }
    case .text(let key, let values, let isRegex, let inverted):
      return attribute(key, inverted) { value, isResource in
        guard case .string(let text) = value, isResource || !text.isEmpty else { return false }
        return isRegex
          ? values.contains { text.range(of: $0, options: .regularExpression) != nil }
          : !text.isEmpty && values.contains(text)
      }
    case .boolean(let key, let wanted, let inverted):
      return attribute(key, inverted) { value, _ in value == .bool(wanted) }
    case .probabilistic(let percentage, let salt):
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      let bytes = Array((salt.isEmpty ? "default-hash-seed" : salt).utf8) + spans[0].value.traceID
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      let share = percentage >= 100 ? UInt64.max : UInt64(Double(UInt64.max) * percentage / 100)
      return hash <= share ? .sampled : .notSampled
    case .status(let codes):
      return any { span in
        let names = ["UNSET", "OK", "ERROR"]
        let code = Int(span.value.status?.code ?? 0)
        return code < 3 && codes.contains(names[code])
      }
    case .rate(let rate, let burst):
      let capacity = Double(burst == 0 ? 2 * rate : burst)
      var bucket = buckets[path] ?? (capacity, now)
      bucket.tokens = min(capacity, bucket.tokens + Double(now - bucket.at) / 1000 * Double(rate))
      bucket.at = now
      let fits = Double(spans.count) <= bucket.tokens
      if fits { bucket.tokens -= Double(spans.count) }
      buckets[path] = bucket
      return fits ? .sampled : .notSampled
    case .spanCount(let low, let high):
      return spans.count >= low && (high == 0 || spans.count <= high) ? .sampled : .notSampled
    case .traceState(let key, let values):
      return any { span in
        span.value.traceState.split(separator: ",").contains { member in
          let pair = member.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
          return pair.first == key && values.contains(pair.last ?? "")
        }
      }
    case .and(let policies):
      for (index, policy) in policies.enumerated() where !wants(policy, "\(path).\(index)") {
        return .notSampled
      }
      return .sampled
    case .not(let policy):
      let decision = ask(policy, spans, "\(path).n")
      return decision == .sampled ? .notSampled : decision == .notSampled ? .sampled : decision
    case .drop(let policies):
      for (index, policy) in policies.enumerated() where !wants(policy, "\(path).\(index)") {
        return .notSampled
      }
      return .dropped
    case .composite(let total, let order, let members):
      let second = (unixStart + now) / 1000
      var state = seconds[path] ?? (second, [])
      if state.second != second || state.kept.isEmpty {
        state = (second, Array(repeating: 0, count: members.count))
      }
      defer { seconds[path] = state }
      for index in order + members.indices.filter({ !order.contains($0) })
      where wants(members[index].policy, "\(path).\(index)") {
        let share = members[index].percent > 0 ? total * members[index].percent / 100 : total / members.count
        guard state.kept[index] + spans.count <= share, state.kept.reduce(0, +) + spans.count <= total else {
          return .notSampled
        }
        state.kept[index] += spans.count
        return .sampled
      }
      return .notSampled
    }
  }

  private func first(_ key: String, _ attributes: Attributes) -> AnyValue? {
    attributes.entries.first { $0.key == key }?.value
  }
}

extension SeededGenerator {
  mutating func policy(depth: Int = 0) -> ModelPolicy {
    let keys = ["a", "b", "c"]
    switch below(depth == 0 ? 16 : depth == 1 ? 12 : 11) {
    case 0: return depth == 0 && chance(70) ? .status(["ERROR"]) : .always
    case 1: return .flags
    case 2:
      let low = below(400)
      return .latency(low, upper: chance(50) ? 0 : low + 1 + below(400))
    case 3:
      let low = below(4) - 1
      return .number(
        pick(keys), min: low, max: low <= 0 ? 2 : chance(50) ? 0 : low + below(3), inverted: chance(25))
    case 4:
      return .text(
        pick(keys), pick([["x"], ["x", "y1"], ["", "y2"]]), isRegex: false, inverted: chance(25))
    case 5:
      return .text(
        pick(keys), pick([["y[12]"], ["^x$", "y1$"], ["1"]]), isRegex: true, inverted: chance(25))
    case 6: return .boolean(pick(keys), chance(50), inverted: chance(25))
    case 7: return .probabilistic(Double(below(1000)) / 10, salt: pick(["", "salt"]))
    case 8: return .status(pick([["ERROR"], ["OK"], ["UNSET", "OK"]]))
    case 9:
      let low = below(4)
      return .spanCount(low, chance(50) ? 0 : low + 1 + below(4))
    case 10: return chance(50) ? .traceState("k1", ["v1", "v3"]) : .rate(1 + below(20), burst: below(2) * 15)
    case 11: return .not(policy(depth: 2))
    case 12: return .and((0...below(3)).map { _ in policy(depth: 1) })
    case 13: return .drop((0...below(2)).map { _ in policy(depth: 1) })
    case 14: return .rate(1 + below(30), burst: 0)
    default:
      let members = (0...below(3)).map { _ in (policy: policy(depth: 1), percent: below(2) * 25) }
      let order = members.indices.shuffled(using: &self)
      return .composite(total: 5 + below(40), order: Array(order.prefix(below(members.count + 1))), members)
    }
  }

  mutating func testSpan(_ trace: Int, _ name: String) -> TestSpan {
    func attributes(_ generator: inout Self) -> Attributes {
      var attributes: Attributes = []
      for _ in 0..<generator.below(4) {
        let values: [AnyValue] = [
          .int(Int64(generator.below(4))), .string(generator.pick(["x", "y1", "y2", ""])),
          .bool(generator.chance(50)),
          .double(1.5), .array([.int(1)]), .bytes([1]), .empty,
        ]
        attributes.append(generator.pick(["a", "b", "c", "d"]), generator.pick(values))
      }
      return attributes
    }
    var span = TestSpan(
      trace, name, start: below(300), length: below(300), status: Int32(pick([0, 0, 0, 1, 2])),
      attributes: attributes(&self), isRoot: chance(20), service: pick(["shop", "pay"]),
      resource: chance(30) ? attributes(&self) : [])
    span.scope = pick(["lib", "other"])
    span.value.flags = UInt32(pick([0, 0, 1, 0x300, 0x301]))
    span.value.traceState = pick(["", "", "k1=v1", "k2=v1,k1=v2", "k0=v0, k1=v3", "k2=v3"])
    return span
  }
}
