/// What a metric is in OTLP.
enum ScrapedKind: UInt8, Sendable, Hashable {
  case gauge
  /// Monotonic.
  case counter
  /// A sum that is not monotonic: info and stateset.
  case state
  /// Of classic series.
  case histogram
  /// A native histogram with bounds of its own: a histogram in OTLP, from one series.
  case custom
  case exponential, summary
}

/// What an exposition says of a family of metrics.
struct ScrapedFamily: Sendable {
  var type = ExpositionType.unknown
  var help = ""
  var unit = ""
  /// The metrics that its series are in.
  var metrics: [UInt32] = []
  /// The scrape that last told its type.
  var typed: UInt32 = 0
  /// The scrape that last told anything.
  var seen: UInt32 = 0
}

/// A metric of one resource and scope.
struct ScrapedMetric: Sendable {
  let name: String
  let kind: ScrapedKind
  /// What `prometheus.type` says.
  let type: ExpositionType
  /// Where help and unit come from; `none` for a series without a family.
  var family: UInt32
  let group: UInt32
  /// Its series, or its points where a point is made of several.
  var first = SeriesEntry.none
  var last = SeriesEntry.none
  /// The encoded size of its points, last time.
  var size = 0
}

/// A scope of a resource.
struct ScrapedScope: Sendable {
  let resource: UInt32
  let scope: ScopeIdentity
  var metrics: [UInt32] = []
  var size = 0
}

/// What `otel_scope_*` labels say.
struct ScopeIdentity: Sendable, Hashable {
  var name = ""
  var version = ""
  var schemaURL = ""
  var attributes = LabelSet()
}

/// A resource: who exposes the series, by `job` and `instance`.
struct ScrapedResource: Sendable {
  let job: String
  let instance: String
  var groups: [UInt32] = []
  /// The series that describe it.
  var infos: [UInt32] = []
  var size = 0
}

/// The families, resources, scopes and metrics of one target.
///
/// Only new series and metrics come here, so dictionaries of strings will do.
struct ScrapeCatalog: Sendable {
  struct MetricKey: Hashable, Sendable {
    let group: UInt32
    let name: String
    let kind: ScrapedKind
    let type: ExpositionType
  }

  private struct ResourceKey: Hashable, Sendable {
    let job: String
    let instance: String
  }

  private struct GroupKey: Hashable, Sendable {
    let resource: UInt32
    let scope: ScopeIdentity
  }

  var families: [ScrapedFamily] = []
  private(set) var familyNames: [String: UInt32] = [:]
  var resources: [ScrapedResource] = []
  private var resourceKeys: [ResourceKey: UInt32] = [:]
  var groups: [ScrapedScope] = []
  private var groupKeys: [GroupKey: UInt32] = [:]
  var metrics: [ScrapedMetric] = []
  private var metricKeys: [MetricKey: UInt32] = [:]
  /// Metrics without a family, by name.
  private var unattached: [String: [UInt32]] = [:]

  /// The position of a family, which is made when it is new.
  mutating func family(_ name: String) -> UInt32 {
    if let index = familyNames[name] { return index }
    let index = UInt32(truncatingIfNeeded: families.count)
    families.append(ScrapedFamily())
    familyNames[name] = index
    return index
  }

  mutating func resource(job: String, instance: String) -> UInt32 {
    let key = ResourceKey(job: job, instance: instance)
    if let index = resourceKeys[key] { return index }
    let index = UInt32(truncatingIfNeeded: resources.count)
    resources.append(ScrapedResource(job: job, instance: instance))
    resourceKeys[key] = index
    return index
  }

  mutating func group(resource: UInt32, scope: ScopeIdentity) -> UInt32 {
    let key = GroupKey(resource: resource, scope: scope)
    if let index = groupKeys[key] { return index }
    let index = UInt32(truncatingIfNeeded: groups.count)
    groups.append(ScrapedScope(resource: resource, scope: scope))
    groupKeys[key] = index
    resources[Int(resource)].groups.append(index)
    return index
  }

  mutating func metric(_ key: MetricKey, family: UInt32) -> UInt32 {
    if let index = metricKeys[key] {
      if metrics[Int(index)].family == SeriesEntry.none, family != SeriesEntry.none {
        metrics[Int(index)].family = family
        families[Int(family)].metrics.append(index)
      }
      return index
    }
    let index = UInt32(truncatingIfNeeded: metrics.count)
    if family == SeriesEntry.none {
      unattached[key.name, default: []].append(index)
    } else {
      families[Int(family)].metrics.append(index)
    }
    metrics.append(
      ScrapedMetric(name: key.name, kind: key.kind, type: key.type, family: family, group: key.group))
    metricKeys[key] = index
    groups[Int(key.group)].metrics.append(index)
    return index
  }

  /// The metrics without a family whose series could be of this one, by their names.
  func unattached(to family: String) -> [UInt32] {
    if unattached.isEmpty { return [] }
    return ([""] + Self.suffixes).flatMap { unattached[family + $0] ?? [] }
  }

  /// The catalog without metrics that have no series and families that nothing is of.
  ///
  /// - Returns: the new place of each metric; `none` for those that are gone.
  mutating func compact(generation: UInt32) -> [UInt32] {
    let old = self
    self = ScrapeCatalog()
    var familyPlaces = [UInt32](repeating: SeriesEntry.none, count: old.families.count)
    var used = old.families.map { $0.seen == generation }
    for metric in old.metrics where metric.first != SeriesEntry.none && metric.family != SeriesEntry.none {
      used[Int(metric.family)] = true
    }
    for (name, index) in old.familyNames where used[Int(index)] {
      familyPlaces[Int(index)] = family(name)
      families[Int(familyPlaces[Int(index)])] = old.families[Int(index)]
      families[Int(familyPlaces[Int(index)])].metrics = []
    }
    var places = [UInt32](repeating: SeriesEntry.none, count: old.metrics.count)
    for slot in old.resources {
      let isUsed =
        !slot.infos.isEmpty
        || slot.groups.contains { group in
          old.groups[Int(group)].metrics.contains { old.metrics[Int($0)].first != SeriesEntry.none }
        }
      guard isUsed else { continue }
      let resource = self.resource(job: slot.job, instance: slot.instance)
      resources[Int(resource)].infos = slot.infos
      for oldGroup in slot.groups {
        let metrics = old.groups[Int(oldGroup)].metrics
        guard metrics.contains(where: { old.metrics[Int($0)].first != SeriesEntry.none }) else { continue }
        let group = self.group(resource: resource, scope: old.groups[Int(oldGroup)].scope)
        for index in metrics where old.metrics[Int(index)].first != SeriesEntry.none {
          let metric = old.metrics[Int(index)]
          let family =
            metric.family == SeriesEntry.none ? SeriesEntry.none : familyPlaces[Int(metric.family)]
          let place = self.metric(
            MetricKey(group: group, name: metric.name, kind: metric.kind, type: metric.type), family: family)
          self.metrics[Int(place)].first = metric.first
          self.metrics[Int(place)].last = metric.last
          self.metrics[Int(place)].size = metric.size
          places[Int(index)] = place
        }
      }
    }
    return places
  }
}
