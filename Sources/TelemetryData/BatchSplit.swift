import WireFormat

extension Batch {
  /// Batches of at most so many items each (spans, log records or data points), in order.
  ///
  /// Every part repeats the resource and scope of its items with all their fields, known or not. A metric
  /// with more data points than fit is split between them, and every part of it repeats its name, unit,
  /// description, temporality and all other fields. Scopes without items stay with their neighbours or are
  /// dropped.
  ///
  /// A batch that is small enough, or a limit below 1, gives the batch itself.
  ///
  /// - Parameter firstPart: The most items of the first part, from 1 to `maxItems`, where it fills up a batch
  ///   that is being gathered; `maxItems` when left out.
  public func split(maxItems: Int, firstPart: Int? = nil) -> [Batch] {
    var count = firstPart ?? maxItems
    if maxItems < 1 || count < 1 || itemCount <= count { return [self] }
    var parts: [Batch] = []
    parts.reserveCapacity(itemCount / maxItems + 2)
    var start = Cut(item: 0, point: 0)
    while start.item < index.items.count {
      let end = cut(after: start, count: count)
      parts.append(part(from: start, to: end))
      start = end
      count = maxItems
    }
    return parts
  }

  /// A place between items, or between the data points of a metric.
  struct Cut {
    var item: Int
    /// The number of data points of `item` that stand before the cut.
    var point: Int
  }

  private func cut(after start: Cut, count: Int) -> Cut {
    if signal != .metrics { return Cut(item: min(start.item + count, index.items.count), point: 0) }
    var left = count
    var place = start
    while place.item < index.items.count {
      let available = index.points(ofMetric: place.item).count - place.point
      if available > left {
        place.point += left
        return place
      }
      left -= available
      place = Cut(item: place.item + 1, point: 0)
      if left == 0 { break }
    }
    // Metrics without data points count for nothing and would make a part of their own at the end.
    while place.item < index.items.count, index.points(ofMetric: place.item).isEmpty { place.item += 1 }
    return place
  }

  private func part(from start: Cut, to end: Cut) -> Batch {
    let lastItem = end.point > 0 ? end.item : end.item - 1
    let scopes = index.scope(ofItem: start.item)...index.scope(ofItem: lastItem)
    let first = Int(index.scopes[scopes.lowerBound].resource)
    let last = Int(index.scopes[scopes.upperBound].resource)
    var patch = WirePatch(capacity: 16)
    if start.item > 0 || start.point > 0 {
      patch.delete(WireRange(start: 0, end: index.resources[first].fieldStart), in: .root)
    }
    for resource in first...last {
      let all = index.scopes(ofResource: resource)
      let items = items(ofScopes: all)
      let isWhole =
        items.lowerBound >= start.item && items.upperBound <= end.item
        && (start.point == 0 || items.lowerBound > start.item)
      if isWhole { continue }
      let resourceFrame = openResource(resource, in: &patch)
      let kept = all.clamped(to: scopes.lowerBound..<scopes.upperBound + 1)
      delete(scopes: all.lowerBound..<kept.lowerBound, of: resource, frame: resourceFrame, in: &patch)
      for scope in kept { keep(scope, from: start, to: end, frame: resourceFrame, in: &patch) }
      delete(scopes: kept.upperBound..<all.upperBound, of: resource, frame: resourceFrame, in: &patch)
    }
    if lastItem + 1 < index.items.count, last + 1 < index.resources.count {
      // Unknown fields between resources go with the resource before them.
      patch.delete(WireRange(Int(index.resources[last + 1].fieldStart), bytes.count), in: .root)
    }
    return rewritten(by: patch)
  }

  private func keep(
    _ scope: Int, from start: Cut, to end: Cut, frame: WirePatch.Frame, in patch: inout WirePatch
  ) {
    let items = index.items(ofScope: scope)
    let kept = items.clamped(to: start.item..<(end.point > 0 ? end.item + 1 : end.item))
    let startsWithin = kept.contains(start.item) && start.point > 0
    let endsWithin = kept.contains(end.item)
    if kept == items, !startsWithin, !endsWithin { return }
    let scopeFrame = openScope(scope, of: frame, in: &patch)
    delete(items: items.lowerBound..<kept.lowerBound, of: scope, frame: scopeFrame, in: &patch)
    if startsWithin {
      let upper = end.item == start.item ? end.point : Int.max
      let frame = openItem(start.item, of: scopeFrame, in: &patch)
      keepPoints(ofMetric: start.item, frame: frame, in: &patch) { $0 >= start.point && $0 < upper }
    }
    if endsWithin, !(startsWithin && end.item == start.item) {
      let frame = openItem(end.item, of: scopeFrame, in: &patch)
      keepPoints(ofMetric: end.item, frame: frame, in: &patch) { $0 < end.point }
    }
    delete(items: kept.upperBound..<items.upperBound, of: scope, frame: scopeFrame, in: &patch)
  }

  /// Deletes neighbouring items of a scope; at one stroke when nothing stands between them.
  private func delete(
    items: Range<Int>, of scope: Int, frame: WirePatch.Frame, in patch: inout WirePatch
  ) {
    if items.isEmpty { return }
    if index.scopes[scope].isContiguous {
      let end = index.items[items.upperBound - 1].payload.end
      patch.delete(WireRange(start: index.items[items.lowerBound].fieldStart, end: end), in: frame)
    } else {
      for item in items { patch.delete(index.items[item].field, in: frame) }
    }
  }

  /// Deletes neighbouring scopes of a resource; at one stroke when nothing stands between them.
  private func delete(
    scopes: Range<Int>, of resource: Int, frame: WirePatch.Frame, in patch: inout WirePatch
  ) {
    if scopes.isEmpty { return }
    if index.resources[resource].isContiguous {
      let end = index.scopes[scopes.upperBound - 1].payload.end
      patch.delete(WireRange(start: index.scopes[scopes.lowerBound].fieldStart, end: end), in: frame)
    } else {
      for scope in scopes { patch.delete(index.scopes[scope].field, in: frame) }
    }
  }
}
