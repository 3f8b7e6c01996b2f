internal import NativeCodecs
internal import WireFormat

/// Writes `io.prometheus.write.v2.Request` (Remote Write 2.0): labels are numbers of strings in a table.
///
/// Start times are written at samples and histograms, where the specification has them now, and as the series'
/// `created_timestamp`, where its first version had them.
struct RemoteWriteV2Encoding: RemoteWriteEncoding, ~Copyable {
  private struct Template {
    var layout: UInt64 = 0
    var generation: UInt64 = 0
    /// Numbers of names and values, 0 where the value varies.
    var numbers: [UInt32] = []
  }
  private var writer = WireWriter(capacity: 1 << 16)
  private var symbols = SymbolTable()
  private var templates: InlineArray<4, Template>
  private var numbers: [UInt32] = []
  /// The `metadata` field of the metric at hand.
  private var metadata: [UInt8] = []
  private var metadataOf: (family: UInt64, generation: UInt64) = (0, 0)

  init() { templates = InlineArray(repeating: Template()) }

  /// Nothing when there is no series, whatever is in the table.
  var size: Int { writer.count == 0 ? 0 : writer.count + symbols.size }

  mutating func finish(with compressor: Compressor) throws(CodecError) -> [UInt8] {
    var whole = WireWriter(capacity: size + 16)
    whole.write(symbols.encoded.span)
    whole.write(writer.bytes)
    writer.removeAll()
    symbols.removeAll()
    var body: [UInt8] = []
    try compressor.compress(whole.bytes, to: &body)
    return body
  }

  mutating func sample(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars,
    family: borrowing FamilyText
  ) {
    let series = writer.beginMessage(5)
    writeLabels(labels)
    let sample = writer.beginMessage(2)
    writer.doubleField(1, point.value)
    writer.intField(2, point.timestamp)
    if point.start != 0 { writer.intField(3, point.start) }
    writer.endMessage(sample)
    write(exemplars)
    writeMetadata(family)
    if point.start != 0 { writer.intField(6, point.start) }
    writer.endMessage(series)
  }

  mutating func histogram(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars, family: borrowing FamilyText
  ) {
    let series = writer.beginMessage(5)
    writeLabels(labels)
    let message = writer.beginMessage(3)
    writer.writeHistogram(histogram, timestamp: point.timestamp, start: point.start)
    writer.endMessage(message)
    write(exemplars)
    writeMetadata(family)
    if point.start != 0 { writer.intField(6, point.start) }
    writer.endMessage(series)
  }

  private mutating func writeLabels(_ labels: borrowing SeriesLabels) {
    let slot = labels.slot
    if templates[slot].layout != labels.layout || templates[slot].generation != symbols.generation {
      makeTemplate(labels)
    }
    let message = writer.beginMessage(1)
    for index in 0..<labels.count {
      writer.writeVarint(UInt64(templates[slot].numbers[index &* 2]))
      let value = templates[slot].numbers[index &* 2 &+ 1]
      writer.writeVarint(UInt64(value != 0 ? value : symbols.number(of: labels.value(index))))
    }
    writer.endMessage(message)
  }

  @inline(never)
  private mutating func makeTemplate(_ labels: borrowing SeriesLabels) {
    var numbers: [UInt32] = []
    swap(&numbers, &templates[labels.slot].numbers)
    numbers.removeAll(keepingCapacity: true)
    for index in 0..<labels.count {
      numbers.append(symbols.number(of: labels.name(index)))
      numbers.append(labels.isFixed(index) ? symbols.number(of: labels.value(index)) : 0)
    }
    templates[labels.slot].layout = labels.layout
    templates[labels.slot].generation = symbols.generation
    swap(&numbers, &templates[labels.slot].numbers)
  }

  private mutating func write(_ exemplars: borrowing SeriesExemplars) {
    for index in 0..<exemplars.count {
      let message = writer.beginMessage(4)
      let labels = writer.beginMessage(1)
      for position in exemplars.labels(index) {
        writer.writeVarint(UInt64(symbols.number(of: exemplars.labelName(position))))
        writer.writeVarint(UInt64(symbols.number(of: exemplars.labelValue(position))))
      }
      writer.endMessage(labels)
      writer.doubleField(2, exemplars.value(index))
      writer.intField(3, exemplars.timestamp(index))
      writer.endMessage(message)
    }
  }

  private mutating func writeMetadata(_ family: borrowing FamilyText) {
    if metadataOf != (family.number, symbols.generation) {
      metadataOf = (family.number, symbols.generation)
      metadata.removeAll(keepingCapacity: true)
      var fields: [UInt8] = [0x08]
      fields.append(varint: Int(family.type.rawValue))
      if !family.help.isEmpty {
        fields.append(0x18)
        fields.append(varint: Int(symbols.number(of: family.help.span)))
      }
      if !family.unit.isEmpty {
        fields.append(0x20)
        fields.append(varint: Int(symbols.number(of: family.unit.span)))
      }
      metadata.append(field: 0x2a, fields.span)
    }
    writer.append(metadata)
  }
}
