package import TelemetryData
internal import WireFormat

/// Walks a batch of OTLP metrics and hands out the Prometheus series it stands for.
///
/// Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility", OTLP Metric points to Prometheus; where that
/// leaves a choice, as the Collector decides. Metrics that say in their metadata which type they had in Prometheus
/// (`prometheus.type`) come back as they were: their names stay, and their points' own `job` and `instance` win over
/// those of the resource.
///
/// Nothing is decoded into objects. A metric's name is translated once; the names of labels are looked at when the keys
/// of a point differ from those of the point before it. The walker keeps its buffers, so that walking a batch allocates
/// next to nothing; it keeps nothing of the batch.
package struct SeriesWalker: ~Copyable {
  let settings: TranslationSettings
  var naming: MetricNaming

  var kept: [UInt8] = []
  var pointText: [UInt8] = []
  var boundText: [UInt8] = []
  /// Ends of what is kept for all batches, for a resource, a scope and a metric.
  var endOfOwn = 0
  var endOfResource = 0
  var endOfScope = 0
  var endOfMetric = 0

  /// Sorted by name, each once.
  var external: [FixedLabel] = []
  var resourceFixed: [FixedLabel] = []
  var fixed: [FixedLabel] = []
  let words: Words

  // The metric at hand.
  var familyName = TextPlace.none
  var suffixNames = SuffixNames()
  var type = ExpositionType.unknown
  var isOriginal = false
  var takesExemplars = false
  var isDelta = false

  // The points' keys.
  var shape: [ShapeKey] = []
  var matchesShape = false
  var hasShape = false
  var attributes: [PointAttribute] = []
  var attributeCount = 0
  var named: [NamedAttribute] = []
  var lastNumber: UInt64 = 0
  var main = LabelLayout()
  var extra = LabelLayout()
  var sum = LabelLayout()
  var count = LabelLayout()

  // The point at hand.
  var exemplars: [ExemplarEntry] = []
  var exemplarLabels: [LabelEntry] = []
  var bucketCounts: [UInt64] = []
  var bounds: [Double] = []
  var knownBounds: [Double] = []
  var boundPlaces: [TextPlace] = []
  var native = NativeHistogram()
  var deltas = DeltaSums()

  /// In nanoseconds since the Unix epoch, of the resource's points.
  var newestTime: UInt64 = 0
  var targets = TargetInfos()

  /// Points that have no series, by why.
  package private(set) var drops = SeriesDrops()

  package init(_ settings: TranslationSettings) {
    self.settings = settings
    naming = MetricNaming(settings.strategy, namespace: settings.namespace)
    words = Words(in: &kept)
    placeExternalLabels()
    endOfOwn = kept.count
  }

  /// Keys of a point, to see whether the next one has the same.
  struct ShapeKey {
    var key: WireRange
    var isEmpty: Bool
  }

  struct NamedAttribute {
    var name: TextPlace
    var attribute: Int
  }

  /// The names of series that a metric has besides its own.
  struct SuffixNames {
    var bucket = TextPlace.none
    var sum = TextPlace.none
    var count = TextPlace.none
  }

  /// Counts a point that has no series.
  mutating func drop(_ reason: SeriesDrops.Reason, _ points: Int = 1) { drops.add(reason, points) }

  /// Walks over a batch of metrics; other signals have no series.
  package mutating func walk<Sink: SeriesSink & ~Copyable>(_ batch: Batch, into sink: inout Sink) {
    drops = SeriesDrops()
    if batch.signal != .metrics { return }
    targets.removeAll()
    let bytes = batch.bytes.span
    for position in 0..<batch.resourceCount {
      let resource = batch.resource(at: position)
      begin(resource, bytes)
      for scopePosition in resource.scopes {
        let scope = batch.scope(at: scopePosition)
        begin(scope, bytes)
        for item in scope.items { walk(metric: item, of: batch, bytes, into: &sink) }
      }
      if settings.addsTargetInfo { noteTarget(resource, position, bytes) }
    }
    sendTargets(of: batch, bytes, into: &sink)
    hasShape = false
  }

  private mutating func walk<Sink: SeriesSink & ~Copyable>(
    metric position: Int, of batch: Batch, _ bytes: Span<UInt8>, into sink: inout Sink
  ) {
    let metric = batch.metric(at: position)
    guard let kind = metric.kind else { return }
    let points = batch.index.points(ofMetric: position).count
    if points == 0 { return }
    if kind == .sum || kind == .histogram || kind == .exponentialHistogram {
      let temporality = metric.aggregationTemporality
      // Of sums only those of growing counts can be added up, of histograms those with bounds.
      let canAccumulate = kind == .histogram || kind == .sum && metric.isMonotonic
      isDelta = temporality == .delta && settings.accumulatesDeltas && canAccumulate
      if temporality != .cumulative, !isDelta {
        return drop(temporality == .delta ? .delta : .unspecifiedTemporality, points)
      }
    } else {
      isDelta = false
    }
    guard begin(metric, kind, bytes) else { return drop(.name, points) }
    do {
      let unit = kept.count
      kept.append(contentsOf: naming.unitText(metric.unit.span))
      endOfMetric = kept.count
      let family = SeriesFamily(
        name: kept.span.extracting(familyName.range), type: type, isTarget: false,
        help: metric.description.span, unit: kept.span.extracting(unit..<kept.count))
      sink.begin(family)
    }
    var cursor = metric.data.fields
    while let payload = cursor.nextPayload(of: .lengthDelimited(1)) {
      switch kind {
      case .gauge, .sum: numberPoint(payload, bytes, into: &sink)
      case .histogram: histogramPoint(payload, bytes, into: &sink)
      case .exponentialHistogram: exponentialPoint(payload, bytes, into: &sink)
      case .summary: summaryPoint(payload, bytes, into: &sink)
      }
    }
  }

  /// Makes the metric's names; false when there is none for it.
  private mutating func begin(_ metric: borrowing MetricView, _ kind: MetricKind, _ bytes: Span<UInt8>)
    -> Bool
  {
    kept.removeLast(kept.count - endOfScope)
    hasShape = false
    let stated = Self.statedType(metric)
    isOriginal = stated != nil
    let isMonotonic = kind == .sum && metric.isMonotonic
    // Single series of a type that is not known, or of a histogram elsewhere, may have had some.
    takesExemplars =
      isMonotonic || kind == .histogram || kind == .exponentialHistogram || stated == .unknown
      || stated == .histogram
    switch kind {
    case .gauge: type = stated ?? .gauge
    case .sum: type = stated ?? (isMonotonic ? .counter : .gauge)
    case .histogram, .exponentialHistogram: type = stated ?? .histogram
    case .summary: type = stated ?? .summary
    }
    let start = kept.count
    naming.append(
      metric.name.span, unit: metric.unit.span,
      kind: isMonotonic ? .counter : kind == .gauge ? .gauge : .other, isOriginal: isOriginal, to: &kept)
    if kept.count == start { return false }
    familyName = TextPlace(.kept, start, kept.count)
    if kind == .histogram || kind == .summary {
      let isGauge = type == .gaugeHistogram
      suffixNames.bucket = suffixed("_bucket")
      suffixNames.sum = suffixed(isGauge ? "_gsum" : "_sum")
      suffixNames.count = suffixed(isGauge ? "_gcount" : "_count")
    }
    endOfMetric = kept.count
    return true
  }

  private mutating func suffixed(_ suffix: String) -> TextPlace {
    let start = kept.count
    for index in familyName.range { kept.append(kept[index]) }
    kept.append(contentsOf: suffix.utf8)
    return TextPlace(.kept, start, kept.count)
  }

  /// What the metric's metadata says its type was in Prometheus.
  private static func statedType(_ metric: borrowing MetricView) -> ExpositionType? {
    guard let value = metric.metadata.first(Self.typeKey) else { return nil }
    for (name, type) in Self.typeNames where value.bytes == name { return type }
    return nil
  }

  private static let typeKey = Array("prometheus.type".utf8)
  private static let typeNames: [([UInt8], ExpositionType)] = [
    (Array("counter".utf8), .counter), (Array("gauge".utf8), .gauge), (Array("unknown".utf8), .unknown),
    (Array("histogram".utf8), .histogram), (Array("summary".utf8), .summary), (Array("info".utf8), .info),
    (Array("stateset".utf8), .stateSet), (Array("gaugehistogram".utf8), .gaugeHistogram),
  ]
}

