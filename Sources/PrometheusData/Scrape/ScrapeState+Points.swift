internal import WireFormat

/// Histograms and summaries: several series of the exposition become one point.
///
/// What does not add up to a point goes on all the same, each series by itself with its full name and labels.
extension ScrapeState {
  /// A series that goes on by itself.
  private struct Loose {
    let entry: UInt32
    let isEnding: Bool
  }

  mutating func writePoints(_ index: Int, _ header: ScrapedHeader, to output: inout ScrapeOutput) {
    var link = catalog.metrics[index].first
    var previous = Self.none
    var loose: [Loose] = []
    while link != Self.none {
      let next = points[Int(link)].link
      let isLeft = writePoint(Int(link), header, &loose, to: &output)
      output.cut()
      if isLeft {
        previous = link
      } else {
        if previous == Self.none {
          catalog.metrics[index].first = next
        } else {
          points[Int(previous)].link = next
        }
        if next == Self.none { catalog.metrics[index].last = previous }
        removePoint(link)
      }
      link = next
    }
    if loose.isEmpty { return }
    for series in loose { table.entries[Int(series.entry)].flags.remove(.hasExemplars) }
    output.closeMetric()
    catalog.metrics[index].size = output.closedSize
    writeLoose(loose, of: header, to: &output)
    for series in loose where series.isEnding { letGo(series.entry) }
  }

  /// Writes what a point has become; false when nothing is left of it.
  private mutating func writePoint(
    _ index: Int, _ header: ScrapedHeader, _ loose: inout [Loose], to output: inout ScrapeOutput
  ) -> Bool {
    if !points[index].isSorted { sort(index) }
    var seen = 0
    var live = 0
    var unseen = 0
    var hasUntracked = false
    func look(_ entry: SeriesEntry) {
      if entry.seen == generation {
        seen += 1
      } else {
        unseen += 1
        if entry.flags.contains(.live) {
          if entry.flags.contains(.untracked) { hasUntracked = true } else { live += 1 }
        }
      }
    }
    let point = points[index]
    var part = point.firstPart
    while part != Self.none {
      let entry = table.entries[Int(part)]
      look(entry)
      part = entry.link
    }
    if point.sum != Self.none { look(table.entries[Int(point.sum)]) }
    if point.count != Self.none { look(table.entries[Int(point.count)]) }

    if seen == 0 {
      if live > 0 {
        // Which series went on untracked cannot be told by one point.
        if point.wasWhole, !hasUntracked {
          output.open(header)
          gather(point, to: &output)
          output.ending(
            table.bytes(point.start, point.length), kind: header.kind, hasSum: point.sum != Self.none,
            time: Self.nanoseconds(time))
        } else {
          collect(index, &loose) { !$0 }
          return true
        }
      }
      return dropUnseen(index)
    }
    if unseen > 0 {
      if live > 0 { collect(index, &loose) { !$0 } }
      if live == 0 { _ = dropUnseen(index) }
    }
    if let sampleTime = wholeTime(index, kind: header.kind, to: &output) {
      output.open(header)
      writeWhole(index, header, time: sampleTime, to: &output)
      points[index].wasWhole = true
    } else {
      collect(index, &loose) { $0 }
      points[index].wasWhole = false
    }
    forEachPart(of: index) { [generation] table, entry in
      if table.entries[Int(entry)].seen == generation { table.entries[Int(entry)].flags.insert(.live) }
    }
    return true
  }

  /// Gathers the series of a point that go on by themselves: those seen in this scrape, or those whose end is told.
  private mutating func collect(_ index: Int, _ loose: inout [Loose], where isWanted: (Bool) -> Bool) {
    var found: [Loose] = []
    forEachPart(of: index) { [generation] table, entry in
      let slot = table.entries[Int(entry)]
      let isSeen = slot.seen == generation
      guard isWanted(isSeen) else { return }
      if isSeen {
        found.append(Loose(entry: entry, isEnding: false))
      } else if slot.flags.contains(.live) {
        found.append(Loose(entry: entry, isEnding: true))
      }
    }
    loose += found
  }

