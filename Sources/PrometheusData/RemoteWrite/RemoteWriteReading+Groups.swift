internal import TelemetryData
internal import WireFormat

/// A list within an array of links: where it begins and ends, -1 when empty.
struct RemoteWriteChain {
  var first: Int32 = -1
  var last: Int32 = -1
}

/// What the data of a metric is.
enum RemoteWriteKind: UInt8 {
  case number, exponential, explicit
}

/// The series of one request, by resource, scope and metric, each in the order of appearance.
struct RemoteWriteGroups {
  struct Resource {
    var job: WireRange
    var instance: WireRange
    var scopes = RemoteWriteChain()
    /// The `target_info` series whose labels are attributes of the resource; empty when there is none.
    var info = WireRange(start: 0, end: 0)
  }
  struct Scope {
    var resource: Int32
    /// The fields of the labels `otel_scope_*`, compared as they are.
    var key: WireRange
    /// A series that has these labels.
    var example: WireRange
    var metrics = RemoteWriteChain()
    var next: Int32 = -1
  }
  struct Metric {
    var scope: Int32
    var name: WireRange
    var kind: RemoteWriteKind
    /// What the series itself says; 0 for unknown.
    var type: UInt8
    /// What is known of the name from elsewhere.
    var known: KnownMetadata?
    var help: WireRange
    var unit: WireRange
    var series = RemoteWriteChain()
    var next: Int32 = -1
  }
  struct Series {
    var payload: WireRange
    /// Exemplars that came in series of their own.
    var exemplars = RemoteWriteChain()
    var next: Int32 = -1
  }

  private(set) var resources: [Resource] = []
  private(set) var scopes: [Scope] = []
  private(set) var metrics: [Metric] = []
  private(set) var series: [Series] = []
  private(set) var exemplarSeries: [(payload: WireRange, next: Int32)] = []
  private var resourceTable = RemoteWriteTable()
  private var scopeTable = RemoteWriteTable()
  private var metricTable = RemoteWriteTable()
  private var lastResource = -1
  private var lastScope = -1
  private var lastMetric = -1

  /// The resource of a job and instance.
  mutating func resource(_ bytes: Span<UInt8>, job: WireRange, instance: WireRange) -> Int {
    func isSame(_ resource: Resource) -> Bool {
      bytes.isSame(resource.instance, instance) && bytes.isSame(resource.job, job)
    }
    if lastResource >= 0, isSame(resources[lastResource]) { return lastResource }
    let hash = bytes.hash(instance, bytes.hash(job, 1))
    var probe = resourceTable.probe(hash)
    while let found = resourceTable.next(&probe) {
      if isSame(resources[found]) {
        lastResource = found
        return found
      }
    }
    resources.append(Resource(job: job, instance: instance))
    lastResource = resources.count - 1
    resourceTable.insert(lastResource, hash)
    return lastResource
  }

  /// The scope with the labels `otel_scope_*` of a series.
  mutating func scope(_ bytes: Span<UInt8>, resource: Int, key: WireRange, of series: WireRange) -> Int {
    func isSame(_ scope: Scope) -> Bool {
      Int(scope.resource) == resource && bytes.isSame(scope.key, key)
    }
    if lastScope >= 0, isSame(scopes[lastScope]) { return lastScope }
    let hash = bytes.hash(key, UInt64(resource))
    var probe = scopeTable.probe(hash)
    while let found = scopeTable.next(&probe) {
      if isSame(scopes[found]) {
        lastScope = found
        return found
      }
    }
    scopes.append(Scope(resource: Int32(resource), key: key, example: series))
    lastScope = scopes.count - 1
    scopeTable.insert(lastScope, hash)
    let number = Int32(lastScope)
    let last = resources[resource].scopes.last
    if last < 0 { resources[resource].scopes.first = number } else { scopes[Int(last)].next = number }
    resources[resource].scopes.last = number
    return lastScope
  }

