/// Totals of counters and histograms that come as differences (delta temporality), for exporters to a world that knows
/// totals only.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", Sums and Histograms. A total starts with the first
/// difference that is seen, at its start time; after a restart of the process it starts anew, which Prometheus sees as a
/// reset.
struct DeltaSums {
  /// What was added up of one series.
  private struct Total {
    var start: UInt64
    var time: UInt64
    var value = 0.0
    var count: UInt64 = 0
    var buckets: [UInt64] = []
    var bounds: [Double] = []
  }
  private var totals: [[UInt8]: Total] = [:]
  private var newest: UInt64 = 0
  private var additions = 0

  /// The most series that are kept; beyond it new ones are dropped.
  static let mostSeries = 500_000
  /// Nanoseconds after the newest point at which a series that got nothing is forgotten.
  static let staleAfter: UInt64 = 3600 * 1_000_000_000

  /// Why a difference is not added.
  enum Problem: Error {
    /// It is not newer than what was added before.
    case outOfOrder
    case tooManySeries
  }

  /// Adds a counter's difference; gives its total and when that began.
  mutating func add(
    _ value: Double, to series: [UInt8], start: UInt64, time: UInt64
  ) throws(Problem) -> (value: Double, start: UInt64) {
    var total = try take(series, start: start, time: time)
    total.value += value
    totals[series] = total
    return (total.value, total.start)
  }

  /// Adds a histogram's differences, whose places get the totals; gives when they began.
  ///
  /// When the bounds are others than before the totals begin anew.
  mutating func add(
    count: inout UInt64, sum: inout Double?, buckets: inout [UInt64], bounds: [Double], to series: [UInt8],
    start: UInt64, time: UInt64
  ) throws(Problem) -> UInt64 {
    var total = try take(series, start: start, time: time)
    if total.bounds != bounds || total.buckets.count != buckets.count {
      total = Total(start: start, time: time)
      total.bounds = bounds
      total.buckets = Array(repeating: 0, count: buckets.count)
    }
    total.count &+= count
    for index in buckets.indices { total.buckets[index] &+= buckets[index] }
    total.value += sum ?? 0
    totals[series] = total
    count = total.count
    buckets = total.buckets
    if sum != nil { sum = total.value }
    return total.start
  }

  private mutating func take(_ series: [UInt8], start: UInt64, time: UInt64) throws(Problem) -> Total {
    newest = max(newest, time)
    additions += 1
    if additions % 65_536 == 0 { forgetStale() }
    guard var total = totals[series] else {
      if totals.count >= Self.mostSeries { throw .tooManySeries }
      return Total(start: start, time: time)
    }
    if time <= total.time { throw .outOfOrder }
    total.time = time
    return total
  }

  private mutating func forgetStale() {
    let limit = newest > Self.staleAfter ? newest - Self.staleAfter : 0
    totals = totals.filter { $0.value.time >= limit }
  }
}
