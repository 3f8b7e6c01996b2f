internal import TelemetryData
internal import WireFormat

/// The resources, scopes and items of a batch, sorted into groups with equal resources.
///
/// Everything is a place in the batch's bytes; nothing is copied before it is written.
struct Grouping {
  /// A resource to be: one of the batch, and the attributes that come to it.
  struct Group {
    let resource: Int
    /// `KeyValue` messages, as items have them.
    let moved: [WireRange]
    var scopes: [ScopeGroup] = []
  }

  /// A scope within a group: one of the batch, and its items from wherever they came.
  struct ScopeGroup {
    let scope: Int
    /// Spans or log records.
    var items: [(position: Int, isChanged: Bool)] = []
    var metrics: [MetricGroup] = []
    /// Where a metric is among `metrics`, by everything of it but its points.
    var metricPlaces: [[UInt8]: Int] = [:]
  }

  /// A metric within a scope: one of the batch, and data points from wherever they came.
  struct MetricGroup {
    let metric: Int
    let attributesField: UInt32
    var points: [(payload: WireRange, isChanged: Bool)] = []
  }

  let batch: Batch
  let keys: [[UInt8]]
  private(set) var groups: [Group] = []
  /// How many spans, log records or data points lost attributes to their resource.
  private(set) var movedCount = 0
  private var places: [[UInt8]: Int] = [:]
  /// For each of the keys where an item has it; empty where it has not.
  private var found: [WireRange]
  /// The groups of the present resource, by what moves to them.
  private var groupsOfResource: [[UInt8]: Int] = [:]
  /// The scopes that stand for the present one, by group.
  private var scopesOfGroup: [Int: Int] = [:]

  init(_ batch: Batch, keys: [[UInt8]]) {
    self.batch = batch
    self.keys = keys
    found = Array(repeating: WireRange(start: 0, end: 0), count: keys.count)
  }

  /// Sorts all items.
  mutating func run() {
    for resource in 0..<batch.resourceCount {
      groupsOfResource.removeAll(keepingCapacity: true)
      for scope in batch.resource(at: resource).scopes {
        scopesOfGroup.removeAll(keepingCapacity: true)
        for item in batch.scope(at: scope).items {
          if batch.signal == .metrics {
            addPoints(ofMetric: item, resource, scope)
          } else {
            let isChanged = find(in: batch.item(at: item).range, batch.signal == .traces ? 9 : 6)
            let group = group(resource)
            groups[group].scopes[self.scope(scope, in: group)].items.append((item, isChanged))
          }
        }
      }
    }
  }

  private mutating func addPoints(ofMetric metric: Int, _ resource: Int, _ scope: Int) {
    let points = batch.dataPoints(ofMetric: metric)
    guard let kind = points.first?.kind else { return }
    let head = MetricHead.bytes(of: batch.item(at: metric))
    for point in points {
      let isChanged = find(in: point.payload, kind.attributesField)
      let group = group(resource)
      let place = self.scope(scope, in: group)
      groups[group].scopes[place].add(
        point.payload, isChanged, metric: metric, head: head, attributesField: kind.attributesField)
    }
  }

  /// Looks the keys up among the attributes of an item; whether there is any.
  private mutating func find(in item: WireRange, _ attributesField: UInt32) -> Bool {
    if keys.isEmpty { return false }
    for index in found.indices { found[index] = WireRange(start: 0, end: 0) }
    var isFound = false
    let source = batch.bytes
    let bytes = source.span
    var cursor = WireCursor(bytes, in: item)
    while let payload = cursor.nextPayload(of: .lengthDelimited(attributesField)) {
      let attribute = AttributeView(WireMessage(bytes, payload))
      for index in keys.indices where found[index].isEmpty && attribute.keyRange.count == keys[index].count {
        if attribute.key == keys[index] {
          found[index] = payload
          isFound = true
        }
      }
    }
    if isFound { movedCount += 1 }
    return isFound
  }

  // MARK: Places

