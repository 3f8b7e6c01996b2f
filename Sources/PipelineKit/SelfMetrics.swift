import Synchronization
public import TelemetryData

/// What kind of series a self-metric is, in Prometheus' terms.
public enum SelfMetricKind: String, Sendable { case counter, gauge, histogram }

/// A counter or gauge of the collector about itself: one atomic number, safe from any thread.
public final class SelfMetricCell: Sendable {
  private let storage = Atomic<Int>(0)
  private let whole: SelfMetricCell?

  /// A number that is also counted in `whole`.
  init(within whole: SelfMetricCell? = nil) { self.whole = whole }

  /// Adds `amount`.
  @inlinable public func add(_ amount: Int = 1) { increase(amount) }
  @usableFromInline func increase(_ amount: Int) {
    storage.wrappingAdd(amount, ordering: .relaxed)
    whole?.increase(amount)
  }
  /// Replaces the value (gauges).
  public func set(_ value: Int) { storage.store(value, ordering: .relaxed) }
  /// The present value.
  public var value: Int { storage.load(ordering: .relaxed) }
}

/// A histogram of the collector about itself: counts per bucket, sum and count.
public final class SelfMetricHistogram: Sendable {
  /// Upper bounds of the buckets, ascending; a last bucket without bound follows.
  public let bounds: [Int]
  private let state: Mutex<(counts: [Int], sum: Int)>

  init(bounds: [Int]) {
    self.bounds = bounds
    state = Mutex((Array(repeating: 0, count: bounds.count + 1), 0))
  }

  /// Counts one observation.
  public func record(_ value: Int) {
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock {
      $0.counts[bucket] += 1
      $0.sum += value
    }
  }

  /// Counts per bucket (not cumulative) and the sum of all observations.
  public var snapshot: (counts: [Int], sum: Int) { state.withLock { $0 } }
}

/// One series as the registry lists it.
public struct SelfMetricSeries: Sendable {
  public enum Value: Sendable {
    case number(Double)
    case histogram(bounds: [Int], counts: [Int], sum: Int)
  }
  public let labels: [(name: String, value: String)]
  public let value: Value
}

/// All series of one name.
public struct SelfMetricFamily: Sendable {
  public let name: String
  public let help: String
  public let unit: String
  public let kind: SelfMetricKind
  public let series: [SelfMetricSeries]
}

/// Every metric of the collector about itself, registered once and read by the admin endpoints.
///
/// Names are the Collector's (`otelcol_*`) so that existing dashboards keep working, plus `millrace_*`.
public final class SelfMetrics: Sendable {
  private enum Source: Sendable {
    case cell(SelfMetricCell)
    case histogram(SelfMetricHistogram)
    case read(@Sendable () -> Double)
  }
  private struct Series: Sendable {
    let labels: [(name: String, value: String)]
    let source: Source
  }
  private struct Family: Sendable {
    let help: String
    let unit: String
    let kind: SelfMetricKind
    var series: [String: Series] = [:]
    var order: [String] = []
  }
  private let families = Mutex<[String: Family]>([:])

  public init() {}

  /// The counter of this name and these labels, made on first use.
  public func counter(
    _ name: String, help: String, unit: String = "", labels: [(name: String, value: String)] = []
  ) -> SelfMetricCell {
    cell(name, .counter, help, unit, labels)
  }

  /// The gauge of this name and these labels, made on first use.
  public func gauge(
    _ name: String, help: String, unit: String = "", labels: [(name: String, value: String)] = []
  ) -> SelfMetricCell {
    cell(name, .gauge, help, unit, labels)
  }

  /// A gauge or counter whose value is read when somebody looks.
  public func observe(
    _ name: String, kind: SelfMetricKind = .gauge, help: String, unit: String = "",
    labels: [(name: String, value: String)] = [], read: @escaping @Sendable () -> Double
  ) {
    register(name, kind, help, unit, labels, replacing: true) { .read(read) }
  }

  /// Takes out everything of this name.
  public func remove(_ name: String) { families.withLock { _ = $0.removeValue(forKey: name) } }

  /// Takes out the gauges that carry this label: whoever they were about is gone. Counters stay, they are history.
  public func removeGauges(label: String, value: String) {
    families.withLock { families in
      for (name, family) in families where family.kind == .gauge {
        for (key, series) in family.series
        where series.labels.contains(where: { $0.name == label && $0.value == value }) {
          families[name]?.series[key] = nil
          families[name]?.order.removeAll { $0 == key }
        }
      }
    }
  }

  /// The histogram of this name and these labels, made on first use.
  public func histogram(
    _ name: String, bounds: [Int], help: String, unit: String = "",
    labels: [(name: String, value: String)] = []
  ) -> SelfMetricHistogram {
    let source = register(name, .histogram, help, unit, labels) {
      .histogram(SelfMetricHistogram(bounds: bounds))
    }
    if case .histogram(let histogram) = source { return histogram }
    return SelfMetricHistogram(bounds: bounds)
  }

  private func cell(
    _ name: String, _ kind: SelfMetricKind, _ help: String, _ unit: String,
    _ labels: [(name: String, value: String)]
  ) -> SelfMetricCell {
    if case .cell(let cell) = register(name, kind, help, unit, labels, { .cell(SelfMetricCell()) }) {
      return cell
    }
    return SelfMetricCell()
  }

  @discardableResult
  private func register(
    _ name: String, _ kind: SelfMetricKind, _ help: String, _ unit: String,
    _ labels: [(name: String, value: String)], replacing: Bool = false, _ make: () -> Source
  ) -> Source {
    let key = labels.map { "\($0.name)=\($0.value)" }.joined(separator: "\u{0}")
    return families.withLock { families in
      var family = families[name] ?? Family(help: help, unit: unit, kind: kind)
      if let existing = family.series[key], !replacing { return existing.source }
      let source = make()
      if family.series.updateValue(Series(labels: labels, source: source), forKey: key) == nil {
        family.order.append(key)
      }
      families[name] = family
      return source
    }
  }

  /// All families sorted by name, with their values at this moment.
  public func snapshot() -> [SelfMetricFamily] {
    families.withLock { $0 }.sorted { $0.key < $1.key }.map { name, family in
      let series = family.order.compactMap { key -> SelfMetricSeries? in
        guard let series = family.series[key] else { return nil }
        let value: SelfMetricSeries.Value
        switch series.source {
        case .cell(let cell): value = .number(Double(cell.value))
        case .read(let read): value = .number(read())
        case .histogram(let histogram):
          let (counts, sum) = histogram.snapshot
          value = .histogram(bounds: histogram.bounds, counts: counts, sum: sum)
        }
        return SelfMetricSeries(labels: series.labels, value: value)
      }
      return SelfMetricFamily(
        name: name, help: family.help, unit: family.unit, kind: family.kind, series: series)
    }
  }
}

extension Signal {
  /// What the Collector's self-metrics call an item of the signal.
  public var itemNoun: String {
    switch self {
    case .traces: "spans"
    case .metrics: "metric_points"
    case .logs: "log_records"
    }
  }
}
