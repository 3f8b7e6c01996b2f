public import WireFormat

/// Gathers changes of a batch and applies them in one copy pass.
///
/// The batch itself never changes: ``finish()`` gives a new one. Messages nobody touched are copied as they
/// are; of the others only the changed fields and the lengths around them are written anew. Changes of one
/// message take effect one after the other. Visiting messages in the order of the batch is fastest, any order
/// is right.
///
///     var editor = BatchEditor(batch)
///     for position in 0..<batch.recordCount { editor.upsert("env", "prod", on: .item(position)) }
///     let edited = try editor.finish()
public struct BatchEditor: ~Copyable {
  public let batch: Batch
  var patch: WirePatch
  var resourceFrames: [WirePatch.Frame]
  var scopeFrames: [WirePatch.Frame]
  var itemFrames: [WirePatch.Frame]
  var resourceMessageFrames: [WirePatch.Frame]
  var scopeMessageFrames: [WirePatch.Frame]
  /// Frames of data points and of what holds them, by the start of their tag.
  var pointFrames: [UInt32: WirePatch.Frame] = [:]
  /// Contents of resource and scope messages that the batch lacks.
  var newMessages: [EditTarget: [UInt8]] = [:]
  var deletedItems: ItemSet?
  var deletedPoints: ItemSet?

  public init(_ batch: Batch) {
    self.batch = batch
    patch = WirePatch(capacity: batch.index.items.count * 4 + 8, frames: batch.index.items.count + 8)
    let index = batch.index
    resourceFrames = Array(repeating: .root, count: index.resources.count)
    scopeFrames = Array(repeating: .root, count: index.scopes.count)
    itemFrames = Array(repeating: .root, count: index.items.count)
    resourceMessageFrames = resourceFrames
    scopeMessageFrames = scopeFrames
  }

  /// Whether the batch would stay as it is.
  public var isEmpty: Bool {
    patch.isEmpty && newMessages.isEmpty && deletedItems == nil && deletedPoints == nil
  }

  /// Drops a span, metric or log record; its scope and resource go with the last one.
  public mutating func deleteItem(_ position: Int) {
    if deletedItems == nil { deletedItems = ItemSet(capacity: batch.index.items.count) }
    deletedItems?.insert(position)
  }

  /// Drops a data point; its metric, scope and resource go with the last one.
  public mutating func deleteDataPoint(_ place: DataPointPlace) {
    if deletedPoints == nil { deletedPoints = ItemSet(capacity: batch.itemCount) }
    deletedPoints?.insert(place.position)
  }

  /// The batch with every change.
  ///
  /// - Throws: ``WireError/Reason/tooLarge`` when the result would not be addressable with 32 bits.
  public consuming func finish() throws(WireError) -> Batch {
    insertNewMessages()
    let original = batch
    let (deletedItems, deletedPoints) = (deletedItems, deletedPoints)
    let edited =
      patch.isEmpty
      ? original : Batch(rewritten: try patch.apply(to: original.bytes), signal: original.signal)
    guard var points = deletedPoints else {
      guard let items = deletedItems else { return edited }
      return edited.selecting(items.inverted())
    }
    if let items = deletedItems {
      for item in edited.index.items.indices where items.contains(item) {
        for point in edited.index.points(ofMetric: item) { points.insert(point) }
      }
    }
    return edited.selectingPoints(points.inverted())
  }

  private mutating func insertNewMessages() {
    for (target, content) in newMessages {
      let (frame, payload): (WirePatch.Frame, WireRange)
      switch target {
      case .resource(let position):
        (frame, payload) = (resourceFrame(position), batch.index.resources[position].payload)
      case .scope(let position):
        (frame, payload) = (scopeFrame(position), batch.index.scopes[position].payload)
      case .item, .dataPoint: continue
      }
      let start = patch.pieces.count
      patch.pieces.bytesField(1, content)
      patch.insert(patch.piece(from: start), at: payload.lowerBound, in: frame)
    }
  }
}

/// Frames, opened when something within changes.
extension BatchEditor {
  mutating func resourceFrame(_ position: Int) -> WirePatch.Frame {
    if resourceFrames[position] == .root {
      resourceFrames[position] = batch.openResource(position, in: &patch)
    }
    return resourceFrames[position]
  }

  mutating func scopeFrame(_ position: Int) -> WirePatch.Frame {
    if scopeFrames[position] == .root {
      let resource = resourceFrame(Int(batch.index.scopes[position].resource))
      scopeFrames[position] = batch.openScope(position, of: resource, in: &patch)
    }
    return scopeFrames[position]
  }

  mutating func itemFrame(_ position: Int) -> WirePatch.Frame {
    if itemFrames[position] == .root {
      let scope = scopeFrame(batch.index.scope(ofItem: position))
      itemFrames[position] = batch.openItem(position, of: scope, in: &patch)
    }
    return itemFrames[position]
  }

  private mutating func pointFrame(_ place: DataPointPlace) -> WirePatch.Frame {
    if let frame = pointFrames[place.fieldStart] { return frame }
    let data: WirePatch.Frame
    if let known = pointFrames[place.dataFieldStart] {
      data = known
    } else {
      let metric = itemFrame(place.metric)
      data = patch.frame(
        lengthStart: batch.lengthStart(ofFieldAt: place.dataFieldStart), payload: place.data, in: metric)
      pointFrames[place.dataFieldStart] = data
    }
    let frame = patch.frame(
      lengthStart: batch.lengthStart(ofFieldAt: place.fieldStart), payload: place.payload, in: data)
    pointFrames[place.fieldStart] = frame
    return frame
  }

  /// The frame of a target that the batch has.
  mutating func frame(of target: EditTarget) -> WirePatch.Frame {
    switch target {
    case .item(let position): return itemFrame(position)
    case .dataPoint(let place): return pointFrame(place)
    case .resource(let position):
      if resourceMessageFrames[position] == .root {
        let entry = batch.index.resources[position]
        let outer = resourceFrame(position)
        resourceMessageFrames[position] = patch.frame(
          lengthStart: batch.lengthStart(ofFieldAt: entry.resourceFieldStart), payload: entry.resource,
          in: outer)
      }
      return resourceMessageFrames[position]
    case .scope(let position):
      if scopeMessageFrames[position] == .root {
        let entry = batch.index.scopes[position]
        let outer = scopeFrame(position)
        scopeMessageFrames[position] = patch.frame(
          lengthStart: batch.lengthStart(ofFieldAt: entry.scopeFieldStart), payload: entry.scope, in: outer)
      }
      return scopeMessageFrames[position]
    }
  }

  /// The frame of a target, or nil when nothing in it has changed yet.
  func openFrame(of target: EditTarget) -> WirePatch.Frame? {
    let frame: WirePatch.Frame
    switch target {
    case .item(let position): frame = itemFrames[position]
    case .dataPoint(let place): return pointFrames[place.fieldStart]
    case .resource(let position): frame = resourceMessageFrames[position]
    case .scope(let position): frame = scopeMessageFrames[position]
    }
    return frame == .root ? nil : frame
  }

  /// The fields of a target, or nil when the batch lacks the message.
  func payload(of target: EditTarget) -> WireRange? {
    switch target {
    case .item(let position): return batch.index.items[position].payload
    case .dataPoint(let place): return place.payload
    case .resource(let position):
      let range = batch.index.resources[position].resource
      return range.end == 0 ? nil : range
    case .scope(let position):
      let range = batch.index.scopes[position].scope
      return range.end == 0 ? nil : range
    }
  }
}
