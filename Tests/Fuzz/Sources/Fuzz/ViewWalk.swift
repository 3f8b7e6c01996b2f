import TelemetryData
import WireFormat

/// Reads every field of every view of a batch, so that a trap in one of them shows.
struct ViewWalk {
  /// Spans, log records or data points that the views showed.
  private(set) var items = 0
  /// Depends on everything that was read, so that nothing is optimised away.
  private(set) var sum: UInt64 = 0

  mutating func read(_ batch: Batch) {
    for resource in 0..<batch.resourceCount { read(batch.resource(at: resource)) }
    for scope in 0..<batch.scopeCount { read(batch.scope(at: scope)) }
    batch.forEachSpan { _, _, span in read(span) }
    batch.forEachLogRecord { _, _, record in read(record) }
    batch.forEachMetric { _, _, metric in read(metric) }
    for position in 0..<batch.recordCount { add(batch.traceID(at: position)?.low ?? 0) }
  }

  private mutating func add(_ value: UInt64) { sum = (sum &+ value) &* 0x9E37_79B9_7F4A_7C15 }
  private mutating func add(_ value: Double?) { add(value?.bitPattern ?? 1) }
  private mutating func add(_ bytes: BytesView) {
    add(bytes.hash)
    add(UInt64(bytes.string.utf8.count))
  }
  private mutating func add(_ value: NumberValue?) { add(UInt64(bitPattern: Int64(value.hashValue))) }

  private mutating func read(_ attributes: AttributesView) {
    add(UInt64(attributes.count))
    attributes.forEach { attribute in
      add(attribute.key)
      read(attribute.value)
    }
    add(UInt64(attributes.values.entries.count))
  }

  private mutating func read(_ value: AnyValueView) {
    add(value.bytes)
    add(value.double)
    add(UInt64(bitPattern: value.int) &+ (value.bool ? 1 : 0) &+ UInt64(value.kind.rawValue))
    add(UInt64(value.array.count &+ value.keyValueList.count))
    add(UInt64(bitPattern: Int64(value.value.hashValue)))
  }

  private mutating func read(_ resource: ResourceView) {
    add(resource.schemaURL)
    read(resource.attributes)
    add(UInt64(resource.droppedAttributesCount))
    resource.entityRefs.forEach { entity in
      add(entity.schemaURL)
      add(entity.type)
      entity.idKeys.forEach { add($0.bytes) }
      entity.descriptionKeys.forEach { add($0.bytes) }
    }
  }

  private mutating func read(_ scope: ScopeView) {
    add(scope.schemaURL)
    add(scope.name)
    add(scope.version)
    read(scope.attributes)
    add(UInt64(scope.droppedAttributesCount))
  }

  private mutating func read(_ span: SpanView) {
    items += 1
    for bytes in [1, 2, 3, 4, 5] { add(UInt64(span.message.payload(UInt32(bytes)).count)) }
    add(span.traceID)
    add(span.spanID)
    add(span.traceState)
    add(span.parentSpanID)
    add(span.name)
    add(UInt64(span.flags) &+ UInt64(span.kind.magnitude) &+ span.startTime &+ span.endTime)
    read(span.attributes)
    add(
      UInt64(span.droppedAttributesCount) &+ UInt64(span.droppedEventsCount) &+ UInt64(span.droppedLinksCount)
    )
    span.events.forEach { event in
      add(event.name)
      add(event.time &+ UInt64(event.droppedAttributesCount))
      read(event.attributes)
    }
    span.links.forEach { link in
      add(link.traceID)
      add(link.spanID)
      add(link.traceState)
      add(UInt64(link.flags) &+ UInt64(link.droppedAttributesCount))
      read(link.attributes)
    }
    if let status = span.status {
      add(status.text)
      add(UInt64(status.code.magnitude))
    }
  }

  private mutating func read(_ record: LogRecordView) {
    items += 1
    add(record.time &+ record.observedTime &+ UInt64(record.severityNumber.magnitude))
    add(record.severityText)
    if let body = record.body { read(body) }
    read(record.attributes)
    add(UInt64(record.flags) &+ UInt64(record.droppedAttributesCount))
    add(record.traceID)
    add(record.spanID)
    add(record.eventName)
  }

  private mutating func read(_ metric: MetricView) {
    items += metric.dataPointCount
    add(metric.name)
    add(metric.description)
    add(metric.unit)
    read(metric.metadata)
    add(UInt64(metric.aggregationTemporality.rawValue) &+ (metric.isMonotonic ? 1 : 0))
    metric.numberDataPoints.forEach { point in
      add(point.startTime &+ point.time &+ UInt64(point.flags))
      add(point.value)
      read(point.attributes)
      point.exemplars.forEach { read($0) }
    }
    metric.histogramDataPoints.forEach { point in
      add(point.startTime &+ point.time &+ UInt64(point.flags) &+ point.count)
      add(point.sum)
      add(point.min)
      add(point.max)
      point.bucketCounts.forEach { add($0) }
      point.explicitBounds.forEach { add($0) }
      read(point.attributes)
      point.exemplars.forEach { read($0) }
    }
    metric.exponentialHistogramDataPoints.forEach { point in
      add(point.startTime &+ point.time &+ UInt64(point.flags) &+ point.count &+ point.zeroCount)
      add(point.sum)
      add(point.min)
      add(point.max)
      add(point.zeroThreshold)
      add(UInt64(point.scale.magnitude))
      if let buckets = point.positive { read(buckets) }
      if let buckets = point.negative { read(buckets) }
      read(point.attributes)
      point.exemplars.forEach { read($0) }
    }
    metric.summaryDataPoints.forEach { point in
      add(point.startTime &+ point.time &+ UInt64(point.flags) &+ point.count)
      add(point.sum)
      point.quantileValues.forEach { quantile in
        add(quantile.quantile)
        add(quantile.value)
      }
      read(point.attributes)
    }
  }

  private mutating func read(_ buckets: BucketsView) {
    add(UInt64(buckets.offset.magnitude))
    buckets.bucketCounts.forEach { add($0) }
    add(UInt64(buckets.bucketCounts.array.count))
  }

  private mutating func read(_ exemplar: ExemplarView) {
    add(exemplar.time)
    add(exemplar.value)
    add(exemplar.spanID)
    add(exemplar.traceID)
    read(exemplar.filteredAttributes)
  }
}