/// Points that have no series, by why.
package struct SeriesDrops: Sendable {
  package enum Reason: String, Sendable, CaseIterable {
    /// Counts since the last report, where Prometheus knows only those since a start.
    case delta = "delta_temporality"
    case unspecifiedTemporality = "unspecified_temporality"
    /// A difference that is not newer than those added up before.
    case deltaOrder = "delta_out_of_order"
    case deltaSeries = "too_many_delta_series"
    /// An exponential histogram coarser than Prometheus knows.
    case scale = "unsupported_scale"
    /// Nothing of the metric's name can stand in a name.
    case name = "invalid_name"
    case value = "no_value"
    case time = "no_timestamp"
    /// As many counts as bounds, or bounds that do not grow.
    case buckets = "invalid_buckets"
  }
  private var counts: [Reason: Int] = [:]

  package init() {}

  mutating func add(_ reason: Reason, _ points: Int) { counts[reason, default: 0] += points }

  package var isEmpty: Bool { counts.isEmpty }
  package var total: Int { counts.values.reduce(0, +) }
  package subscript(reason: Reason) -> Int { counts[reason] ?? 0 }
  /// In a stable order.
  package var byReason: [(reason: Reason, points: Int)] {
    Reason.allCases.compactMap { reason in counts[reason].map { (reason, $0) } }
  }
}

/// Texts that the walker itself brings along.
struct Words {
  let metricName: TextPlace
  let job: TextPlace
  let instance: TextPlace
  let le: TextPlace
  let quantile: TextPlace
  let scopeName: TextPlace
  let scopeVersion: TextPlace
  let scopeSchema: TextPlace
  let traceID: TextPlace
  let spanID: TextPlace

  init(in buffer: inout [UInt8]) {
    func place(_ text: String, in buffer: inout [UInt8]) -> TextPlace {
      let start = buffer.count
      buffer.append(contentsOf: text.utf8)
      return TextPlace(.kept, start, buffer.count)
    }
    metricName = place("__name__", in: &buffer)
    job = place("job", in: &buffer)
    instance = place("instance", in: &buffer)
    le = place("le", in: &buffer)
    quantile = place("quantile", in: &buffer)
    scopeName = place("otel_scope_name", in: &buffer)
    scopeVersion = place("otel_scope_version", in: &buffer)
    scopeSchema = place("otel_scope_schema_url", in: &buffer)
    traceID = place("trace_id", in: &buffer)
    spanID = place("span_id", in: &buffer)
  }
}
