import TelemetryData

/// Values read through views, property by property.
extension ResourceValue {
  init(_ view: borrowing ResourceView) {
    self.init(
      attributes: view.attributes.values, droppedAttributesCount: view.droppedAttributesCount,
      schemaURL: view.schemaURL.string)
    var entities: [EntityRefValue] = []
    view.entityRefs.forEach { entity in
      var value = EntityRefValue(schemaURL: entity.schemaURL.string, type: entity.type.string)
      entity.idKeys.forEach { value.idKeys.append($0.string) }
      entity.descriptionKeys.forEach { value.descriptionKeys.append($0.string) }
      entities.append(value)
    }
    entityRefs = entities
  }
}

extension ScopeValue {
  init(_ view: borrowing ScopeView) {
    self.init(
      name: view.name.string, version: view.version.string, attributes: view.attributes.values,
      droppedAttributesCount: view.droppedAttributesCount, schemaURL: view.schemaURL.string)
  }
}

extension SpanValue {
  init(_ view: borrowing SpanView) {
    var events: [SpanEventValue] = []
    view.events.forEach { event in
      events.append(
        SpanEventValue(
          time: event.time, name: event.name.string, attributes: event.attributes.values,
          droppedAttributesCount: event.droppedAttributesCount))
    }
    var links: [SpanLinkValue] = []
    view.links.forEach { link in
      links.append(
        SpanLinkValue(
          traceID: link.traceID.array, spanID: link.spanID.array, traceState: link.traceState.string,
          attributes: link.attributes.values, droppedAttributesCount: link.droppedAttributesCount,
          flags: link.flags))
    }
    var status: StatusValue?
    if let view = view.status { status = StatusValue(message: view.text.string, code: view.code) }
    self.init(
      traceID: view.traceID.array, spanID: view.spanID.array, traceState: view.traceState.string,
      parentSpanID: view.parentSpanID.array, flags: view.flags, name: view.name.string, kind: view.kind,
      startTime: view.startTime, endTime: view.endTime, attributes: view.attributes.values,
      droppedAttributesCount: view.droppedAttributesCount, events: events,
      droppedEventsCount: view.droppedEventsCount,
      links: links, droppedLinksCount: view.droppedLinksCount, status: status)
  }
}

extension LogRecordValue {
  init(_ view: borrowing LogRecordView) {
    var body: AnyValue?
    if let view = view.body { body = view.value }
    self.init(
      time: view.time, observedTime: view.observedTime, severityNumber: view.severityNumber,
      severityText: view.severityText.string, body: body, attributes: view.attributes.values,
      droppedAttributesCount: view.droppedAttributesCount, flags: view.flags, traceID: view.traceID.array,
      spanID: view.spanID.array, eventName: view.eventName.string)
  }
}

extension MetricValue {
  init(_ view: borrowing MetricView) {
    self.init(
      name: view.name.string, description: view.description.string, unit: view.unit.string,
      metadata: view.metadata.values)
    let temporality = view.aggregationTemporality
    var numbers: [NumberDataPointValue] = []
    view.numberDataPoints.forEach { numbers.append(NumberDataPointValue($0)) }
    var histograms: [HistogramDataPointValue] = []
    view.histogramDataPoints.forEach { histograms.append(HistogramDataPointValue($0)) }
    var exponentials: [ExponentialHistogramDataPointValue] = []
    view.exponentialHistogramDataPoints.forEach {
      exponentials.append(ExponentialHistogramDataPointValue($0))
    }
    var summaries: [SummaryDataPointValue] = []
    view.summaryDataPoints.forEach { summaries.append(SummaryDataPointValue($0)) }
    switch view.kind {
    case .gauge: data = .gauge(numbers)
    case .sum: data = .sum(numbers, temporality, isMonotonic: view.isMonotonic)
    case .histogram: data = .histogram(histograms, temporality)
    case .exponentialHistogram: data = .exponentialHistogram(exponentials, temporality)
    case .summary: data = .summary(summaries)
    case nil: data = nil
    }
  }
}

extension NumberDataPointValue {
  init(_ view: borrowing NumberDataPointView) {
    self.init(
      attributes: view.attributes.values, startTime: view.startTime, time: view.time, value: view.value,
      exemplars: values(view.exemplars), flags: view.flags)
  }
}

extension HistogramDataPointValue {
  init(_ view: borrowing HistogramDataPointView) {
    self.init(
      attributes: view.attributes.values, startTime: view.startTime, time: view.time, count: view.count,
      sum: view.sum, bucketCounts: view.bucketCounts.array, explicitBounds: view.explicitBounds.array,
      exemplars: values(view.exemplars), flags: view.flags, min: view.min, max: view.max)
  }
}

extension ExponentialHistogramDataPointValue {
  init(_ view: borrowing ExponentialHistogramDataPointView) {
    var positive: BucketsValue?
    if let buckets = view.positive {
      positive = BucketsValue(offset: buckets.offset, bucketCounts: buckets.bucketCounts.array)
    }
    var negative: BucketsValue?
    if let buckets = view.negative {
      negative = BucketsValue(offset: buckets.offset, bucketCounts: buckets.bucketCounts.array)
    }
    self.init(
      attributes: view.attributes.values, startTime: view.startTime, time: view.time, count: view.count,
      sum: view.sum, scale: view.scale, zeroCount: view.zeroCount, positive: positive, negative: negative,
      flags: view.flags, exemplars: values(view.exemplars), min: view.min, max: view.max,
      zeroThreshold: view.zeroThreshold)
  }
}

extension SummaryDataPointValue {
  init(_ view: borrowing SummaryDataPointView) {
    var quantiles: [QuantileValue] = []
    view.quantileValues.forEach { quantiles.append(QuantileValue(quantile: $0.quantile, value: $0.value)) }
    self.init(
      attributes: view.attributes.values, startTime: view.startTime, time: view.time, count: view.count,
      sum: view.sum, quantileValues: quantiles, flags: view.flags)
  }
}

private func values(_ exemplars: borrowing RepeatedView<ExemplarView>) -> [ExemplarValue] {
  var values: [ExemplarValue] = []
  exemplars.forEach { view in
    values.append(
      ExemplarValue(
        filteredAttributes: view.filteredAttributes.values, time: view.time, value: view.value,
        spanID: view.spanID.array, traceID: view.traceID.array))
  }
  return values
}
