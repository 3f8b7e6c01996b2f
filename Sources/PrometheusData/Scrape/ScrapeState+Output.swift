package import TelemetryData
internal import WireFormat

/// What goes out after a scrape.
extension ScrapeState {
  /// Adds the report series and writes everything: the points of this scrape, and the ends of series it did not have.
  package mutating func finish(_ report: ScrapeReport) -> [Batch] {
    self.report(report)
    return writeAll()
  }

  /// Writes the ends of all series that go on: the target is no more.
  package mutating func end(at time: Int64) -> [Batch] {
    begin(at: time)
    isComplete = true
    return writeAll()
  }

  private mutating func writeAll() -> [Batch] {
    var output = ScrapeOutput(expecting: lastSize, limit: settings.batchSize)
    let resources = catalog.resources.count
    for resource in 0..<resources {
      output.begin(
        resource: encodedResource(resource), expecting: catalog.resources[resource].size)
      for position in catalog.resources[resource].groups.indices {
        let group = Int(catalog.resources[resource].groups[position])
        output.begin(scope: catalog.groups[group].scope, expecting: catalog.groups[group].size)
        for metricPosition in catalog.groups[group].metrics.indices {
          write(metric: Int(catalog.groups[group].metrics[metricPosition]), to: &output)
        }
        catalog.groups[group].size = output.closeScope()
      }
      catalog.resources[resource].size = output.closeResource()
    }
    output.flush()
    let batches = output.batches
    lastSize = output.byteCount
    sweep()
    return batches
  }

  private mutating func write(metric index: Int, to output: inout ScrapeOutput) {
    if catalog.metrics[index].first == Self.none { return }
    let header = header(of: index)
    switch catalog.metrics[index].kind {
    case .gauge, .counter, .state: writeNumbers(index, header, to: &output)
    case .exponential, .custom: writeNative(index, header, to: &output)
    case .histogram, .summary: writePoints(index, header, to: &output)
    }
    if output.isMetricOpen {
      output.closeMetric()
      catalog.metrics[index].size = output.closedSize
    }
  }

  func header(of index: Int) -> ScrapedHeader {
    let metric = catalog.metrics[index]
    var header = ScrapedHeader(
      name: metric.name, kind: metric.kind, type: metric.type, size: metric.size)
    if metric.family != Self.none {
      let family = catalog.families[Int(metric.family)]
      header.help = family.help
      header.unit = ScrapedUnit.code(family.unit, isGauge: metric.kind == .gauge)
      if settings.trimsSuffixes {
        header.name = ScrapedUnit.trimmed(metric.name, metric.kind, unit: family.unit)
      }
    }
    return header
  }

  // Numbers.

  private mutating func writeNumbers(
    _ index: Int, _ header: ScrapedHeader, to output: inout ScrapeOutput
  ) {
    var link = catalog.metrics[index].first
    var previous = Self.none
    let scrapeTime = Self.nanoseconds(time)
    while link != Self.none {
      let entry = table.entries[Int(link)]
      if entry.seen == generation {
        output.open(header)
        let isOwnTime = entry.time != time
        let start = Int(link) < startTimes.count ? startTimes[Int(link)] : 0
        if entry.flags.isDisjoint(with: [.hasExemplars, .hasMore]) {
          output.number(
            table.extra(entry), start: start, time: isOwnTime ? Self.nanoseconds(entry.time) : scrapeTime,
            bits: entry.value)
        } else {
          writeWithExtras(link, entry, start: start, to: &output)
        }
        if !entry.flags.contains(.live) { table.entries[Int(link)].flags.insert(.live) }
        previous = link
        output.cut()
      } else {
        if entry.flags.contains(.live), !entry.flags.contains(.untracked) {
          output.open(header)
          output.number(table.extra(entry), start: 0, time: scrapeTime, bits: StaleMarker.bits)
          output.cut()
        }
        previous = letGo(link, after: previous, of: index)
      }
      link = entry.link
    }
  }

  private mutating func writeWithExtras(
    _ index: UInt32, _ entry: SeriesEntry, start: UInt64, to output: inout ScrapeOutput
  ) {
    table.entries[Int(index)].flags.subtract([.hasExemplars, .hasMore])
    output.number(
      table.extra(entry), start: start, time: Self.nanoseconds(entry.time), bits: entry.value,
      exemplars: extras.exemplars[index] ?? [], scrapeTime: Self.nanoseconds(time))
    for sample in extras.more[index] ?? [] {
      output.number(
        table.extra(entry), start: start, time: Self.nanoseconds(sample.time), bits: sample.value)
    }
  }

  /// Ends a series that was not seen: it is forgotten once an exposition was read to its end without it.
  ///
  /// - Returns: the entry before the next one of its metric.
  private mutating func letGo(_ link: UInt32, after previous: UInt32, of metric: Int) -> UInt32 {
    table.entries[Int(link)].flags.remove(.live)
    if !isComplete { return link }
    let next = table.entries[Int(link)].link
    if previous == Self.none {
      catalog.metrics[metric].first = next
    } else {
      table.entries[Int(previous)].link = next
    }
    if next == Self.none { catalog.metrics[metric].last = previous }
    remove(link)
    return previous
  }

  /// Takes an entry out of the table, with what is kept beside it.
  mutating func remove(_ index: UInt32) {
    table.remove(index)
    if Int(index) < startTimes.count { startTimes[Int(index)] = 0 }
  }

