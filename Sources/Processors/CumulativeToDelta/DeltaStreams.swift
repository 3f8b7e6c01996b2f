internal import PipelineKit
internal import TelemetryData

/// What to do with the first point of a stream.
enum InitialValueRule {
  /// It goes on when its stream began after the processor did.
  case auto(since: UInt64)
  case keep
  case drop
}

/// Tells deltas from cumulative points.
///
/// The start time belongs to a stream's identity, so that one which began anew is a new stream.
struct DeltaStreams {
  private var table: StreamTable<DeltaBaseline>
  private let rule: InitialValueRule

  init(_ limits: StreamLimits, _ rule: InitialValueRule) {
    table = StreamTable(limits)
    self.rule = rule
  }

  var count: Int { table.count }

  mutating func expire(now: MonotonicInstant) { table.expire(now: now) }

  mutating func delta(
    of value: Int64, _ id: StreamID, start: UInt64, time: UInt64, now: MonotonicInstant
  ) -> DeltaVerdict<Int64> {
    let bits = UInt64(bitPattern: value)
    guard let place = table.find(id) else {
      return first(value, DeltaBaseline(time: time, bits: bits), id, start: start, now: now)
    }
    return table.update(place, now: now) { baseline in
      if time < baseline.time { return .dropped(.outOfOrder) }
      let earlier = Int64(bitPattern: baseline.bits)
      let startTime = baseline.time
      baseline = DeltaBaseline(time: time, bits: bits)
      return value < earlier ? .dropped(.reset) : .delta(value &- earlier, startTime: startTime)
    }
  }

  mutating func delta(
    of value: Double, _ id: StreamID, start: UInt64, time: UInt64, now: MonotonicInstant
  ) -> DeltaVerdict<Double> {
    guard let place = table.find(id) else {
      let baseline = DeltaBaseline(time: time, bits: value.bitPattern)
      return first(value, baseline, id, start: start, now: now)
    }
    return table.update(place, now: now) { baseline in
      if time < baseline.time { return .dropped(.outOfOrder) }
      let earlier = Double(bitPattern: baseline.bits)
      let startTime = baseline.time
      baseline = DeltaBaseline(time: time, bits: value.bitPattern)
      return value < earlier ? .dropped(.reset) : .delta(value - earlier, startTime: startTime)
    }
  }

  mutating func delta(
    of counts: ExplicitCounts, _ id: StreamID, start: UInt64, time: UInt64, now: MonotonicInstant
  ) -> DeltaVerdict<ExplicitCounts> {
    guard let place = table.find(id) else {
      let baseline = DeltaBaseline(time: time, bits: 0, distribution: .explicit(counts))
      return first(counts, baseline, id, start: start, now: now)
    }
    return table.update(place, now: now) { baseline in
      if time < baseline.time { return .dropped(.outOfOrder) }
      guard case .explicit(let earlier) = baseline.distribution else { return .dropped(.bucketMismatch) }
      let startTime = baseline.time
      var counts = counts
      let isNaN = counts.sum?.isNaN ?? false
      if isNaN { counts.sum = earlier.sum }
      baseline = DeltaBaseline(time: time, bits: 0, distribution: .explicit(counts))
      if !counts.isComparable(with: earlier) { return .dropped(.bucketMismatch) }
      // A histogram that was reset counts from nothing: all of it came since.
      var delta = counts.since(earlier) ?? counts
      if isNaN { delta.sum = .nan }
      return .delta(delta, startTime: startTime)
    }
  }

  mutating func delta(
    of counts: ExponentialCounts, _ id: StreamID, start: UInt64, time: UInt64, now: MonotonicInstant
  ) -> DeltaVerdict<ExponentialCounts> {
    guard let place = table.find(id) else {
      let baseline = DeltaBaseline(time: time, bits: 0, distribution: .exponential(counts))
      return first(counts, baseline, id, start: start, now: now)
    }
    return table.update(place, now: now) { baseline in
      if time < baseline.time { return .dropped(.outOfOrder) }
      guard case .exponential(let earlier) = baseline.distribution else { return .dropped(.reset) }
      let startTime = baseline.time
      baseline = DeltaBaseline(time: time, bits: 0, distribution: .exponential(counts))
      guard let delta = counts.since(earlier) else { return .dropped(.reset) }
      return .delta(delta, startTime: startTime)
    }
  }

  private mutating func first<Value>(
    _ value: Value, _ baseline: DeltaBaseline, _ id: StreamID, start: UInt64, now: MonotonicInstant
  ) -> DeltaVerdict<Value> {
    // Where there is no room, what was not heard of for the longest begins anew when it comes again.
    while !table.hasRoom(for: baseline), table.removeOldest() {}
    table.insert(id, baseline, now: now)
    switch rule {
    case .auto(let since):
      return start < since || start == baseline.time
        ? .dropped(.initial) : .delta(value, startTime: start)
    case .keep: return .delta(value, startTime: start)
    case .drop: return .dropped(.initial)
    }
  }
}
