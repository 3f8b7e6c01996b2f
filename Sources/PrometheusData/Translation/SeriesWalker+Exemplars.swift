internal import TelemetryData
internal import WireFormat

extension SeriesWalker {
  /// The most characters that names and values of an exemplar's labels may have together (OpenMetrics 1.0).
  private static var exemplarLimit: Int { 128 }

  /// Takes an exemplar of the point at hand: its ids, and the other attributes where all of it is short enough.
  @inline(never)
  mutating func take(exemplar range: WireRange, _ bytes: Span<UInt8>) {
    let exemplar = ExemplarView(WireMessage(bytes, range))
    let value: Double
    switch exemplar.value {
    case .double(let number)?: value = number
    case .int(let number)?: value = Double(number)
    case nil: return
    }
    let first = exemplarLabels.count
    var characters = 0
    var attributes = exemplar.filteredAttributes.makeIterator()
    while let attribute = attributes.next() {
      let valuePlace = textOfPoint(attribute.value)
      guard !valuePlace.isEmpty, let name = exemplarName(attribute.key.span, attribute.keyRange) else {
        continue
      }
      characters +=
        Self.characters(buffers(bytes).text(name)) + Self.characters(buffers(bytes).text(valuePlace))
      placeExemplarLabel(LabelEntry(name: name, value: valuePlace, isFixed: false), from: first, bytes)
    }
    let ids = (exemplar.traceID.isEmpty ? 0 : 40) + (exemplar.spanID.isEmpty ? 0 : 23)
    if characters + ids > Self.exemplarLimit { exemplarLabels.removeLast(exemplarLabels.count - first) }
    for (name, id) in [
      (words.spanID, exemplar.message.payload(4)), (words.traceID, exemplar.message.payload(5)),
    ]
    where !id.isEmpty {
      let place = hex(bytes.extracting(id.range))
      placeExemplarLabel(LabelEntry(name: name, value: place, isFixed: false), from: first, bytes)
    }
    exemplars.append(
      ExemplarEntry(
        value: value, timestamp: Self.milliseconds(exemplar.time), labels: first..<exemplarLabels.count))
  }

  /// Where the name for a key stands; what must be changed lasts for the point.
  private mutating func exemplarName(_ key: Span<UInt8>, _ range: WireRange) -> TextPlace? {
    if key.isEmpty { return nil }
    if !settings.strategy.escapes || NameCharacters.isLabelName(key) {
      return TextPlace(.batch, range.lowerBound, range.upperBound)
    }
    let start = pointText.count
    LabelNaming.append(escaped: key, to: &pointText)
    return TextPlace(.point, start, pointText.count)
  }

  /// Puts a label among those of the exemplar; one that is there gives way.
  private mutating func placeExemplarLabel(_ label: LabelEntry, from first: Int, _ bytes: Span<UInt8>) {
    var slot = first
    var isReplacing = false
    do {
      let buffers = buffers(bytes)
      let name = buffers.text(label.name)
      while slot < exemplarLabels.count, buffers.text(exemplarLabels[slot].name).precedes(name) { slot += 1 }
      isReplacing =
        slot < exemplarLabels.count && buffers.text(exemplarLabels[slot].name).hasSameBytes(as: name)
    }
    if isReplacing { exemplarLabels[slot] = label } else { exemplarLabels.insert(label, at: slot) }
  }

  private mutating func hex(_ id: Span<UInt8>) -> TextPlace {
    let start = pointText.count
    for index in id.indices {
      pointText.append(AttributeValueText.hexDigit(id[index] >> 4))
      pointText.append(AttributeValueText.hexDigit(id[index] & 15))
    }
    return TextPlace(.point, start, pointText.count)
  }

  private static func characters(_ text: Span<UInt8>) -> Int {
    var count = 0
    for index in text.indices where text[index] & 0xc0 != 0x80 { count += 1 }
    return count
  }

  /// Sorts the exemplars by the buckets that their values lie in; after it `bucket` is set.
  mutating func sortExemplars(byBounds bounds: [Double]) {
    if exemplars.isEmpty { return }
    for index in exemplars.indices {
      var (low, high) = (0, bounds.count)
      while low < high {
        let middle = (low + high) / 2
        if exemplars[index].value <= bounds[middle] { high = middle } else { low = middle + 1 }
      }
      exemplars[index].bucket = low
    }
    exemplars.sort { ($0.bucket, $0.timestamp) < ($1.bucket, $1.timestamp) }
  }
}
