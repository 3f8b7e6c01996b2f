internal import WireFormat

/// An attribute of the data point at hand.
struct PointAttribute {
  /// Where its key stands in the batch.
  var key: WireRange
  var value: TextPlace
}

/// The names of a point's attributes as labels, in order, and which of them is which: made once for points that have
/// the same keys in the same order.
struct LabelLayout {
  struct Variable {
    /// The position among the labels.
    var slot: Int
    /// The position among the attributes.
    var attribute: Int
  }
  var entries: [LabelEntry] = []
  var variables: [Variable] = []
  /// Where `__name__` stands.
  var nameSlot = 0
  /// Where the label stands that the points of a series' own kind add: `le` or `quantile`.
  var extraSlot = 0
  /// The number that sinks know it by; 0 for none.
  var number: UInt64 = 0
  /// The number of the layout that it was derived from.
  var origin: UInt64 = 0

  /// Puts the values of the point at hand in their places.
  @inline(__always)
  mutating func fill(_ attributes: [PointAttribute]) {
    for variable in variables { entries[variable.slot].value = attributes[variable.attribute].value }
  }

  /// Becomes the layout of series with another metric name.
  mutating func derive(from main: LabelLayout, number: UInt64, name: TextPlace) {
    entries.removeAll(keepingCapacity: true)
    entries.append(contentsOf: main.entries)
    variables.removeAll(keepingCapacity: true)
    variables.append(contentsOf: main.variables)
    nameSlot = main.nameSlot
    origin = main.number
    self.number = number
    entries[nameSlot].value = name
  }

  /// Becomes another layout with another metric name and one more label, which takes the place of one of its name.
  mutating func derive(
    from main: LabelLayout, number: UInt64, name: TextPlace, extra: TextPlace, _ buffers: TextBuffers
  ) {
    derive(from: main, number: number, name: name)
    let text = buffers.text(extra)
    var slot = 0
    while slot < entries.count, buffers.text(entries[slot].name).precedes(text) { slot += 1 }
    extraSlot = slot
    let entry = LabelEntry(name: extra, value: .none, isFixed: false)
    if slot < entries.count, buffers.text(entries[slot].name).hasSameBytes(as: text) {
      entries[slot] = entry
      variables.removeAll { $0.slot == slot }
      return
    }
    entries.insert(entry, at: slot)
    if nameSlot >= slot { nameSlot += 1 }
    for index in variables.indices where variables[index].slot >= slot { variables[index].slot += 1 }
  }
}

/// A label that all points of a scope have.
struct FixedLabel {
  /// Who wins when several want the same name: the greatest.
  enum Origin: Int {
    case external, resource, identity, scope, metricName
  }
  var name: TextPlace
  var value: TextPlace
  var origin: Origin
  /// For ``Origin/resource``: the key of the attribute.
  var key = TextPlace.none
}

extension Span where Element == UInt8 {
  /// Whether this comes before another in the order of bytes.
  func precedes(_ other: Span<UInt8>) -> Bool {
    let count = Swift.min(count, other.count)
    var index = 0
    while index < count {
      if self[index] != other[index] { return self[index] < other[index] }
      index &+= 1
    }
    return self.count < other.count
  }
}
