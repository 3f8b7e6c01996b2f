public import WireFormat

extension Batch {
  /// One batch with the resources of all, in order.
  ///
  /// The concatenation of export requests is an export request (protobuf merges repeated fields by
  /// appending), so bytes are copied once and indexes are shifted; nothing is parsed. Equal resources are not
  /// joined.
  ///
  /// - Parameters:
  ///   - batches: Batches of one signal. A single batch is returned as it is.
  ///   - signal: The signal of an empty result.
  /// - Throws: ``WireError/Reason/tooLarge`` when the result would not be addressable with 32 bits.
  /// - Important: Batches of other signals than `signal` are a defect of the caller and trap.
  public static func merging(_ batches: [Batch], signal: Signal) throws(WireError) -> Batch {
    if batches.count == 1, batches[0].signal == signal { return batches[0] }
    var size = 0
    var (resourceCount, scopeCount, itemCount) = (0, 0, 0)
    for batch in batches {
      precondition(batch.signal == signal, "batches of different signals cannot be merged")
      size += batch.byteCount
      resourceCount += batch.index.resources.count
      scopeCount += batch.index.scopes.count
      itemCount += batch.index.items.count
    }
    if size >= Int(UInt32.max) { throw WireError(.tooLarge, at: 0) }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    var resources: [BatchIndex.Resource] = []
    resources.reserveCapacity(resourceCount)
    var scopes: [BatchIndex.Scope] = []
    scopes.reserveCapacity(scopeCount)
    var items: [BatchIndex.Item] = []
    items.reserveCapacity(itemCount)
    var pointEnds: [UInt32] = []
    if signal == .metrics { pointEnds.reserveCapacity(itemCount) }

    for batch in batches {
      let base = UInt32(truncatingIfNeeded: bytes.count)
      let firstResource = UInt32(truncatingIfNeeded: resources.count)
      let firstScope = UInt32(truncatingIfNeeded: scopes.count)
      let firstItem = UInt32(truncatingIfNeeded: items.count)
      let firstPoint = pointEnds.last ?? 0
      bytes.append(contentsOf: batch.bytes)
      for entry in batch.index.resources {
        resources.append(entry.shifted(by: base, firstScope: firstScope))
      }
      for entry in batch.index.scopes {
        scopes.append(entry.shifted(by: base, firstResource: firstResource, firstItem: firstItem))
      }
      for entry in batch.index.items {
        items.append(
          BatchIndex.Item(fieldStart: entry.fieldStart &+ base, payload: entry.payload.shifted(by: base)))
      }
      for end in batch.index.pointEnds { pointEnds.append(end &+ firstPoint) }
    }
    let index = BatchIndex(resources: resources, scopes: scopes, items: items, pointEnds: pointEnds)
    return Batch(signal: signal, bytes: bytes, index: index)
  }
}

extension WireRange {
  /// The same bytes in a buffer with more in front; an absent field stays absent.
  func shifted(by base: UInt32) -> WireRange {
    end == 0 ? self : WireRange(start: start &+ base, end: end &+ base)
  }
}

extension BatchIndex.Resource {
  func shifted(by base: UInt32, firstScope: UInt32) -> Self {
    var entry = self
    entry.fieldStart &+= base
    entry.payload = payload.shifted(by: base)
    entry.resource = resource.shifted(by: base)
    entry.resourceFieldStart &+= base
    entry.schemaURL = schemaURL.shifted(by: base)
    entry.firstScope &+= firstScope
    return entry
  }
}

extension BatchIndex.Scope {
  func shifted(by base: UInt32, firstResource: UInt32, firstItem: UInt32) -> Self {
    var entry = self
    entry.fieldStart &+= base
    entry.payload = payload.shifted(by: base)
    entry.scope = scope.shifted(by: base)
    entry.scopeFieldStart &+= base
    entry.schemaURL = schemaURL.shifted(by: base)
    entry.resource &+= firstResource
    entry.firstItem &+= firstItem
    return entry
  }
}
