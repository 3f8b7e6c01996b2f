internal import NativeCodecs
internal import WireFormat

/// Writes `prometheus.WriteRequest` (Remote Write 1.0): every label of every series in full.
///
/// What series of one layout have in common is encoded once and copied.
struct RemoteWriteV1Encoding: RemoteWriteEncoding, ~Copyable {
  /// A label whose value varies, and the bytes that stand before it.
  fileprivate struct Piece {
    /// Whole labels before it, in ``Template/bytes``.
    var before: WireRange
    /// Its name with the tag of its value behind it.
    var name: WireRange
    /// Its position among the labels.
    var label: Int
  }
  fileprivate struct Template {
    var layout: UInt64 = 0
    var bytes: [UInt8] = []
    var pieces: [Piece] = []
    /// Whole labels behind the last piece.
    var after = WireRange(start: 0, end: 0)
    /// Of everything but what depends on the values.
    var size = 0
  }
  private var writer = WireWriter(capacity: 1 << 16)
  private var templates: InlineArray<4, Template>

  init() { templates = InlineArray(repeating: Template()) }

  var size: Int { writer.count }

  mutating func finish(with compressor: Compressor) throws(CodecError) -> [UInt8] {
    var body: [UInt8] = []
    defer { writer.removeAll() }
    try compressor.compress(writer.bytes, to: &body)
    return body
  }

  mutating func sample(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars,
    family: borrowing FamilyText
  ) {
    prepare(labels)
    let series = writer.beginMessage(1)
    writeLabels(labels)
    let sample = writer.beginMessage(2)
    writer.doubleField(1, point.value)
    writer.intField(2, point.timestamp)
    writer.endMessage(sample)
    write(exemplars)
    writer.endMessage(series)
  }

  mutating func histogram(
    _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
    exemplars: borrowing SeriesExemplars, family: borrowing FamilyText
  ) {
    prepare(labels)
    let series = writer.beginMessage(1)
    writeLabels(labels)
    write(exemplars)
    let message = writer.beginMessage(4)
    writer.writeHistogram(histogram, timestamp: point.timestamp)
    writer.endMessage(message)
    writer.endMessage(series)
  }

  private mutating func write(_ exemplars: borrowing SeriesExemplars) {
    for index in 0..<exemplars.count {
      let message = writer.beginMessage(3)
      for position in exemplars.labels(index) {
        let label = writer.beginMessage(1)
        writer.bytesField(1, exemplars.labelName(position))
        writer.bytesField(2, exemplars.labelValue(position))
        writer.endMessage(label)
      }
      writer.doubleField(2, exemplars.value(index))
      writer.intField(3, exemplars.timestamp(index))
      writer.endMessage(message)
    }
  }

  /// Makes the template of a layout, unless it is there.
  @inline(__always)
  private mutating func prepare(_ labels: borrowing SeriesLabels) {
    if templates[labels.slot].layout != labels.layout { makeTemplate(labels) }
  }

  @inline(never)
  private mutating func makeTemplate(_ labels: borrowing SeriesLabels) {
    var template = Template()
    swap(&template, &templates[labels.slot])
    template.layout = labels.layout
    template.pieces.removeAll(keepingCapacity: true)
    template.bytes.removeAll(keepingCapacity: true)
    var start = 0
    for index in 0..<labels.count {
      let (name, value) = (labels.name(index), labels.value(index))
      if labels.isFixed(index) {
        let inner = Varint.fieldLength(1, payload: name.count) + Varint.fieldLength(2, payload: value.count)
        template.bytes.append(0x0a)
        template.bytes.append(varint: inner)
        template.bytes.append(field: 0x0a, name)
        template.bytes.append(field: 0x12, value)
      } else {
        let before = WireRange(start, template.bytes.count)
        let nameStart = template.bytes.count
        template.bytes.append(field: 0x0a, name)
        template.bytes.append(0x12)
        start = template.bytes.count
        template.pieces.append(Piece(before: before, name: WireRange(nameStart, start), label: index))
      }
    }
    template.after = WireRange(start, template.bytes.count)
    swap(&template, &templates[labels.slot])
  }

  @inline(__always)
  private mutating func writeLabels(_ labels: borrowing SeriesLabels) {
    templates[labels.slot].write(labels, to: &writer)
  }
}

extension RemoteWriteV1Encoding.Template {
  @inline(__always)
  func write(_ labels: borrowing SeriesLabels, to writer: inout WireWriter) {
    let bytes = bytes.span
    for piece in pieces {
      let value = labels.value(piece.label)
      if !piece.before.isEmpty { writer.write(bytes, in: piece.before) }
      writer.writeVarint(0x0a)
      writer.writeVarint(UInt64(piece.name.count &+ Varint.length(UInt64(value.count)) &+ value.count))
      writer.write(bytes, in: piece.name)
      writer.writeVarint(UInt64(value.count))
      writer.write(value)
    }
    if !after.isEmpty { writer.write(bytes, in: after) }
  }
}

extension WireWriter {
  /// Appends bytes as they are.
  mutating func append(_ bytes: [UInt8]) { write(bytes.span) }
}

extension [UInt8] {
  /// Appends a varint.
  mutating func append(varint value: Int) {
    var rest = UInt64(value)
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a length-delimited field with a tag of one byte.
  mutating func append(field tag: UInt8, _ payload: Span<UInt8>) {
    append(tag)
    append(varint: payload.count)
    append(payload)
  }
}
