import CMeasure
import Glibc

/// What one operation costs, per item.
struct Measurement: Sendable {
  /// CPU time in nanoseconds: the median of the rounds.
  var nanoseconds: Double
  /// Instructions in user mode, where the processor's counters are at hand.
  var instructions: Double?
  var allocations: Double

  static let rounds = 15

  /// Runs an operation for about half a second.
  static func of(_ operation: Operation) throws -> Measurement {
    var sink = 0
    // Enough calls for two milliseconds; the calls that find out also warm up.
    var calls = 1
    while true {
      let start = cpuTime()
      for _ in 0..<calls { sink &+= try operation.run() }
      if cpuTime() - start > 2_000_000 { break }
      calls *= 2
    }
    calls *= 8
    var times: [UInt64] = []
    let counter = measure_open_instructions()
    defer { if counter >= 0 { close(counter) } }
    let (allocations, instructions) = (
      measure_allocations(), counter >= 0 ? measure_instructions(counter) : 0
    )
    for _ in 0..<rounds {
      let start = cpuTime()
      for _ in 0..<calls { sink &+= try operation.run() }
      times.append(cpuTime() - start)
    }
    let items = Double(calls * operation.items)
    let total = items * Double(rounds)
    let counted = counter >= 0 ? Double(measure_instructions(counter) - instructions) / total : nil
    let allocated = Double(measure_allocations() - allocations - timesGrew) / total
    if sink == 1 { print("") }
    return Measurement(
      nanoseconds: Double(times.sorted()[rounds / 2]) / items, instructions: counted, allocations: allocated)
  }

  /// What the array of times itself allocates: 1, 2, 4, 8 and 16 places.
  private static var timesGrew: UInt64 { 4 }

  private static func cpuTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
