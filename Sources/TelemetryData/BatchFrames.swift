import WireFormat

/// Frames of a patch for the messages that a batch's index knows.
extension Batch {
  /// The offset of the length of a length-delimited field.
  func lengthStart(ofFieldAt fieldStart: UInt32) -> Int {
    let span = bytes.span
    var offset = Int(fieldStart)
    while span[offset] >= 0x80 { offset &+= 1 }
    return offset &+ 1
  }

  func openResource(_ position: Int, in patch: inout WirePatch) -> WirePatch.Frame {
    let entry = index.resources[position]
    return patch.frame(
      lengthStart: lengthStart(ofFieldAt: entry.fieldStart), payload: entry.payload, in: .root)
  }

  func openScope(
    _ position: Int, of resource: WirePatch.Frame, in patch: inout WirePatch
  ) -> WirePatch.Frame {
    let entry = index.scopes[position]
    return patch.frame(
      lengthStart: lengthStart(ofFieldAt: entry.fieldStart), payload: entry.payload, in: resource)
  }

  func openItem(_ position: Int, of scope: WirePatch.Frame, in patch: inout WirePatch) -> WirePatch.Frame {
    let entry = index.items[position]
    return patch.frame(
      lengthStart: lengthStart(ofFieldAt: entry.fieldStart), payload: entry.payload, in: scope)
  }

  /// The data of a metric, or nil when it has none.
  func metricData(_ position: Int) -> MetricData? {
    try? MetricData.find(in: WireCursor(bytes.span, in: index.items[position].payload))
  }
}

extension BatchIndex.Resource {
  /// The whole field, with tag and length.
  var field: WireRange { WireRange(start: fieldStart, end: payload.end) }
}

extension BatchIndex.Scope {
  /// The whole field, with tag and length.
  var field: WireRange { WireRange(start: fieldStart, end: payload.end) }
}

extension BatchIndex.Item {
  /// The whole field, with tag and length.
  var field: WireRange { WireRange(start: fieldStart, end: payload.end) }
}