  /// The group for an item of a resource, given what was found of it.
  private mutating func group(_ resource: Int) -> Int {
    var key: [UInt8] = []
    for range in found { key.append(sized: Array(batch.bytes[range.range])) }
    if let known = groupsOfResource[key] { return known }
    let moved = found.filter { !$0.isEmpty }
    let identity = identity(of: resource, moved)
    let group: Int
    if let known = places[identity] {
      group = known
    } else {
      group = groups.count
      groups.append(Group(resource: resource, moved: moved))
      places[identity] = group
    }
    groupsOfResource[key] = group
    return group
  }

  /// The same bytes for equal resources: attributes in the order of their bytes, and everything else.
  private func identity(of resource: Int, _ moved: [WireRange]) -> [UInt8] {
    let view = batch.resource(at: resource)
    var attributes: [[UInt8]] = moved.map { Array(batch.bytes[$0.range]) }
    var rest: [UInt8] = []
    var cursor = view.message.fields
    while let field = cursor.nextField() {
      if field.tag != .lengthDelimited(1) {
        rest.append(batch.bytes, field.range)
      } else if !isMoved(field.value, moved) {
        attributes.append(Array(batch.bytes[field.value.range]))
      }
    }
    attributes.sort { $0.lexicographicallyPrecedes($1) }
    var identity: [UInt8] = []
    for attribute in attributes { identity.append(sized: attribute) }
    identity.append(sized: rest)
    identity.append(sized: view.schemaURL.array)
    return identity
  }

  /// Whether an attribute gives way to one that moves to its resource.
  func isMoved(_ attribute: WireRange, _ moved: [WireRange]) -> Bool {
    let bytes = batch.bytes.span
    let key = AttributeView(WireMessage(bytes, attribute)).key
    for range in moved where AttributeView(WireMessage(bytes, range)).key == key { return true }
    return false
  }

  /// The scope of a group that stands for one of the batch.
  private mutating func scope(_ scope: Int, in group: Int) -> Int {
    if let known = scopesOfGroup[group] { return known }
    let batch = batch
    let view = batch.scope(at: scope)
    var place = 0
    while place < groups[group].scopes.count {
      let other = batch.scope(at: groups[group].scopes[place].scope)
      if BytesView(other.message.bytes.extracting(other.message.range.range)).equals(
        view.message.bytes.extracting(view.message.range.range)), other.schemaURL == view.schemaURL
      {
        break
      }
      place += 1
    }
    if place == groups[group].scopes.count { groups[group].scopes.append(ScopeGroup(scope: scope)) }
    scopesOfGroup[group] = place
    return place
  }
}

extension Grouping.ScopeGroup {
  /// Adds a data point to the metric that it belongs to.
  mutating func add(
    _ point: WireRange, _ isChanged: Bool, metric: Int, head: [UInt8], attributesField: UInt32
  ) {
    let place: Int
    if let known = metricPlaces[head] {
      place = known
    } else {
      place = metrics.count
      metrics.append(Grouping.MetricGroup(metric: metric, attributesField: attributesField))
      metricPlaces[head] = place
    }
    metrics[place].points.append((point, isChanged))
  }
}

/// Everything of a metric but its points: name, unit, temporality and what else there is.
enum MetricHead {
  /// The fields that hold data.
  static let dataFields: Set<UInt32> = [5, 7, 9, 10, 11]

  /// The same bytes for metrics whose points may stand together.
  static func bytes(of metric: WireMessage) -> [UInt8] {
    var head: [UInt8] = []
    var fields = metric.fields
    while let field = fields.nextField() {
      guard Self.dataFields.contains(field.fieldNumber) else {
        for index in field.range.range { head.append(metric.bytes[index]) }
        continue
      }
      head.append(UInt8(truncatingIfNeeded: field.fieldNumber))
      var inner = WireCursor(metric.bytes, in: field.value)
      while let part = inner.nextField() {
        if part.tag == .lengthDelimited(1) { continue }
        for index in part.range.range { head.append(metric.bytes[index]) }
      }
    }
    return head
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ bytes: [UInt8], _ range: WireRange) { self += bytes[range.range] }

  /// Appends bytes with their number in front, so that what follows cannot be taken for a part of them.
  fileprivate mutating func append(sized bytes: [UInt8]) {
    var count = bytes.count
    for _ in 0..<4 {
      append(UInt8(truncatingIfNeeded: count))
      count >>= 8
    }
    self += bytes
  }
}
