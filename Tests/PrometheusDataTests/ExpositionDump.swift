import PrometheusData

/// What a reader said, as values to compare.
enum Said: Equatable, CustomStringConvertible {
  case type(String, ExpositionType)
  case help(String, String)
  case unit(String, String)
  case sample(SaidSample)
  case histogram(SaidSample, NativeHistogram)

  var description: String {
    switch self {
    case .type(let name, let type): "type(\(name) \(type))"
    case .help(let name, let text): "help(\(name) \(text.debugDescription))"
    case .unit(let name, let text): "unit(\(name) \(text))"
    case .sample(let sample): "sample(\(sample))"
    case .histogram(let sample, let histogram): "histogram(\(sample) \(histogram))"
    }
  }
}

struct SaidSample: Equatable {
  var labels: LabelSet
  /// NaNs are compared bit by bit, zeros too.
  var bits: UInt64
  var timestamp: Int64?
  var created: Int64?
  var exemplars: [ExpositionExemplar] = []

  init(
    _ labels: [String: String], _ value: Double, timestamp: Int64? = nil, created: Int64? = nil,
    exemplars: [ExpositionExemplar] = []
  ) {
    self.labels = LabelSet(labels.map { Label($0.key, $0.value) })
    bits = value.bitPattern
    self.timestamp = timestamp
    self.created = created
    self.exemplars = exemplars
  }
}

extension Said {
  /// All that an exposition says, labels of every series included.
  static func all(
    in text: [UInt8], format: ExpositionFormat, histograms: ProtobufReader.Histograms = .nativeAndClassic
  ) throws(ExpositionError) -> [Said] {
    switch format {
    case .text:
      var reader = TextReader(text.span)
      return try all(&reader)
    case .openMetrics:
      var reader = OpenMetricsReader(text.span)
      return try all(&reader)
    case .protobuf:
      var reader = ProtobufReader(text.span, histograms: histograms)
      return try all(&reader)
    }
  }

  static func all<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ reader: inout Source
  ) throws(ExpositionError) -> [Said] {
    var said: [Said] = []
    while true {
      let entry = try reader.next()
      switch entry {
      case .type(let type): said.append(.type(reader.familyName, type))
      case .help: said.append(.help(reader.familyName, reader.text))
      case .unit: said.append(.unit(reader.familyName, reader.text))
      case .sample: said.append(.sample(try sample(reader)))
      case .histogram: said.append(.histogram(try sample(reader), reader.histogram))
      case .end: return said
      }
    }
  }

  static func sample<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ reader: borrowing Source
  ) throws(ExpositionError) -> SaidSample {
    var sample = SaidSample([:], reader.value, timestamp: reader.timestamp, created: reader.createdTimestamp)
    sample.labels = try reader.labels()
    sample.exemplars = reader.exemplars
    return sample
  }
}