  /// The time of a point that all its series seen in this scrape add up to; nil when they do not.
  ///
  /// Leaves bounds and counts, or quantiles and values, in the output's room for them.
  private mutating func wholeTime(
    _ index: Int, kind: ScrapedKind, to output: inout ScrapeOutput
  ) -> Int64? {
    let point = points[index]
    guard point.count != Self.none, table.entries[Int(point.count)].seen == generation,
      let count = Self.whole(table.entries[Int(point.count)].value)
    else { return nil }
    let sampleTime = table.entries[Int(point.count)].time
    if point.sum != Self.none {
      let sum = table.entries[Int(point.sum)]
      guard sum.seen == generation, sum.time == sampleTime,
        !StaleMarker.isStale(Double(bitPattern: sum.value))
      else { return nil }
    } else if kind == .summary {
      return nil
    }
    output.bounds.removeAll(keepingCapacity: true)
    output.values.removeAll(keepingCapacity: true)
    var part = point.firstPart
    var below: UInt64 = 0
    var lastBound = -Double.infinity
    while part != Self.none {
      let entry = table.entries[Int(part)]
      if entry.seen == generation {
        let bound = bound(of: part)
        guard entry.time == sampleTime, output.bounds.isEmpty || bound > lastBound else { return nil }
        lastBound = bound
        output.bounds.append(bound)
        if kind == .summary {
          if StaleMarker.isStale(Double(bitPattern: entry.value)) { return nil }
          output.values.append(entry.value)
        } else {
          guard let cumulative = Self.whole(entry.value), cumulative >= below else { return nil }
          output.values.append(cumulative - below)
          below = cumulative
        }
      }
      part = entry.link
    }
    if kind == .summary { return sampleTime }
    guard lastBound == .infinity, below == count else { return nil }
    output.bounds.removeLast()
    return sampleTime
  }

  /// A number that counts something: whole, and small enough to be exact.
  @inline(__always)
  private static func whole(_ bits: UInt64) -> UInt64? {
    let value = Double(bitPattern: bits)
    guard value >= 0, value <= 9_007_199_254_740_992, value == value.rounded(.towardZero) else { return nil }
    return UInt64(value)
  }

  private mutating func writeWhole(
    _ index: Int, _ header: ScrapedHeader, time sampleTime: Int64, to output: inout ScrapeOutput
  ) {
    let point = points[index]
    var exemplars: [ExpositionExemplar] = []
    if !extras.exemplars.isEmpty {
      var found: [ExpositionExemplar] = []
      forEachPart(of: index) { [extras] table, entry in
        if table.entries[Int(entry)].flags.contains(.hasExemplars) {
          table.entries[Int(entry)].flags.remove(.hasExemplars)
          found += extras.exemplars[entry] ?? []
        }
      }
      exemplars = found
    }
    let count = UInt64(Double(bitPattern: table.entries[Int(point.count)].value))
    let sum = point.sum == Self.none ? nil : table.entries[Int(point.sum)].value
    output.whole(
      table.bytes(point.start, point.length), kind: header.kind, start: point.startTime,
      time: Self.nanoseconds(sampleTime), count: count, sum: sum, exemplars: exemplars,
      scrapeTime: Self.nanoseconds(time))
  }

  /// Leaves the bounds or quantiles of a point that ends in the output's room for them.
  private func gather(_ point: PointEntry, to output: inout ScrapeOutput) {
    output.bounds.removeAll(keepingCapacity: true)
    var part = point.firstPart
    while part != Self.none {
      let bound = bound(of: part)
      if bound < .infinity || table.entries[Int(part)].role == .quantile { output.bounds.append(bound) }
      part = table.entries[Int(part)].link
    }
  }