  /// The metric of a name, kind and type, and whether it is a new one.
  mutating func metric(
    _ bytes: Span<UInt8>, scope: Int, name: WireRange, kind: RemoteWriteKind, type: UInt8, help: WireRange,
    unit: WireRange
  ) -> (index: Int, isNew: Bool) {
    func isSame(_ metric: Metric) -> Bool {
      Int(metric.scope) == scope && metric.kind == kind && metric.type == type
        && bytes.isSame(metric.name, name)
    }
    if lastMetric >= 0, isSame(metrics[lastMetric]) { return (lastMetric, false) }
    let hash = bytes.hash(name, UInt64(scope) << 16 | UInt64(kind.rawValue) << 8 | UInt64(type))
    var probe = metricTable.probe(hash)
    while let found = metricTable.next(&probe) {
      if isSame(metrics[found]) {
        lastMetric = found
        return (found, false)
      }
    }
    metrics.append(
      Metric(
        scope: Int32(scope), name: name, kind: kind, type: type, known: nil, help: help, unit: unit))
    lastMetric = metrics.count - 1
    metricTable.insert(lastMetric, hash)
    let number = Int32(lastMetric)
    let last = scopes[scope].metrics.last
    if last < 0 { scopes[scope].metrics.first = number } else { metrics[Int(last)].next = number }
    scopes[scope].metrics.last = number
    return (lastMetric, true)
  }

  mutating func setKnown(_ known: KnownMetadata?, ofMetric metric: Int) {
    metrics[metric].known = known
  }

  mutating func setInfo(_ payload: WireRange, ofResource resource: Int) {
    resources[resource].info = payload
  }

  /// Adds a series behind those of a metric.
  mutating func add(_ payload: WireRange, toMetric metric: Int) {
    series.append(Series(payload: payload))
    let number = Int32(series.count - 1)
    let last = metrics[metric].series.last
    if last < 0 { metrics[metric].series.first = number } else { series[Int(last)].next = number }
    metrics[metric].series.last = number
  }

  /// Adds the exemplars of a series of their own to one with samples.
  mutating func add(exemplarsOf payload: WireRange, toSeries index: Int) {
    exemplarSeries.append((payload, -1))
    let number = Int32(exemplarSeries.count - 1)
    let last = series[index].exemplars.last
    if last < 0 { series[index].exemplars.first = number } else { exemplarSeries[Int(last)].next = number }
    series[index].exemplars.last = number
  }
}

/// Finds numbered things by a hash of their bytes: open addressing over numbers, the bytes stay where they are.
struct RemoteWriteTable {
  struct Probe {
    fileprivate var hash: UInt64
    fileprivate var slot: Int
  }
  private var slots: [(hash: UInt64, index: Int32)] = []
  private var used = 0

  func probe(_ hash: UInt64) -> Probe { Probe(hash: hash, slot: Int(truncatingIfNeeded: hash)) }

  /// The next thing that may be the one looked for.
  func next(_ probe: inout Probe) -> Int? {
    if slots.isEmpty { return nil }
    while true {
      let slot = slots[probe.slot & (slots.count &- 1)]
      probe.slot = probe.slot &+ 1
      if slot.index < 0 { return nil }
      if slot.hash == probe.hash { return Int(slot.index) }
    }
  }

  mutating func insert(_ index: Int, _ hash: UInt64) {
    if used &* 4 >= slots.count &* 3 { grow() }
    place(Int32(index), hash)
    used += 1
  }

  private mutating func place(_ index: Int32, _ hash: UInt64) {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot].index >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = (hash, index)
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: (0, -1), count: max(16, old.count * 2))
    for slot in old where slot.index >= 0 { place(slot.index, slot.hash) }
  }
}

extension Span where Element == UInt8 {
  /// Whether two parts hold the same bytes.
  func isSame(_ a: WireRange, _ b: WireRange) -> Bool {
    a == b || extracting(a.range).hasSameBytes(as: extracting(b.range))
  }

  /// A hash of a part, different in each process, so that nobody can choose names that collide.
  func hash(_ range: WireRange, _ seed: UInt64) -> UInt64 {
    func mix(_ value: UInt64) -> UInt64 {
      let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
      return product.high ^ product.low
    }
    var hash = mix(RemoteWriteSeed.value ^ seed) ^ UInt64(truncatingIfNeeded: range.count)
    var position = range.lowerBound
    let end = range.upperBound
    while position &+ 8 <= end {
      hash = mix(hash ^ loadUInt64(at: position))
      position &+= 8
    }
    while position < end {
      hash = mix(hash ^ UInt64(self[position]))
      position &+= 1
    }
    return hash
  }
}

private enum RemoteWriteSeed {
  static let value = UInt64.random(in: .min ... .max)
}
