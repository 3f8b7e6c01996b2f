internal import WireFormat

/// The last value of every series that came by, for an endpoint that exposes them.
///
/// Bounded in bytes: what would take more is refused. A series that gets no value for a while expires, and one that is
/// said to have ended goes at once. Sums and histograms of delta temporality are added up. A family is what it was when
/// it was first met: metrics of the same name and another type are refused.
///
/// A value type: a copy of ``families`` is a snapshot, which can be written while the store goes on.
package struct ExpositionStore: SeriesSink {
  /// What became of the points since ``begin(at:)``.
  package struct Report: Sendable, Hashable {
    /// Points of new series that found no room.
    package var overLimit = 0
    /// Points of families whose name has another type already.
    package var conflicts = 0
    /// The first of those names, where it had not been reported before.
    package var newConflict: String?

    package var refused: Int { overLimit + conflicts }
  }

  private struct Family {
    var exposed: ExposedFamily
    var index: [ExposedLabels: Int] = [:]
    /// When each point was last set, in nanoseconds of the monotonic clock.
    var times: [Int64] = []
    /// The names of series that it has besides its own.
    var claims: [[UInt8]] = []
  }

  private var families: [[UInt8]: Family] = [:]
  /// Names of series by the family that they belong to.
  private var claims: [[UInt8]: [UInt8]] = [:]
  private var reportedConflicts: Set<[UInt8]> = []
  private let limit: Int
  private let expiration: Int64
  private let claimsBaseNames: Bool
  /// Bytes of memory, about.
  package private(set) var bytes = 0
  package private(set) var report = Report()
  private var now: Int64 = 0

  // The metric and the point at hand.
  private var name: [UInt8] = []
  private var type = ExpositionType.unknown
  private var help: [UInt8] = []
  private var unit: [UInt8] = []
  private var key = ExposedLabels()
  private var labelCount = 0
  private var hasPoint = false
  private var isStale = false
  private var point = ExposedPoint(labels: ExposedLabels(), value: .number(0))
  private var parts: [ExposedSeries] = []

  /// - Parameters:
  ///   - limit: bytes of memory, about.
  ///   - expiration: nanoseconds after which a series without a new value is forgotten.
  ///   - claimsBaseNames: whether a counter's name without `_total` is taken, too, as OpenMetrics has it.
  package init(limit: Int, expiration: Int64, claimsBaseNames: Bool) {
    self.limit = limit
    self.expiration = expiration
    self.claimsBaseNames = claimsBaseNames
  }

  /// The number of points that are held.
  package var count: Int { families.values.reduce(0) { $0 + $1.exposed.points.count } }

  /// Begins to take a batch.
  package mutating func begin(at now: Int64) {
    self.now = now
    report = Report()
  }

  /// Ends the batch.
  package mutating func finish() { place() }

  /// Every family, sorted by name, without the series that have expired.
  package mutating func snapshot(at now: Int64) -> [ExposedFamily] {
    removeExpired(at: now)
    return families.values.map(\.exposed).sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// Forgets the series that got no value for too long.
  package mutating func removeExpired(at now: Int64) {
    for (name, family) in families {
      guard family.times.contains(where: { now - $0 > expiration }) else { continue }
      for position in family.times.indices.reversed() where now - family.times[position] > expiration {
        remove(position, of: name)
      }
    }
  }

  // What a walker hands out.

  package mutating func begin(_ family: borrowing SeriesFamily) {
    place()
    name = family.name.array
    type = family.type
    help = family.help.array
    unit = family.unit.array
  }

  package mutating func beginPoint(_ labels: borrowing SeriesLabels) {
    place()
    hasPoint = true
    isStale = false
    parts.removeAll(keepingCapacity: true)
    point = ExposedPoint(labels: ExposedLabels(), value: .number(0))
    labelCount = labels.count
    let hasBuckets = (type == .histogram || type == .gaugeHistogram) && !isPartByName
    var bytes: [UInt8] = []
    for index in 0..<labels.count {
      let label = labels.name(index)
      if label.isSame(as: KnownLabel.name) { continue }
      // The labels of buckets and quantiles take the place of labels of the same name.
      if hasBuckets && label.isSame(as: KnownLabel.bound) { continue }
      ExposedLabels.append(label, to: &bytes)
      ExposedLabels.append(labels.value(index), to: &bytes)
    }
    key = ExposedLabels(bytes: bytes)
  }

  /// Whether the metric is one series of a histogram elsewhere, whose `le` is its own.
  private var isPartByName: Bool { name.hasEnd("_bucket") || name.hasEnd("_sum") || name.hasEnd("_count") }

  package mutating func sample(
    _ labels: borrowing SeriesLabels, _ sample: SeriesPoint, exemplars: borrowing SeriesExemplars
  ) {
    setTimes(sample)
    if StaleMarker.isStale(sample.value) {
      isStale = true
      return
    }
    let exemplar = addExemplar(exemplars)
    guard let part = part(of: labels) else {
      point.value = .number(sample.value)
      return
    }
    parts.append(
      ExposedSeries(part, bound: bound(of: part, labels), value: sample.value, exemplar: exemplar))
  }

  package mutating func histogram(
    _ labels: borrowing SeriesLabels, _ sample: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars
  ) {
    setTimes(sample)
    if StaleMarker.isStale(histogram.sum) {
      isStale = true
      return
    }
    _ = addExemplar(exemplars)
    point.value = .native(copy histogram)
  }

  private mutating func setTimes(_ sample: SeriesPoint) {
    point.timestamp = sample.timestamp
    point.start = sample.start
  }

  /// Keeps the last exemplar and returns its position; -1 for none.
  private mutating func addExemplar(_ exemplars: borrowing SeriesExemplars) -> Int32 {
    let last = exemplars.count - 1
    if last < 0 { return -1 }
    var labels: [UInt8] = []
    for position in exemplars.labels(last) {
      ExposedLabels.append(exemplars.labelName(position), to: &labels)
      ExposedLabels.append(exemplars.labelValue(position), to: &labels)
    }
    point.exemplars.append(
      ExposedExemplar(
        labels: ExposedLabels(bytes: labels), value: exemplars.value(last),
        timestamp: exemplars.timestamp(last)))
    return Int32(point.exemplars.count - 1)
  }

  /// Which part of a histogram or summary a series is; nil when it is the metric itself.
  private func part(of labels: borrowing SeriesLabels) -> ExposedSeries.Part? {
    guard type == .histogram || type == .gaugeHistogram || type == .summary else { return nil }
    for index in 0..<labels.count where labels.name(index).isSame(as: KnownLabel.name) {
      let series = labels.value(index)
      let suffix = series.count - name.count
      if suffix == 0 { return type == .summary && labels.count > labelCount ? .quantile : nil }
      if suffix < 4 { return nil }
      switch series[series.count - 1] {
      case UInt8(ascii: "m"): return .sum
      case UInt8(ascii: "t"): return series[series.count - 2] == UInt8(ascii: "n") ? .count : .bucket
      default: return nil
      }
    }
    return nil
  }

  private func bound(of part: ExposedSeries.Part, _ labels: borrowing SeriesLabels) -> Double {
    guard part == .bucket || part == .quantile else { return 0 }
    let wanted = part == .bucket ? KnownLabel.bound : KnownLabel.quantile
    for index in 0..<labels.count where labels.name(index).isSame(as: wanted) {
      return ExpositionNumber(labels.value(index), at: 0)?.value ?? .nan
    }
    return .nan
  }

  // Keeping points.

  /// Puts the point at hand where it belongs.
  private mutating func place() {
    guard hasPoint else { return }
    hasPoint = false
    var type = type
    if !parts.isEmpty {
      point.value = .series(parts)
    } else if case .number = point.value, !isStale,
      type == .histogram || type == .gaugeHistogram || type == .summary
    {
      // A series that was part of a histogram elsewhere; by itself it is none.
      type = .unknown
    }
    if isStale {
      if let family = families[name], let position = family.index[key] { remove(position, of: name) }
      return
    }
    guard families[name] != nil || open(type) else { return refuseConflict() }
    guard families[name]?.exposed.type == type else { return refuseConflict() }
    if let position = families[name]?.index[key] { update(position) } else { insert() }
  }

  /// Makes the family at hand; false when a name of its series belongs to another one.
  private mutating func open(_ type: ExpositionType) -> Bool {
    let suffixes: [String] =
      switch type {
      case .histogram: ["", "_bucket", "_sum", "_count"]
      case .gaugeHistogram: ["", "_bucket", "_gsum", "_gcount"]
      case .summary: ["", "_sum", "_count"]
      default: [""]
      }
    var names = suffixes.map { name + Array($0.utf8) }
    if claimsBaseNames, type == .counter {
      let base = name.hasEnd("_total") ? Array(name.dropLast(6)) : name
      names.append(contentsOf: [base, base + Array("_total".utf8)].filter { $0 != name })
    }
    guard names.allSatisfy({ claims[$0] == nil }) else { return false }
    for name in names { claims[name] = self.name }
    var family = Family(exposed: ExposedFamily(name: name, type: type, help: help, unit: unit))
    family.claims = names
    families[name] = family
    bytes += Self.familySize(family.exposed)
    return true
  }

  private mutating func refuseConflict() {
    report.conflicts += 1
    guard reportedConflicts.count < 1000, reportedConflicts.insert(name).inserted else { return }
    if report.newConflict == nil { report.newConflict = String(decoding: name, as: UTF8.self) }
  }

  private mutating func insert() {
    point.labels = key
    let size = Self.size(point)
    guard bytes + size <= limit else {
      report.overLimit += 1
      if families[name]?.exposed.points.isEmpty == true { close(name) }
      return
    }
    bytes += size
    let now = now
    withFamily { family, point in
      family.index[point.labels] = family.exposed.points.count
      family.exposed.points.append(point)
      family.times.append(now)
    }
  }

  private mutating func update(_ position: Int) {
    let now = now
    var change = 0
    let room = limit - bytes
    var isOver = false
    withFamily { family, point in
      let old = family.exposed.points[position]
      // An older value than the one that is there is outdated, not wrong.
      if let before = old.timestamp, let time = point.timestamp, time < before { return }
      point.labels = old.labels
      change = Self.size(point) - Self.size(old)
      if change > room {
        (isOver, change) = (true, 0)
        return
      }
      family.exposed.points[position] = point
      family.times[position] = now
    }
    if isOver { report.overLimit += 1 }
    bytes += change
  }

  private mutating func withFamily(_ body: (inout Family, inout ExposedPoint) -> Void) {
    guard let index = families.index(forKey: name) else { return }
    body(&families.values[index], &point)
  }

  /// Takes out a point; the last one takes its place.
  private mutating func remove(_ position: Int, of name: [UInt8]) {
    guard let index = families.index(forKey: name) else { return }
    let removed = families.values[index].exposed.points[position]
    bytes -= Self.size(removed)
    let last = families.values[index].exposed.points.count - 1
    families.values[index].index[removed.labels] = nil
    if position != last {
      let moved = families.values[index].exposed.points[last]
      families.values[index].exposed.points[position] = moved
      families.values[index].times[position] = families.values[index].times[last]
      families.values[index].index[moved.labels] = position
    }
    families.values[index].exposed.points.removeLast()
    families.values[index].times.removeLast()
    if last == 0 { close(name) }
  }

  /// Forgets a family that has no points any more.
  private mutating func close(_ name: [UInt8]) {
    guard let family = families.removeValue(forKey: name) else { return }
    for claim in family.claims { claims[claim] = nil }
    bytes -= Self.familySize(family.exposed)
  }

  /// Heads of arrays, and what a dictionary takes for an entry.
  private static func size(_ point: ExposedPoint) -> Int {
    var size = 128 + MemoryLayout<ExposedPoint>.stride + point.labels.bytes.count
    switch point.value {
    case .number: break
    case .series(let parts): size += 32 + parts.count * MemoryLayout<ExposedSeries>.stride
    case .native(let histogram):
      let spans = histogram.positiveSpans.count + histogram.negativeSpans.count
      let counts = histogram.positiveCounts.count + histogram.negativeCounts.count
      size += 256 + 8 * (spans + counts + histogram.customBounds.count)
    }
    for exemplar in point.exemplars {
      size += 32 + MemoryLayout<ExposedExemplar>.stride + exemplar.labels.bytes.count
    }
    return size
  }

  private static func familySize(_ family: ExposedFamily) -> Int {
    1024 + 6 * family.name.count + family.help.count + family.unit.count
  }
}