  private mutating func sort(_ index: Int) {
    var parts: [(bound: Double, entry: UInt32)] = []
    var part = points[index].firstPart
    while part != Self.none {
      parts.append((bound(of: part), part))
      part = table.entries[Int(part)].link
    }
    parts.sort { ($0.bound, $0.entry) < ($1.bound, $1.entry) }
    for (position, slot) in parts.enumerated() {
      table.entries[Int(slot.entry)].link =
        position + 1 < parts.count ? parts[position + 1].entry : Self.none
    }
    points[index].firstPart = parts.first?.entry ?? Self.none
    points[index].lastPart = parts.last?.entry ?? Self.none
    points[index].isSorted = true
  }

  // The end of series and points.

  /// Forgets the series of a point that were not seen; false when nothing of the point is left.
  private mutating func dropUnseen(_ index: Int) -> Bool {
    if !isComplete {
      forEachPart(of: index) { [generation] table, entry in
        if table.entries[Int(entry)].seen != generation { table.entries[Int(entry)].flags.remove(.live) }
      }
      return true
    }
    var previous = Self.none
    var part = points[index].firstPart
    while part != Self.none {
      let next = table.entries[Int(part)].link
      if table.entries[Int(part)].seen == generation {
        previous = part
      } else {
        unlink(part, after: previous, from: index)
        remove(part)
      }
      part = next
    }
    if points[index].sum != Self.none, table.entries[Int(points[index].sum)].seen != generation {
      remove(points[index].sum)
      points[index].sum = Self.none
    }
    if points[index].count != Self.none, table.entries[Int(points[index].count)].seen != generation {
      remove(points[index].count)
      points[index].count = Self.none
    }
    return !isEmpty(index)
  }

  private func isEmpty(_ index: Int) -> Bool {
    let point = points[index]
    return point.firstPart == Self.none && point.sum == Self.none && point.count == Self.none
  }

  private mutating func unlink(_ part: UInt32, after previous: UInt32, from index: Int) {
    let next = table.entries[Int(part)].link
    if previous == Self.none {
      points[index].firstPart = next
    } else {
      table.entries[Int(previous)].link = next
    }
    if next == Self.none { points[index].lastPart = previous }
  }

  private mutating func removePoint(_ link: UInt32) {
    let point = points[Int(link)]
    pointTable.remove(pointHash(metric: point.metric, table.bytes(point.start, point.length)), link)
    table.discard(Int(point.length))
    points[Int(link)] = PointEntry()
    points[Int(link)].isFree = true
    points[Int(link)].link = firstFreePoint
    firstFreePoint = link
  }

  // Series by themselves.

  private mutating func writeLoose(
    _ loose: [Loose], of header: ScrapedHeader, to output: inout ScrapeOutput
  ) {
    let roles: [(SeriesRole, String)] = [
      (.bucket, "_bucket"), (.quantile, ""), (.sum, "_sum"), (.count, "_count"),
    ]
    for (role, suffix) in roles {
      let own = ScrapedHeader(name: header.name + suffix, kind: .gauge, type: .unknown)
      for series in loose where table.entries[Int(series.entry)].role == role {
        let entry = table.entries[Int(series.entry)]
        let point = points[Int(entry.owner)]
        var attributes = WireWriter(capacity: 256)
        let name = role == .bucket ? "le" : role == .quantile ? "quantile" : ""
        let extra = table.extra(entry)
        ScrapedAttributes.rewrite(
          table.bytes(point.start, point.length), adding: name,
          value: name.isEmpty ? extra : extra.extracting(8..<extra.count), field: 7, to: &attributes)
        output.open(own)
        output.number(
          attributes.bytes, start: 0, time: Self.nanoseconds(series.isEnding ? time : entry.time),
          bits: series.isEnding ? StaleMarker.bits : entry.value,
          exemplars: series.isEnding ? [] : extras.exemplars[series.entry] ?? [],
          scrapeTime: Self.nanoseconds(time))
        output.cut()
      }
      output.closeMetric()
    }
  }

  /// Lets go of a series whose end was told by itself; it is taken out with the next scrape.
  private mutating func letGo(_ entry: UInt32) { table.entries[Int(entry)].flags.remove(.live) }
}
