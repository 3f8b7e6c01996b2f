internal import TelemetryData
internal import WireFormat

/// A data point on its way through the transforms: where it stands, and what became of it.
struct EditedPoint {
  /// What it counts, where that is not as it stands.
  enum Content {
    case number(NumberValue)
    case explicit(ExplicitCounts, bounds: [Double])
    case exponential(ExponentialCounts)
  }

  /// Exemplars that stand in a data point, with a factor for their values.
  struct Exemplars {
    let payload: WireRange
    var scale: Double
  }

  let payload: WireRange
  let time: UInt64
  let flags: UInt32
  /// The value of a gauge or sum.
  var number: NumberValue? {
    if case .number(let value) = content { return value }
    return original
  }
  private let original: NumberValue?
  private(set) var startTime: UInt64
  private(set) var attributes: Attributes
  private var content: Content?
  private var exemplars: [Exemplars]
  private var hasOtherAttributes = false
  private var hasOtherExemplars = false
  private var hasOtherStart = false

  init(_ place: DataPointPlace, in batch: Batch) {
    let message = WireMessage(batch.bytes.span, place.payload)
    payload = place.payload
    exemplars = [Exemplars(payload: payload, scale: 1)]
    startTime = message.number(.fixed64(2))
    time = message.number(.fixed64(3))
    let flagsField: UInt32 = place.kind == .histogram || place.kind == .exponentialHistogram ? 10 : 8
    flags = UInt32(truncatingIfNeeded: message.number(.varint(flagsField)))
    attributes = AttributesView(message, place.kind.attributesField).values
    original =
      place.kind == .gauge || place.kind == .sum ? NumberDataPointView(message).value : nil
  }

  var isChanged: Bool { content != nil || hasOtherAttributes || hasOtherExemplars || hasOtherStart }

  // Attributes.

  /// The text of an attribute; empty for other values, nil where there is none.
  func text(_ key: String) -> String? {
    guard let value = attributes.entries.first(where: { $0.key == key })?.value else { return nil }
    if case .string(let text) = value { return text }
    return ""
  }

  mutating func setAttributes(_ changed: Attributes) {
    attributes = changed
    hasOtherAttributes = true
  }

  /// Sets an attribute, whether it is there or not.
  mutating func put(_ key: String, _ value: AnyValue) {
    hasOtherAttributes = true
    if let position = attributes.entries.firstIndex(where: { $0.key == key }) {
      attributes.entries[position].value = value
    } else {
      attributes.append(key, value)
    }
  }

  mutating func rename(_ key: String, to other: String) {
    guard key != other, let position = attributes.entries.firstIndex(where: { $0.key == key }) else { return }
    let value = attributes.entries.remove(at: position).value
    put(other, value)
  }

  // Content.

  mutating func setNumber(_ value: NumberValue) { content = .number(value) }

  func explicit(in batch: Batch) -> (counts: ExplicitCounts, bounds: [Double]) {
    if case .explicit(let counts, let bounds) = content { return (counts, bounds) }
    let view = HistogramDataPointView(WireMessage(batch.bytes.span, payload))
    return (ExplicitCounts(view, .plain), view.explicitBounds.array)
  }

  mutating func setExplicit(_ counts: ExplicitCounts, bounds: [Double]) {
    content = .explicit(counts, bounds: bounds)
  }

  func exponential(in batch: Batch) -> ExponentialCounts {
    if case .exponential(let counts) = content { return counts }
    return ExponentialCounts(
      ExponentialHistogramDataPointView(WireMessage(batch.bytes.span, payload)))
  }

  mutating func setExponential(_ counts: ExponentialCounts) { content = .exponential(counts) }

  /// Multiplies the values of exemplars.
  mutating func scaleExemplars(_ factor: Double) {
    for position in exemplars.indices { exemplars[position].scale *= factor }
    hasOtherExemplars = true
  }

  /// Takes the exemplars of a data point that becomes part of this one.
  mutating func takeExemplars(of other: EditedPoint) {
    exemplars += other.exemplars
    hasOtherExemplars = true
  }

  /// Begins where an earlier one began.
  mutating func begin(noLaterThan start: UInt64) {
    if start >= startTime { return }
    startTime = start
    hasOtherStart = true
  }

  // Writing.

  func write(to writer: inout WireWriter, _ kind: MetricKind, from batch: Batch) {
    let message = WireMessage(batch.bytes.span, payload)
    let exemplarsField: UInt32 = kind == .histogram ? 8 : kind == .exponentialHistogram ? 11 : 5
    var replaced: FieldNumbers = []
    if hasOtherAttributes { replaced.insert(kind.attributesField) }
    if hasOtherExemplars { replaced.insert(exemplarsField) }
    switch content {
    case .number: replaced.formUnion([2, 4, 6])
    case .explicit: replaced.formUnion([2, 4, 5, 6, 7, 11, 12])
    case .exponential: replaced.formUnion(ExponentialCounts.fields)
    case nil: if hasOtherStart { replaced.insert(2) }
    }
    writer.copyFields(of: message, except: replaced)
    switch content {
    case .number(let value):
      if startTime != 0 { writer.fixed64Field(2, startTime) }
      switch value {
      case .int(let value): writer.fixed64Field(6, UInt64(bitPattern: value))
      case .double(let value): writer.doubleField(4, value)
      }
    case .explicit(let counts, let bounds):
      counts.write(to: &writer, startTime: startTime)
      writer.packedDoubleField(7, bounds)
    case .exponential(let counts): counts.write(to: &writer, startTime: startTime)
    case nil: if hasOtherStart, startTime != 0 { writer.fixed64Field(2, startTime) }
    }
    if hasOtherAttributes { writer.attributeFields(kind.attributesField, attributes) }
    if hasOtherExemplars {
      for place in exemplars { Self.copy(place, exemplarsField, from: batch, to: &writer) }
    }
  }

  private static func copy(
    _ exemplars: Exemplars, _ number: UInt32, from batch: Batch, to writer: inout WireWriter
  ) {
    let bytes = batch.bytes.span
    var cursor = WireCursor(bytes, in: exemplars.payload)
    while let payload = cursor.nextPayload(of: .lengthDelimited(number)) {
      let exemplar = ExemplarView(WireMessage(bytes, payload))
      guard exemplars.scale != 1, let value = exemplar.value else {
        writer.bytesField(number, bytes.extracting(payload.range))
        continue
      }
      writer.message(number) { writer in
        writer.copyFields(of: exemplar.message, except: [3, 6])
        switch value.scaled(by: exemplars.scale) {
        case .int(let value): writer.fixed64Field(6, UInt64(bitPattern: value))
        case .double(let value): writer.doubleField(3, value)
        }
      }
    }
  }
}

extension StreamSeed {
  /// For what is compared within one batch only.
  static let plain = StreamSeed { 0.5 }
}

extension NumberValue {
  /// As an integer, without what stands behind the point, and the nearest one where it is out of range.
  var integer: Int64 {
    switch self {
    case .int(let value): return value
    case .double(let value):
      if value.isNaN { return 0 }
      return Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }
  }

  var double: Double {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    }
  }

  /// Multiplied, and of the same type as before.
  func scaled(by factor: Double) -> NumberValue {
    switch self {
    case .int(let value): .int(NumberValue.double(Double(value) * factor).integer)
    case .double(let value): .double(value * factor)
    }
  }
}
