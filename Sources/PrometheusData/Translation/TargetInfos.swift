internal import TelemetryData
internal import WireFormat

/// The `target_info` series of a batch: one for each `job` and `instance`.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", Resource Attributes.
struct TargetInfos {
  struct Entry {
    /// The position of the resource that speaks for the target.
    var resource: Int
    /// In nanoseconds since the Unix epoch.
    var time: UInt64
  }
  private var entries: [[UInt8]: Entry] = [:]

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  /// Notes a resource; of several with one identity the one with the newest point counts.
  mutating func add(_ identity: [UInt8], _ entry: Entry) {
    if let known = entries[identity], known.time > entry.time { return }
    entries[identity] = entry
  }

  /// In the order of their resources.
  var inOrder: [Entry] { entries.values.sorted { $0.resource < $1.resource } }
}

extension SeriesWalker {
  /// Notes that a resource has attributes for a `target_info` series.
  ///
  /// There is none without `job` or `instance` to tell targets apart, without other attributes, and without points.
  mutating func noteTarget(_ resource: borrowing ResourceView, _ position: Int, _ bytes: Span<UInt8>) {
    if newestTime == 0 { return }
    var hasMore = false
    var identity: [UInt8] = []
    var hasIdentity = false
    var attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      if ServiceAttribute(attribute.key.span) == nil { hasMore = true }
    }
    if !hasMore { return }
    for label in resourceFixed where label.origin == .identity {
      hasIdentity = true
      let buffers = buffers(bytes)
      identity.append(buffers.text(label.name))
      identity.append(0xff)
      identity.append(buffers.text(label.value))
      identity.append(0xff)
    }
    if hasIdentity { targets.add(identity, TargetInfos.Entry(resource: position, time: newestTime)) }
  }

  /// Sends the series of all targets that were noted.
  mutating func sendTargets<Sink: SeriesSink & ~Copyable>(
    of batch: Batch, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    let entries = targets.inOrder
    if entries.isEmpty { return }
    let name =
      (MetricNaming.name(
        "target_info", isOriginal: true, strategy: settings.strategy, namespace: settings.namespace)
      ?? "target_info").utf8
    let help = Array("Target metadata".utf8)
    for (index, entry) in entries.enumerated() {
      kept.removeLast(kept.count - endOfOwn)
      var labels: [FixedLabel] = external
      let resource = batch.resource(at: entry.resource)
      placeIdentity(resource, bytes, into: &labels)
      placeMetricName(into: &labels, bytes)
      fixed = labels
      familyName = keep(Array(name).span)
      if index == 0 {
        sink.begin(
          SeriesFamily(
            name: kept.span.extracting(familyName.range), type: .info, isTarget: true, help: help.span,
            unit: [UInt8]().span))
      }
      endOfMetric = kept.count
      isOriginal = false
      hasShape = false
      beginPoint()
      var attributes = resource.message.fields
      while let payload = attributes.nextPayload(of: .lengthDelimited(1)) {
        let key = AttributeView(WireMessage(bytes, payload)).key
        if ServiceAttribute(key.span) == nil { take(attribute: payload, bytes) }
      }
      arrange(bytes)
      let buffers = buffers(bytes)
      let point = SeriesPoint(value: 1, timestamp: Self.milliseconds(entry.time), start: 0)
      let series = SeriesLabels(buffers: buffers, entries: main.entries.span, layout: main.number, slot: 0)
      sink.beginPoint(series)
      sink.sample(
        series, point,
        exemplars: SeriesExemplars(buffers: buffers, entries: exemplars.span, labels: exemplarLabels.span))
    }
  }
}
