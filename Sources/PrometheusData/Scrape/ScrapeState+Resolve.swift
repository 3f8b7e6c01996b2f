internal import WireFormat

/// New series, and what the exposition says of families.
extension ScrapeState {
  // Families.

  mutating func takeType<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ type: ExpositionType, _ source: inout Source
  ) {
    if let family = familyLines.expected(.type, name: source.rawFamilyName, text: source.rawText) {
      catalog.families[Int(family)].seen = generation
      catalog.families[Int(family)].typed = generation
      return
    }
    let name = source.familyName
    let isNew = catalog.familyNames[name] == nil
    let family = catalog.family(name)
    familyLines.record(.type, name: source.rawFamilyName, text: source.rawText, family: family)
    if isNew { forgetUnattached(to: name) }
    catalog.families[Int(family)].seen = generation
    // Of several types in one exposition the first counts.
    if catalog.families[Int(family)].typed == generation { return }
    catalog.families[Int(family)].typed = generation
    if catalog.families[Int(family)].type == type { return }
    catalog.families[Int(family)].type = type
    for index in catalog.families[Int(family)].metrics { forget(metric: Int(index)) }
  }

  mutating func takeText<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ kind: FamilyLines.Kind, _ source: inout Source
  ) {
    if let family = familyLines.expected(kind, name: source.rawFamilyName, text: source.rawText) {
      catalog.families[Int(family)].seen = generation
      return
    }
    let name = source.familyName
    let isNew = catalog.familyNames[name] == nil
    let family = catalog.family(name)
    familyLines.record(kind, name: source.rawFamilyName, text: source.rawText, family: family)
    if isNew { forgetUnattached(to: name) }
    catalog.families[Int(family)].seen = generation
    if kind == .unit {
      catalog.families[Int(family)].unit = source.text
    } else {
      catalog.families[Int(family)].help = source.text
    }
  }

  /// Series that belonged to no family may belong to a new one.
  private mutating func forgetUnattached(to family: String) {
    for index in catalog.unattached(to: family) { forget(metric: Int(index)) }
  }

  /// Has all series of a metric looked at again when they come next.
  private mutating func forget(metric index: Int) {
    let metric = catalog.metrics[index]
    var link = metric.first
    if metric.kind.hasParts {
      while link != Self.none {
        forEachPart(of: Int(link)) { table, entry in table.entries[Int(entry)].flags.insert(.obsolete) }
        link = points[Int(link)].link
      }
      return
    }
    while link != Self.none {
      table.entries[Int(link)].flags.insert(.obsolete)
      link = table.entries[Int(link)].link
    }
  }

  /// Visits the entries that a point is made of.
  mutating func forEachPart(of point: Int, _ body: (inout SeriesTable, UInt32) -> Void) {
    let slot = points[point]
    var part = slot.firstPart
    while part != Self.none {
      let next = table.entries[Int(part)].link
      body(&table, part)
      part = next
    }
    if slot.sum != Self.none { body(&table, slot.sum) }
    if slot.count != Self.none { body(&table, slot.count) }
  }

  // Series.

  /// Finds out what a series is that was known as something else, and takes its sample.
  mutating func resolveAgain<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ entry: UInt32, _ source: inout Source, isNative: Bool, format: ExpositionFormat
  ) throws -> UInt32 {
    table.entries[Int(entry)].flags.insert(.obsolete)
    return try resolve(&source, isNative: isNative, format: format)
  }

  /// Finds out what a new series is, remembers it, and takes its sample.
  ///
  /// - Throws: a ``ScrapeError`` or `ExpositionError` that makes the scrape fail.
  @inline(never)
  mutating func resolve<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ source: inout Source, isNative: Bool, format: ExpositionFormat
  ) throws -> UInt32 {
    let entry: UInt32
    do {
      var labels = LabelMerge.merge(
        try source.labels(), settings,
        emptyLabels: settings.honorsLabels ? LabelMerge.emptied(in: source.series, of: settings.labels) : [])
      let isKept = settings.relabel.map { $0(&labels) } ?? true
      if isKept, !labels.isEmpty {
        for label in settings.externalLabels where labels[label.name] == nil {
          labels[label.name] = label.value
        }
        try check(labels)
        let native: ScrapedKind? = isNative ? ScrapedKind(of: source.histogram) : nil
        entry = try insert(source.series, labels, native: native, format: format)
      } else {
        entry = try insert(source.series, role: .dropped, isNative: isNative)
      }
    } catch {
      counts.scraped += 1
      throw error
    }
    let before = (counts.kept, counts.duplicates, counts.future)
    _ = isNative ? try recordHistogram(entry, &source) : record(entry, &source)
    if (counts.duplicates, counts.future) == (before.1, before.2), counts.kept > before.0 {
      counts.added += 1
    }
    return entry
  }

  private func check(_ labels: LabelSet) throws(ScrapeError) {
    guard labels["__name__"] != nil else {
      throw .invalidName("a sample has no metric name after relabeling")
    }
    if settings.hasLegacyNames, let problem = LabelMerge.problem(ofLegacyNames: labels) {
      throw .invalidName(problem)
    }
    if let excess = LabelMerge.excess(of: labels, settings) { throw .labelLimit(excess) }
  }

  /// Adds an entry without more than its raw bytes.
  private mutating func insert(
    _ key: Span<UInt8>, role: SeriesRole, isNative: Bool, owner: UInt32 = SeriesEntry.none,
    identity: UInt64 = 0, flags: SeriesEntry.Flags = [], extra: Span<UInt8>? = nil
  ) throws(ScrapeError) -> UInt32 {
    guard table.hasRoom(for: key.count + (extra?.count ?? 0)) else { throw .tooLarge }
    var entry = SeriesEntry()
    entry.role = role
    entry.owner = owner
    entry.identity = identity
    entry.flags = isNative ? flags.union(.native) : flags
    entry.start = table.append(key)
    entry.keyLength = UInt32(truncatingIfNeeded: key.count)
    if let extra {
      _ = table.append(extra)
      entry.extraLength = UInt32(truncatingIfNeeded: extra.count)
    }
    return table.insert(entry)
  }

  /// Adds an entry for a series with these labels in the end.
  mutating func insert(
    _ key: Span<UInt8>, _ labels: LabelSet, native: ScrapedKind? = nil, format: ExpositionFormat,
    flags: SeriesEntry.Flags = []
  ) throws(ScrapeError) -> UInt32 {
    let isNative = native != nil
    let meaning = catalog.meaning(of: labels, native: native, format: format)
    switch meaning.role {
    case .ignored: return try insert(key, role: .ignored, isNative: isNative)
    case .targetInfo: return try insertInfo(key, labels)
    case .created: return try insertCreated(key, labels, meaning)
    default: break
    }
    let identity = table.identity(of: Self.identityBytes(labels).span)
    let earlier = table.find(identity: identity)
    if earlier != Self.none {
      let known = table.entries[Int(earlier)]
      if !known.flags.contains(.obsolete), known.flags.contains(.native) == isNative {
        return try insert(key, role: .alias, isNative: isNative, owner: earlier)
      }
      // The series goes on as something else: its end is not told.
      table.entries[Int(earlier)].flags.remove(.live)
      table.releaseIdentity(earlier)
    }
    let metric = metric(of: labels, meaning)
    var writer = WireWriter(capacity: 256)
    ScrapedAttributes.write(
      labels, without: meaning.partLabel, field: ScrapedAttributes.tag(of: meaning.kind), to: &writer)
    let entry: UInt32
    if meaning.role.isPart {
      entry = try insertPart(
        key, labels[meaning.partLabel] ?? "", meaning, identity, metric: metric, attributes: writer.bytes)
    } else {
      entry = try insert(
        key, role: meaning.role, isNative: isNative, owner: metric, identity: identity, flags: flags,
        extra: writer.bytes)
      append(entry, to: Int(metric))
    }
    table.claimIdentity(entry)
    return entry
  }

  /// The metric that a series belongs to, and with it its resource and scope.
  private mutating func metric(of labels: LabelSet, _ meaning: SeriesMeaning) -> UInt32 {
    let resource = catalog.resource(job: labels["job"] ?? "", instance: labels["instance"] ?? "")
    let group = catalog.group(resource: resource, scope: ScopeIdentity(of: labels))
    return catalog.metric(
      ScrapeCatalog.MetricKey(
        group: group, name: meaning.metricName, kind: meaning.kind, type: meaning.type),
      family: meaning.family ?? Self.none)
  }

  private mutating func append(_ entry: UInt32, to metric: Int) {
    let last = catalog.metrics[metric].last
    if last == Self.none {
      catalog.metrics[metric].first = entry
    } else {
      table.entries[Int(last)].link = entry
    }
    catalog.metrics[metric].last = entry
  }

  /// Adds a series that is a part of a point, and the point when this is its first part.
  private mutating func insertPart(
    _ key: Span<UInt8>, _ text: String, _ meaning: SeriesMeaning, _ identity: UInt64, metric: UInt32,
    attributes: Span<UInt8>
  ) throws(ScrapeError) -> UInt32 {
    let hash = pointHash(metric: metric, attributes)
    var point = findPoint(metric: metric, hash: hash, attributes)
    if point == Self.none {
      guard table.hasRoom(for: attributes.count) else { throw .tooLarge }
      point = addPoint(metric: metric, hash: hash, attributes)
    }
    let entry: UInt32
    if meaning.partLabel.isEmpty {
      entry = try insert(key, role: meaning.role, isNative: false, owner: point, identity: identity)
      if meaning.role == .sum { points[Int(point)].sum = entry } else { points[Int(point)].count = entry }
    } else {
      var writer = WireWriter(capacity: 32)
      writer.writeFixed64(meaning.bound.bitPattern)
      writer.write(text.utf8.span)
      entry = try insert(
        key, role: meaning.role, isNative: false, owner: point, identity: identity, extra: writer.bytes)
      let last = points[Int(point)].lastPart
      if last == Self.none {
        points[Int(point)].firstPart = entry
      } else {
        table.entries[Int(last)].link = entry
        if !(bound(of: last) < meaning.bound) { points[Int(point)].isSorted = false }
      }
      points[Int(point)].lastPart = entry
    }
    return entry
  }

  /// The bound of a bucket, or the quantile.
  @inline(__always)
  func bound(of part: UInt32) -> Double {
    let entry = table.entries[Int(part)]
    return Double(bitPattern: table.extra(entry).loadUInt64(at: 0))
  }

  func pointHash(metric: UInt32, _ attributes: Span<UInt8>) -> UInt64 {
    (table.identity(of: attributes) ^ UInt64(metric)) &* 0x9e37_79b9_7f4a_7c15
  }

  private mutating func addPoint(metric: UInt32, hash: UInt64, _ attributes: Span<UInt8>) -> UInt32 {
    var point = PointEntry()
    point.metric = metric
    point.start = table.append(attributes)
    point.length = UInt32(truncatingIfNeeded: attributes.count)
    let index: UInt32
    if firstFreePoint != Self.none {
      index = firstFreePoint
      firstFreePoint = points[Int(index)].link
      points[Int(index)] = point
    } else {
      index = UInt32(truncatingIfNeeded: points.count)
      points.append(point)
    }
    let last = catalog.metrics[Int(metric)].last
    if last == Self.none {
      catalog.metrics[Int(metric)].first = index
    } else {
      points[Int(last)].link = index
    }
    catalog.metrics[Int(metric)].last = index
    pointTable.insert(hash, index)
    return index
  }

  private mutating func insertInfo(_ key: Span<UInt8>, _ labels: LabelSet) throws(ScrapeError) -> UInt32 {
    let resource = catalog.resource(job: labels["job"] ?? "", instance: labels["instance"] ?? "")
    var writer = WireWriter(capacity: 256)
    for label in labels where !["__name__", "job", "instance"].contains(label.name) {
      ScrapedAttributes.write(label.name, label.value, field: 1, to: &writer)
    }
    let entry = try insert(key, role: .targetInfo, isNative: false, owner: resource, extra: writer.bytes)
    catalog.resources[Int(resource)].infos.append(entry)
    return entry
  }

  private mutating func insertCreated(
    _ key: Span<UInt8>, _ labels: LabelSet, _ meaning: SeriesMeaning
  ) throws(ScrapeError) -> UInt32 {
    var target = labels
    target["__name__"] = meaning.metricName
    if meaning.kind == .counter {
      let identity = table.identity(of: Self.identityBytes(target).span)
      return try insert(key, role: .created, isNative: false, identity: identity)
    }
    let metric = metric(of: labels, meaning)
    var writer = WireWriter(capacity: 256)
    ScrapedAttributes.write(labels, field: ScrapedAttributes.tag(of: meaning.kind), to: &writer)
    let hash = pointHash(metric: metric, writer.bytes)
    return try insert(
      key, role: .created, isNative: false, owner: metric, identity: hash, extra: writer.bytes)
  }

  /// What two series must have in common to be the same.
  private static func identityBytes(_ labels: LabelSet) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256)
    for label in labels {
      bytes.append(contentsOf: label.name.utf8)
      bytes.append(0xff)
      bytes.append(contentsOf: label.value.utf8)
      bytes.append(0xff)
    }
    return bytes
  }
}

extension ScopeIdentity {
  /// The scope that the labels of a series name.
  init(of labels: LabelSet) {
    for label in labels where label.name.hasPrefix("otel_scope_") {
      switch label.name {
      case "otel_scope_name": name = label.value
      case "otel_scope_version": version = label.value
      case "otel_scope_schema_url": schemaURL = label.value
      default: attributes[String(label.name.dropFirst("otel_scope_".count))] = label.value
      }
    }
  }
}

extension ScrapedKind {
  /// Whether its points are made of several series.
  var hasParts: Bool { self == .histogram || self == .summary }

  /// What a native histogram becomes.
  init(of histogram: NativeHistogram) {
    self = histogram.schema == NativeHistogram.customBuckets ? .custom : .exponential
  }
}
