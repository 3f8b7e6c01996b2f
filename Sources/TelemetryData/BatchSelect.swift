import WireFormat

extension Batch {
  /// A batch with some of the items: spans, metrics or log records, by their positions in the index.
  ///
  /// Items keep their bytes and order. Scopes and resources keep all their other fields; those that lose
  /// their last item are dropped, and so are those that had none.
  public func selecting(_ kept: ItemSet) -> Batch {
    precondition(
      kept.capacity == index.items.count, "a set of \(kept.capacity) items for \(index.items.count)")
    var patch = WirePatch(capacity: index.items.count / 4 + 16)
    for resource in index.resources.indices {
      let scopes = index.scopes(ofResource: resource)
      if scopes.isEmpty || !kept.containsAny(of: items(ofScopes: scopes)) {
        patch.delete(index.resources[resource].field, in: .root)
        continue
      }
      let resourceFrame = openResource(resource, in: &patch)
      for scope in scopes {
        let items = index.items(ofScope: scope)
        if !kept.containsAny(of: items) {
          patch.delete(index.scopes[scope].field, in: resourceFrame)
          continue
        }
        let scopeFrame = openScope(scope, of: resourceFrame, in: &patch)
        for item in items where !kept.contains(item) {
          patch.delete(index.items[item].field, in: scopeFrame)
        }
      }
    }
    return rewritten(by: patch)
  }

  /// A batch with the items for which a predicate holds, by position in the index.
  @inlinable
  public func selecting(where isKept: (Int) -> Bool) -> Batch {
    var kept = ItemSet(capacity: index.items.count)
    for item in 0..<index.items.count where isKept(item) { kept.insert(item) }
    return selecting(kept)
  }

  /// A metrics batch with some of the data points, by their positions counted over the whole batch.
  ///
  /// Metrics that lose their last data point are dropped, and so are those that had none; scopes and
  /// resources likewise.
  public func selectingPoints(_ kept: ItemSet) -> Batch {
    precondition(kept.capacity == itemCount, "a set of \(kept.capacity) data points for \(itemCount)")
    let metrics = selectingPointsWithinMetrics(kept)
    var remaining = ItemSet(capacity: index.items.count)
    for item in index.items.indices where kept.containsAny(of: index.points(ofMetric: item)) {
      remaining.insert(item)
    }
    return metrics.selecting(remaining)
  }

  /// Drops data points, and keeps metrics that have none left.
  private func selectingPointsWithinMetrics(_ kept: ItemSet) -> Batch {
    var patch = WirePatch()
    for resource in index.resources.indices {
      var resourceFrame: WirePatch.Frame?
      for scope in index.scopes(ofResource: resource) {
        var scopeFrame: WirePatch.Frame?
        for item in index.items(ofScope: scope) {
          let points = index.points(ofMetric: item)
          if points.allSatisfy(kept.contains) || !kept.containsAny(of: points) { continue }
          let outer = resourceFrame ?? openResource(resource, in: &patch)
          resourceFrame = outer
          let inner = scopeFrame ?? openScope(scope, of: outer, in: &patch)
          scopeFrame = inner
          let frame = openItem(item, of: inner, in: &patch)
          keepPoints(ofMetric: item, frame: frame, in: &patch) { kept.contains(points.lowerBound + $0) }
        }
      }
    }
    return rewritten(by: patch)
  }

  /// Deletes the data points of a metric for which a predicate, given their positions in the metric, does not
  /// hold.
  func keepPoints(
    ofMetric item: Int, frame: WirePatch.Frame, in patch: inout WirePatch, where isKept: (Int) -> Bool
  ) {
    guard let data = metricData(item) else { return }
    let dataFrame = patch.frame(
      lengthStart: lengthStart(ofFieldAt: data.fieldStart), payload: data.payload, in: frame)
    var cursor = WireCursor(bytes.span, in: data.payload)
    var position = 0
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(1) else { continue }
      if !isKept(position) { patch.delete(field.range, in: dataFrame) }
      position += 1
    }
  }

  /// The positions of the items of neighbouring scopes.
  func items(ofScopes scopes: Range<Int>) -> Range<Int> {
    if scopes.isEmpty { return 0..<0 }
    return Int(
      index.scopes[scopes.lowerBound].firstItem)..<index.items(ofScope: scopes.upperBound - 1).upperBound
  }

  /// The batch after a patch that only takes away or changes what it knows to be well-formed.
  func rewritten(by patch: consuming WirePatch) -> Batch {
    if patch.isEmpty { return self }
    do throws(WireError) {
      return Batch(rewritten: try patch.apply(to: bytes), signal: signal)
    } catch {
      assertionFailure("a patch that deletes made a batch too large: \(error)")
      return self
    }
  }
}