  // Native histograms.

  private mutating func writeNative(
    _ index: Int, _ header: ScrapedHeader, to output: inout ScrapeOutput
  ) {
    var link = catalog.metrics[index].first
    var previous = Self.none
    while link != Self.none {
      let entry = table.entries[Int(link)]
      let isSeen = entry.seen == generation
      let isEnding = !isSeen && entry.flags.contains(.live) && !entry.flags.contains(.untracked)
      if isSeen || isEnding {
        output.open(header)
        output.native(
          table.extra(entry), isSeen ? extras.histograms[Int(entry.value)] : nil, kind: header.kind,
          start: Int(link) < startTimes.count ? startTimes[Int(link)] : 0,
          time: Self.nanoseconds(isSeen ? entry.time : time), exemplars: extras.exemplars[link] ?? [],
          scrapeTime: Self.nanoseconds(time))
        output.cut()
      }
      if isSeen {
        table.entries[Int(link)].flags.insert(.live)
        table.entries[Int(link)].flags.remove(.hasExemplars)
        previous = link
      } else {
        previous = letGo(link, after: previous, of: index)
      }
      link = entry.link
    }
  }

  // Resources and the report.

  private func encodedResource(_ index: Int) -> [UInt8] {
    let resource = catalog.resources[index]
    var writer = WireWriter(capacity: 256)
    let own = [
      ("service.name", resource.job), ("service.instance.id", resource.instance),
      ("server.address", settings.host), ("server.port", settings.port), ("url.scheme", settings.scheme),
    ]
    for (name, value) in own where !value.isEmpty {
      ScrapedAttributes.write(name, value, field: 1, to: &writer)
    }
    for info in resource.infos where table.entries[Int(info)].seen == generation {
      writer.write(table.extra(table.entries[Int(info)]))
    }
    return writer.finish()
  }

  private mutating func report(_ report: ScrapeReport) {
    let counts = self.counts
    for series in ReportSeries.all where settings.reportsLimits || !series.isExtra {
      let value: Double =
        switch series {
        case .up: report.isUp ? 1 : 0
        case .duration: report.duration
        case .scraped: Double(counts.scraped)
        case .kept: Double(counts.kept)
        case .added: Double(counts.added)
        case .timeout: settings.timeout
        case .sampleLimit: Double(settings.sampleLimit)
        case .bodySize: Double(report.bodySize)
        }
      record(series, value)
    }
  }

  /// Takes a value of the scrape about itself; where the target exposes a series of the same name and labels, its stands.
  private mutating func record(_ series: ReportSeries, _ value: Double) {
    // No exposition has such bytes, so nothing that a target exposes is taken for it.
    let key = Array(series.rawValue.utf8) + [0xff]
    var index = table.find(key.span, isNative: false)
    if index == Self.none || isReplaced(index) {
      if index != Self.none { table.entries[Int(index)].flags.insert(.obsolete) }
      var labels = ownLabels
      labels["__name__"] = series.rawValue
      let family = catalog.family(series.rawValue)
      if catalog.families[Int(family)].type == .unknown {
        catalog.families[Int(family)].type = .gauge
        catalog.families[Int(family)].help = series.help
      }
      guard let entry = try? insert(key.span, labels, format: .text, flags: .report) else { return }
      index = entry
    }
    if table.entries[Int(index)].role == .alias {
      touch(Int(index))
      index = table.entries[Int(index)].owner
    }
    if table.entries[Int(index)].seen == generation { return }
    touch(Int(index))
    table.entries[Int(index)].value = value.bitPattern
    table.entries[Int(index)].time = time
  }

  /// Whether an alias stands for a series that is no more.
  private func isReplaced(_ index: UInt32) -> Bool {
    let entry = table.entries[Int(index)]
    guard entry.role == .alias else { return false }
    return !table.entries[Int(entry.owner)].role.hasIdentity
      || table.entries[Int(entry.owner)].flags.contains(.obsolete)
  }
}

/// The series of a scrape about itself.
enum ReportSeries: String, CaseIterable {
  case up
  case duration = "scrape_duration_seconds"
  case scraped = "scrape_samples_scraped"
  case kept = "scrape_samples_post_metric_relabeling"
  case added = "scrape_series_added"
  case timeout = "scrape_timeout_seconds"
  case sampleLimit = "scrape_sample_limit"
  case bodySize = "scrape_body_size_bytes"

  static var all: [ReportSeries] { allCases }

  /// Whether it is reported only when asked for (`extra_scrape_metrics`).
  var isExtra: Bool {
    switch self {
    case .timeout, .sampleLimit, .bodySize: true
    default: false
    }
  }

  var help: String {
    switch self {
    case .up: "Health of the scrape target. 1 means the target is healthy, 0 if the scrape failed."
    case .duration: "Duration of the last scrape in seconds."
    case .scraped: "Number of samples last scraped from this target."
    case .kept: "Number of samples remaining after metric relabeling was applied."
    case .added: "Number of series in the last scrape that were not in the one before."
    case .timeout: "The configured scrape timeout for a target."
    case .sampleLimit: "The configured sample limit for a target; 0 means there is none."
    case .bodySize: "The uncompressed size of the last scrape's response; -1 if it was over the limit."
    }
  }
}
