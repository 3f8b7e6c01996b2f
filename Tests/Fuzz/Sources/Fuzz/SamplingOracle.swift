import TelemetryData

@testable import Processors

/// What must hold for every `tracestate`: what is read is kept when it is written anew.
enum SamplingOracle {
  /// One for all inputs, as the sampler has it: nothing of one tracestate may show up in the next.
  private struct Reading: Equatable {
    let isRead: Bool
    let randomness: UInt64?
    let threshold: SamplingThreshold?
    var written: [UInt8] = []

    init(_ state: inout TraceState, _ text: [UInt8], _ threshold: SamplingThreshold?) {
      isRead = state.read(text.span)
      randomness = state.randomness
      self.threshold = state.threshold
      if isRead { state.write(text.span, randomness: nil, threshold: threshold, to: &written) }
    }
  }

  static func check(_ input: [UInt8]) throws {
    var used = TraceState()
    _ = used.read("ot=rv:0123456789abcd;th:8;x:y,a=b".utf8.span)
    var fresh = TraceState()
    let plain = Reading(&fresh, input, nil)
    try require(plain == Reading(&used, input, nil), "a reader that was used before reads it otherwise")
    guard plain.isRead else {
      try require(plain.randomness == nil && plain.threshold == nil, "something of a malformed one counts")
      return
    }
    // A tracestate at its limit may be beyond it once there is a threshold in it.
    guard input.count < 900, plain.written.count < 200 else { return }
    let again = Reading(&fresh, plain.written, nil)
    try require(again.isRead || plain.written.isEmpty, "what was written is malformed")
    try require(again.written == plain.written, "it is written otherwise the second time")
    try require(
      again.randomness == plain.randomness && again.threshold == plain.threshold, "rv or th have changed")
    let new = SamplingThreshold(rejected: 0xC << 52)
    let changed = Reading(&fresh, Reading(&fresh, input, new).written, nil)
    if input.count(where: { $0 == 0x2C }) < 30 {
      try require(changed.isRead && changed.threshold == new, "the new threshold is not there")
      try require(changed.randomness == plain.randomness, "another threshold changes rv")
    }
  }

  static let seeds: [[UInt8]] = [
    "ot=th:8", "ot=rv:0123456789abcd;th:c;x:y.z,rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "a@b=c d,,ot=th:0",
    "fw529a3039@dt=FfAqgo",
  ].map { Array($0.utf8) }
}

/// What must hold for every batch: grouping loses no item, and makes well-formed batches.
enum GroupingOracle {
  static func check(_ input: [UInt8]) throws {
    for signal in Signal.allCases {
      guard let batch = try? Batch(bytes: input, signal: signal, validation: .structure) else { continue }
      for keys in [[], ["k", "service.name"]] {
        var grouping = Grouping(batch, keys: keys.map { Array($0.utf8) })
        grouping.run()
        let written = try demand("writing groups") { try grouping.written() }
        let checked = try demand("reading groups") {
          try Batch(bytes: written.bytes, signal: signal, validation: .structure)
        }
        try require(
          checked.itemCount == batch.itemCount, "\(batch.itemCount) items became \(checked.itemCount)")
        var again = Grouping(checked, keys: [])
        again.run()
        try require(again.groups.count == grouping.groups.count, "equal resources are left apart")
      }
    }
  }

  static let seeds: [[UInt8]] = Signal.allCases.map { signal in
    var builder = BatchBuilder(signal)
    for number in 0..<4 {
      builder.beginResource(ResourceValue(attributes: ["a": .int(Int64(number % 2))]))
      builder.beginScope(ScopeValue(name: "s", attributes: ["x": true]))
      let own: Attributes = ["k": .int(Int64(number % 3)), "n": .int(Int64(number))]
      switch signal {
      case .traces: builder.add(SpanValue(traceID: Array(1...16), spanID: Array(1...8), attributes: own))
      case .logs: builder.add(LogRecordValue(time: 1, body: "x", attributes: own))
      case .metrics:
        builder.add(
          MetricValue(
            name: "m",
            data: .sum(
              [NumberDataPointValue(attributes: own, time: 1, value: .int(1))], .delta, isMonotonic: true)))
      }
    }
    return builder.finish().bytes
  }
}
