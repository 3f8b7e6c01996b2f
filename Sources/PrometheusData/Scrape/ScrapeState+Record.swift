internal import WireFormat

extension ScrapeState {
  /// How far ahead of the scrape a timestamp may be, in milliseconds, as Prometheus has it.
  private static let tolerance: Int64 = 600_000

  /// Takes the sample of a known series; false when what the series is has to be found out again.
  @inline(__always)
  mutating func record<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ entry: UInt32, _ source: inout Source
  ) -> Bool {
    let index = Int(entry)
    let role = table.entries[index].role
    if role == .number || role.isPart {
      counts.scraped &+= 1
      counts.kept &+= 1
      store(entry, &source)
      return true
    }
    return recordOther(entry, role, &source)
  }

  @inline(never)
  private mutating func recordOther<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ entry: UInt32, _ role: SeriesRole, _ source: inout Source
  ) -> Bool {
    let index = Int(entry)
    switch role {
    case .alias:
      let owner = table.entries[index].owner
      let isGone =
        owner == Self.none || !table.entries[Int(owner)].role.hasIdentity
        || table.entries[Int(owner)].flags.contains(.obsolete)
      if isGone { return false }
      touch(index)
      counts.scraped += 1
      counts.kept += 1
      store(owner, &source)
      return true
    case .dropped:
      counts.scraped += 1
      touch(index)
    case .ignored, .targetInfo:
      counts.scraped += 1
      counts.kept += 1
      touch(index)
    case .created:
      counts.scraped += 1
      counts.kept += 1
      touch(index)
      takeCreated(index, seconds: source.value)
    default: return false
    }
    return true
  }

  mutating func touch(_ index: Int) {
    if table.entries[index].seen == generation { return }
    table.entries[index].seen = generation
    seenCount += 1
  }

  @inline(__always)
  private mutating func store<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ entry: UInt32, _ source: inout Source
  ) {
    let index = Int(entry)
    var sampleTime = time
    var isExplicit = false
    if settings.honorsTimestamps, let own = source.timestamp {
      if own > time &+ Self.tolerance {
        counts.future += 1
        return
      }
      sampleTime = own
      isExplicit = true
    }
    let value = source.value.bitPattern
    if table.entries[index].seen == generation {
      takeAnother(entry, value, sampleTime)
      return
    }
    seenCount &+= 1
    table.entries[index].seen = generation
    table.entries[index].value = value
    table.entries[index].time = sampleTime
    if isExplicit != table.entries[index].flags.contains(.untracked) { track(index, isExplicit) }
    if source.hasExemplars {
      extras.exemplars[entry] = source.exemplars
      table.entries[index].flags.insert(.hasExemplars)
    }
    if let created = source.createdTimestamp { setStart(index, Self.nanoseconds(created)) }
  }

  private mutating func track(_ index: Int, _ isExplicit: Bool) {
    if isExplicit, !settings.tracksTimestampStaleness {
      table.entries[index].flags.insert(.untracked)
    } else {
      table.entries[index].flags.remove(.untracked)
    }
  }

  /// A further sample of a series in one exposition: one with another time goes on as well, as far as points are numbers.
  private mutating func takeAnother(_ entry: UInt32, _ value: UInt64, _ sampleTime: Int64) {
    let index = Int(entry)
    let isKnown =
      table.entries[index].time == sampleTime
      || (extras.more[entry]?.contains { $0.time == sampleTime } ?? false)
    if isKnown || table.entries[index].role != .number {
      counts.duplicates += 1
      return
    }
    extras.more[entry, default: []].append(ScrapeExtras.Sample(value: value, time: sampleTime))
    table.entries[index].flags.insert(.hasMore)
  }

  /// Takes the native histogram of a known series; false when what the series is has to be found out again.
  mutating func recordHistogram<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ entry: UInt32, _ source: inout Source
  ) throws(ScrapeError) -> Bool {
    var index = Int(entry)
    switch table.entries[index].role {
    case .native: break
    case .alias:
      let owner = table.entries[index].owner
      if owner == Self.none || table.entries[Int(owner)].role != .native
        || table.entries[Int(owner)].flags.contains(.obsolete)
      {
        return false
      }
      touch(index)
      index = Int(owner)
    case .dropped:
      counts.scraped += 1
      touch(index)
      return true
    default: return false
    }
    var histogram = source.histogram
    let metric = Int(table.entries[index].owner)
    if catalog.metrics[metric].kind != ScrapedKind(of: histogram) { return false }
    counts.scraped += 1
    counts.kept += 1
    var sampleTime = time
    let own = settings.honorsTimestamps ? source.timestamp : nil
    if let own {
      if own > time &+ Self.tolerance {
        counts.future += 1
        return true
      }
      sampleTime = own
    }
    if table.entries[index].seen == generation {
      counts.duplicates += 1
      return true
    }
    guard histogram.fault == nil else {
      counts.invalidHistograms += 1
      return true
    }
    if settings.bucketFactor > 1 { histogram.widenBuckets(to: settings.bucketFactor) }
    if settings.bucketLimit > 0 { try histogram.limitBuckets(to: settings.bucketLimit) }
    touch(index)
    table.entries[index].value = UInt64(extras.histograms.count)
    table.entries[index].time = sampleTime
    track(index, own != nil)
    extras.histograms.append(histogram)
    if source.hasExemplars {
      extras.exemplars[UInt32(truncatingIfNeeded: index)] = source.exemplars
      table.entries[index].flags.insert(.hasExemplars)
    }
    if let created = source.createdTimestamp { setStart(index, Self.nanoseconds(created)) }
    return true
  }

  // When counters began.

  /// Keeps the start of what an entry is, or is a part of.
  private mutating func setStart(_ index: Int, _ nanoseconds: UInt64) {
    let entry = table.entries[index]
    if entry.role.isPart {
      points[Int(entry.owner)].startTime = nanoseconds
      return
    }
    if startTimes.count < table.entries.count {
      startTimes.append(contentsOf: repeatElement(0, count: table.entries.count - startTimes.count))
    }
    startTimes[index] = nanoseconds
  }

  /// Takes the value of a `_created` series.
  private mutating func takeCreated(_ index: Int, seconds: Double) {
    let entry = table.entries[index]
    let milliseconds = (seconds * 1000).rounded()
    guard milliseconds > 0, milliseconds < 9e12 else { return }
    // Whole milliseconds stay whole: nanoseconds of today are beyond what a double counts one by one.
    let nanoseconds = Self.nanoseconds(Int64(milliseconds))
    if entry.owner == Self.none {
      let owner = table.find(identity: entry.identity)
      if owner != Self.none { setStart(Int(owner), nanoseconds) }
      return
    }
    let point = findPoint(metric: entry.owner, hash: entry.identity, table.extra(entry))
    if point != Self.none { points[Int(point)].startTime = nanoseconds }
  }

  /// Milliseconds of the exposition as OTLP has time; what is before 1970 is not known.
  static func nanoseconds(_ milliseconds: Int64) -> UInt64 {
    milliseconds > 0 ? UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000).partialValue : 0
  }

  /// The point of a metric with these attributes; ``none`` when there is none.
  func findPoint(metric: UInt32, hash: UInt64, _ attributes: Span<UInt8>) -> UInt32 {
    pointTable.find(hash) { index in
      let point = points[Int(index)]
      return point.metric == metric && table.bytes(point.start, point.length).hasSameBytes(as: attributes)
    }
  }
}
