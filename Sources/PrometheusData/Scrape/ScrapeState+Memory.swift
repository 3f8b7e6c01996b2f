internal import WireFormat

/// What is gone gives its memory back.
extension ScrapeState {
  /// After a scrape: forgets what it did not have and what is in no metric, and moves together what is left when much is
  /// gone.
  ///
  /// After a failed scrape everything is kept, since the target will most likely be back as it was; unless what failing
  /// scrapes brought would grow beyond what the target is known to have.
  mutating func sweep() {
    extras.removeAll()
    if !isComplete {
      if table.count > lastCount * 2 + 1000 || hasManyFamilies { flush() }
      return
    }
    if seenCount < table.count {
      for index in table.entries.indices where table.entries[index].seen != generation && isStray(index) {
        remove(UInt32(truncatingIfNeeded: index))
      }
      for index in catalog.resources.indices where !catalog.resources[index].infos.isEmpty {
        catalog.resources[index].infos.removeAll { table.entries[Int($0)].role != .targetInfo }
      }
    }
    lastCount = table.count
    if table.isSparse || hasManyFamilies {
      compact()
      lastFamilyCount = catalog.families.count
    }
  }

  /// Whether most families are likely to be gone: lines about families take memory without any series.
  private var hasManyFamilies: Bool { catalog.families.count > lastFamilyCount * 2 + 1000 }

  /// Whether an entry is in no chain that the output follows.
  private func isStray(_ index: Int) -> Bool {
    let entry = table.entries[index]
    switch entry.role {
    case .created, .targetInfo, .alias, .dropped, .ignored: return true
    case .sum: return points[Int(entry.owner)].sum != UInt32(truncatingIfNeeded: index)
    case .count: return points[Int(entry.owner)].count != UInt32(truncatingIfNeeded: index)
    case .free, .number, .native, .bucket, .quantile: return false
    }
  }

  /// Forgets all series of failed scrapes; the ends of those that went on have been told.
  private mutating func flush() {
    let keep = generation
    self = ScrapeState(settings, seed: UInt64(truncatingIfNeeded: table.identity(of: [0x5a].span)))
    generation = keep
  }

  /// Moves everything together.
  private mutating func compact() {
    let (places, oldText) = table.compact()
    func place(_ index: UInt32) -> UInt32 {
      Int(index) < places.count ? places[Int(index)] : Self.none
    }
    var starts = [UInt64](repeating: 0, count: startTimes.isEmpty ? 0 : table.entries.count)
    for (index, start) in startTimes.enumerated() where start != 0 && place(UInt32(index)) != Self.none {
      starts[Int(places[index])] = start
    }
    startTimes = starts
    firstSeries = place(firstSeries)

    let (pointPlaces, kept) = keptPoints()
    func pointPlace(_ index: UInt32) -> UInt32 {
      Int(index) < pointPlaces.count ? pointPlaces[Int(index)] : Self.none
    }
    for index in catalog.metrics.indices {
      let metric = catalog.metrics[index]
      catalog.metrics[index].first = metric.kind.hasParts ? pointPlace(metric.first) : place(metric.first)
      catalog.metrics[index].last = metric.kind.hasParts ? pointPlace(metric.last) : place(metric.last)
    }
    for index in catalog.resources.indices {
      catalog.resources[index].infos = catalog.resources[index].infos.map(place).filter { $0 != Self.none }
    }
    let resources = catalog.resources.map { (job: $0.job, instance: $0.instance) }
    let metricPlaces = catalog.compact(generation: generation)
    func metricPlace(_ index: UInt32) -> UInt32 {
      Int(index) < metricPlaces.count ? metricPlaces[Int(index)] : Self.none
    }
    familyLines.removeAll()

    points = kept
    pointTable.reset(capacity: kept.count)
    firstFreePoint = Self.none
    for index in points.indices {
      let start = Int(points[index].start)
      let attributes = oldText.span.extracting(start..<start + Int(points[index].length))
      points[index].start = table.append(attributes)
      points[index].metric = metricPlace(points[index].metric)
      points[index].link = pointPlace(points[index].link)
      points[index].firstPart = place(points[index].firstPart)
      points[index].lastPart = place(points[index].lastPart)
      points[index].sum = place(points[index].sum)
      points[index].count = place(points[index].count)
      pointTable.insert(
        pointHash(metric: points[index].metric, attributes), UInt32(truncatingIfNeeded: index))
    }
    for index in table.entries.indices {
      let entry = table.entries[index]
      switch entry.role {
      case .bucket, .quantile, .sum, .count: table.entries[index].owner = pointPlace(entry.owner)
      case .number, .native: table.entries[index].owner = metricPlace(entry.owner)
      case .alias: table.entries[index].owner = place(entry.owner)
      case .targetInfo:
        let resource = resources[Int(entry.owner)]
        table.entries[index].owner = catalog.resource(job: resource.job, instance: resource.instance)
      case .created where entry.owner != Self.none:
        let metric = metricPlace(entry.owner)
        table.entries[index].owner = metric
        table.entries[index].identity = pointHash(metric: metric, table.extra(entry))
      case .created, .dropped, .ignored, .free: break
      }
    }
  }

  private func keptPoints() -> (places: [UInt32], points: [PointEntry]) {
    var places = [UInt32](repeating: Self.none, count: points.count)
    var kept: [PointEntry] = []
    for (index, point) in points.enumerated() where !point.isFree {
      places[index] = UInt32(truncatingIfNeeded: kept.count)
      kept.append(point)
    }
    return (places, kept)
  }
}
