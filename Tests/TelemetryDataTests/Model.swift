import TelemetryData

/// A batch as a tree of values: what the tests compare, and where slow references of edits work.
struct Model: Hashable {
  enum Item: Hashable {
    case span(SpanValue)
    case logRecord(LogRecordValue)
    case metric(MetricValue)
  }

  struct Scope: Hashable {
    var value: ScopeValue
    var items: [Item] = []
  }

  struct Resource: Hashable {
    var value: ResourceValue
    var scopes: [Scope] = []
  }

  /// An item with what it belongs to; a data point is a metric with one of them.
  struct Row: Hashable {
    var resource: ResourceValue
    var scope: ScopeValue
    var item: Item
  }

  var signal: Signal
  var resources: [Resource] = []

  init(signal: Signal) { self.signal = signal }

  /// Reads a batch through its views.
  init(_ batch: Batch) {
    signal = batch.signal
    for position in 0..<batch.resourceCount {
      let view = batch.resource(at: position)
      var resource = Resource(value: ResourceValue(view))
      for position in view.scopes {
        let view = batch.scope(at: position)
        var scope = Scope(value: ScopeValue(view))
        for item in view.items {
          switch batch.signal {
          case .traces: scope.items.append(.span(SpanValue(batch.span(at: item))))
          case .logs: scope.items.append(.logRecord(LogRecordValue(batch.logRecord(at: item))))
          case .metrics: scope.items.append(.metric(MetricValue(batch.metric(at: item))))
          }
        }
        resource.scopes.append(scope)
      }
      resources.append(resource)
    }
  }

  /// Writes the model with the builder.
  func batch() -> Batch {
    var builder = BatchBuilder(signal)
    for resource in resources {
      builder.beginResource(resource.value)
      for scope in resource.scopes {
        builder.beginScope(scope.value)
        for item in scope.items {
          switch item {
          case .span(let span): builder.add(span)
          case .logRecord(let record): builder.add(record)
          case .metric(let metric): builder.add(metric)
          }
        }
      }
    }
    return builder.finish()
  }

  /// All spans, log records or single data points, with what they belong to.
  var rows: [Row] {
    var rows: [Row] = []
    for resource in resources {
      for scope in resource.scopes {
        for item in scope.items {
          for single in item.singles {
            rows.append(Row(resource: resource.value, scope: scope.value, item: single))
          }
        }
      }
    }
    return rows
  }

  /// The model without items for which a predicate does not hold, and without what that leaves empty.
  func selecting(_ isKept: (Int) -> Bool) -> Model {
    var position = 0
    var result = Model(signal: signal)
    for resource in resources {
      var kept = Resource(value: resource.value)
      for scope in resource.scopes {
        var keptScope = Scope(value: scope.value)
        for item in scope.items {
          if isKept(position) { keptScope.items.append(item) }
          position += 1
        }
        if !keptScope.items.isEmpty { kept.scopes.append(keptScope) }
      }
      if !kept.scopes.isEmpty { result.resources.append(kept) }
    }
    return result
  }

  /// Changes every item.
  mutating func changeItems(_ body: (inout Item) -> Void) {
    for r in resources.indices {
      for s in resources[r].scopes.indices {
        for i in resources[r].scopes[s].items.indices { body(&resources[r].scopes[s].items[i]) }
      }
    }
  }
}

extension Model.Item {
  /// The item itself, or a metric for each of the data points.
  var singles: [Model.Item] {
    guard case .metric(let metric) = self else { return [self] }
    var all: [MetricDataValue] = []
    switch metric.data {
    case .gauge(let points): all = points.map { .gauge([$0]) }
    case .sum(let points, let temporality, let isMonotonic):
      all = points.map { .sum([$0], temporality, isMonotonic: isMonotonic) }
    case .histogram(let points, let temporality): all = points.map { .histogram([$0], temporality) }
    case .exponentialHistogram(let points, let temporality):
      all = points.map { .exponentialHistogram([$0], temporality) }
    case .summary(let points): all = points.map { .summary([$0]) }
    case nil: break
    }
    return all.map { data in
      var single = metric
      single.data = data
      return .metric(single)
    }
  }
}
