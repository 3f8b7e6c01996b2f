internal import TelemetryData
internal import WireFormat

// The labels of points.
extension SeriesWalker {
  /// Forgets the attributes of the point before.
  @inline(__always)
  mutating func beginPoint() {
    attributeCount = 0
    matchesShape = hasShape
    if !pointText.isEmpty { pointText.removeAll(keepingCapacity: true) }
    if !exemplars.isEmpty {
      exemplars.removeAll(keepingCapacity: true)
      exemplarLabels.removeAll(keepingCapacity: true)
    }
  }

  /// Takes an attribute of the point at hand.
  @inline(__always)
  mutating func take(attribute range: WireRange, _ bytes: Span<UInt8>) {
    let attribute = AttributeView(WireMessage(bytes, range))
    let value = attribute.value
    let place: TextPlace
    if value.kind == .string {
      place = TextPlace(.batch, value.payload.lowerBound, value.payload.upperBound)
    } else {
      place = textOfPoint(value)
    }
    let key = attribute.keyRange
    let position = attributeCount
    if position < attributes.count {
      attributes[position] = PointAttribute(key: key, value: place)
    } else {
      attributes.append(PointAttribute(key: key, value: place))
    }
    attributeCount = position &+ 1
    if matchesShape {
      if position < shape.count, shape[position].isEmpty == place.isEmpty,
        shape[position].key.count == key.count,
        bytes.extracting(shape[position].key.range).hasSameBytes(as: bytes.extracting(key.range))
      {
        return
      }
      matchesShape = false
    }
  }

  @inline(never)
  mutating func textOfPoint(_ value: borrowing AnyValueView) -> TextPlace {
    let start = pointText.count
    AttributeValueText.append(value, to: &pointText)
    return TextPlace(.point, start, pointText.count)
  }

  /// Makes the labels of the point at hand ready in ``main``.
  @inline(__always)
  mutating func arrange(_ bytes: Span<UInt8>) {
    if !matchesShape || attributeCount != shape.count { makeLayout(bytes) }
    main.fill(attributes)
  }

  mutating func nextNumber() -> UInt64 {
    lastNumber &+= 1
    return lastNumber
  }

  /// Makes the layout for the keys of the point at hand.
  @inline(never)
  private mutating func makeLayout(_ bytes: Span<UInt8>) {
    kept.removeLast(kept.count - endOfMetric)
    shape.removeAll(keepingCapacity: true)
    for position in 0..<attributeCount {
      let attribute = attributes[position]
      shape.append(ShapeKey(key: attribute.key, isEmpty: attribute.value.isEmpty))
    }
    nameAttributes(bytes)
    main.entries.removeAll(keepingCapacity: true)
    main.variables.removeAll(keepingCapacity: true)
    main.number = nextNumber()
    hasShape = true
    mergeNames(bytes)
  }

  /// Finds the names of the attributes that have a value, and sorts them; those of one name by their keys.
  private mutating func nameAttributes(_ bytes: Span<UInt8>) {
    named.removeAll(keepingCapacity: true)
    for position in 0..<attributeCount where !attributes[position].value.isEmpty {
      let key = attributes[position].key
      guard let name = labelName(bytes.extracting(key.range), at: key) else { continue }
      named.append(NamedAttribute(name: name, attribute: position))
    }
    if named.count > 64 { return sortMany(bytes) }
    var sorted: [NamedAttribute] = []
    swap(&sorted, &named)
    for index in sorted.indices.dropFirst() {
      let entry = sorted[index]
      var slot = index
      while slot > 0, comesBefore(entry, sorted[slot - 1], buffers(bytes)) {
        sorted[slot] = sorted[slot - 1]
        slot -= 1
      }
      sorted[slot] = entry
    }
    named = sorted
  }

  private func comesBefore(_ a: NamedAttribute, _ b: NamedAttribute, _ buffers: TextBuffers) -> Bool {
    let (first, second) = (buffers.text(a.name), buffers.text(b.name))
    if !first.hasSameBytes(as: second) { return first.precedes(second) }
    return buffers.batch.extracting(attributes[a.attribute].key.range).precedes(
      buffers.batch.extracting(attributes[b.attribute].key.range))
  }

  /// Sorts by copies of the names: only hostile points have so many attributes.
  private mutating func sortMany(_ bytes: Span<UInt8>) {
    var keyed: [(name: [UInt8], key: [UInt8], entry: NamedAttribute)] = []
    for entry in named {
      var (name, key): ([UInt8], [UInt8]) = ([], [])
      name.append(buffers(bytes).text(entry.name))
      key.append(bytes.extracting(attributes[entry.attribute].key.range))
      keyed.append((name, key, entry))
    }
    keyed.sort { a, b in
      a.name == b.name ? a.key.lexicographicallyPrecedes(b.key) : a.name.lexicographicallyPrecedes(b.name)
    }
    named = keyed.map(\.entry)
  }

  /// Merges the attributes with the labels that all points have.
  private mutating func mergeNames(_ bytes: Span<UInt8>) {
    var next = 0
    for label in fixed {
      // Attributes whose names come before that of the label.
      while next < named.count,
        buffers(bytes).text(named[next].name).precedes(buffers(bytes).text(label.name))
      {
        next = addAttributes(from: next, bytes)
      }
      let isContested =
        next < named.count
        && buffers(bytes).text(named[next].name).hasSameBytes(as: buffers(bytes).text(label.name))
      if isContested {
        let end = endOfGroup(from: next, bytes)
        if label.origin == .external || label.origin == .identity && isOriginal {
          _ = addAttributes(from: next, bytes)
          next = end
          continue
        }
        if label.origin == .resource, let joined = joined(label, next..<end, bytes) {
          main.entries.append(LabelEntry(name: label.name, value: joined, isFixed: false))
          next = end
          continue
        }
        next = end
      }
      if label.origin == .metricName {
        main.nameSlot = main.entries.count
        main.entries.append(LabelEntry(name: label.name, value: familyName, isFixed: true))
      } else {
        main.entries.append(LabelEntry(name: label.name, value: label.value, isFixed: true))
      }
    }
    while next < named.count { next = addAttributes(from: next, bytes) }
  }

  private func endOfGroup(from start: Int, _ bytes: Span<UInt8>) -> Int {
    let buffers = buffers(bytes)
    var end = start + 1
    while end < named.count, buffers.text(named[end].name).hasSameBytes(as: buffers.text(named[start].name)) {
      end += 1
    }
    return end
  }

  /// Adds the attributes of one name as a label, and says where the next name begins.
  private mutating func addAttributes(from start: Int, _ bytes: Span<UInt8>) -> Int {
    let end = endOfGroup(from: start, bytes)
    let first = named[start]
    if end == start + 1 {
      main.variables.append(.init(slot: main.entries.count, attribute: first.attribute))
      main.entries.append(LabelEntry(name: first.name, value: .none, isFixed: false))
      return end
    }
    var values: [TextPlace] = []
    for index in start..<end { values.append(attributes[named[index].attribute].value) }
    main.entries.append(LabelEntry(name: first.name, value: joined(values, bytes), isFixed: false))
    // The values were put together for this point only.
    hasShape = false
    return end
  }

  /// The values of attributes together with that of a resource's; nil when the resource's alone counts, because the
  /// keys are the same.
  private mutating func joined(_ label: FixedLabel, _ group: Range<Int>, _ bytes: Span<UInt8>) -> TextPlace? {
    var values: [TextPlace] = []
    var isPlaced = false
    for index in group {
      let attribute = attributes[named[index].attribute]
      let key = bytes.extracting(attribute.key.range)
      let other = buffers(bytes).text(label.key)
      if key.hasSameBytes(as: other) { continue }
      if !isPlaced, other.precedes(key) {
        values.append(label.value)
        isPlaced = true
      }
      values.append(attribute.value)
    }
    if values.isEmpty { return nil }
    if !isPlaced { values.append(label.value) }
    hasShape = false
    return joined(values, bytes)
  }

  private mutating func joined(_ values: [TextPlace], _ bytes: Span<UInt8>) -> TextPlace {
    var text: [UInt8] = []
    for (index, value) in values.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ";")) }
      text.append(buffers(bytes).text(value))
    }
    let start = pointText.count
    pointText.append(text.span)
    return TextPlace(.point, start, pointText.count)
  }
}
