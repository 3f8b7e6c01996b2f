import PrometheusData
import WireFormat

/// Families made at random, and writers of them for all formats that share nothing with the readers.
struct ExpositionModel {
  var families: [Family] = []

  struct Family {
    var name: String
    var type: ExpositionType
    var help: String
    var unit: String
    var metrics: [Metric] = []
  }

  struct Metric {
    var labels: [Label]
    var timestamp: Int64?
    var points: [Point] = []
  }

  /// A line of the text formats.
  struct Point {
    var suffix = ""
    /// `le` or `quantile`: as the text formats may have it, and as it is read.
    var bound: (name: String, value: Double, text: String, read: String)?
    var value: Double
    var exemplar: ExpositionExemplar?
  }

  static let bounds: [(value: Double, text: String, read: String)] = [
    (0, "0", "0.0"), (0.005, "0.005", "0.005"), (0.25, "0.250", "0.25"), (1, "1", "1.0"), (2.5, "2.5", "2.5"),
    (10, "1e1", "10.0"), (123456, "123456", "123456.0"), (1_000_000, "1000000", "1e+06"),
    (1.5e9, "1.5E9", "1.5e+09"), (.infinity, "+Inf", "+Inf"),
  ]

  /// What the readers should say, in the order that protobuf has it.
  func said(in format: ExpositionFormat) -> [Said] {
    families.flatMap { family -> [Said] in
      var said: [Said] = [.type(family.name, family.type)]
      if !family.help.isEmpty { said.append(.help(family.name, family.help)) }
      if !family.unit.isEmpty, format != .text { said.append(.unit(family.name, family.unit)) }
      for metric in family.metrics {
        for point in metric.points {
          var labels = [Label("__name__", family.name + point.suffix)] + metric.labels
          if let bound = point.bound { labels.append(Label(bound.name, bound.read)) }
          var sample = SaidSample([:], point.value, timestamp: metric.timestamp)
          sample.labels = LabelSet(labels)
          if let exemplar = point.exemplar, format != .text { sample.exemplars = [exemplar] }
          said.append(.sample(sample))
        }
      }
      return said
    }
  }

  // Text.

  func text(_ format: ExpositionFormat) -> [UInt8] {
    var text = ""
    for family in families {
      let word = family.type == .unknown ? (format == .text ? "untyped" : "unknown") : "\(family.type)"
      text += "# TYPE \(Self.name(family.name)) \(word)\n"
      let help = format == .text ? Self.escaped(family.help, quotes: false) : Self.escaped(family.help)
      if !family.help.isEmpty { text += "# HELP \(Self.name(family.name)) \(help)\n" }
      if !family.unit.isEmpty, format != .text { text += "# UNIT \(Self.name(family.name)) \(family.unit)\n" }
      for metric in family.metrics {
        for point in metric.points {
          var labels = metric.labels
          if let bound = point.bound { labels.append(Label(bound.name, bound.text)) }
          text += "\(Self.series(family.name + point.suffix, labels)) \(point.value)"
          if let timestamp = metric.timestamp {
            text += format == .text ? " \(timestamp)" : " \(Double(timestamp) / 1000)"
          }
          if let exemplar = point.exemplar, format != .text {
            text += " # {\(Self.labels(Array(exemplar.labels)))} \(exemplar.value)"
            if let timestamp = exemplar.timestamp { text += " \(Double(timestamp) / 1000)" }
          }
          text += "\n"
        }
      }
    }
    return Array((format == .text ? text : text + "# EOF\n").utf8)
  }

  private static func series(_ name: String, _ labels: [Label]) -> String {
    let labelText = self.labels(labels)
    if isPlain(name) { return labels.isEmpty ? name : "\(name){\(labelText)}" }
    return labels.isEmpty ? "{\(self.name(name))}" : "{\(self.name(name)),\(labelText)}"
  }

  private static func labels(_ labels: [Label]) -> String {
    labels.map { "\(name($0.name))=\"\(escaped($0.value))\"" }.joined(separator: ",")
  }

  private static func name(_ name: String) -> String { isPlain(name) ? name : "\"\(escaped(name))\"" }

  private static func isPlain(_ name: String) -> Bool {
    name.unicodeScalars.allSatisfy { $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) }
  }

  private static func escaped(_ text: String, quotes: Bool = true) -> String {
    text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\"" where quotes: "\\\""
      default: String(scalar)
      }
    }.joined()
  }

  // Protobuf.

  func protobuf() -> [UInt8] {
    var stream = WireWriter(capacity: 1024)
    for family in families {
      var writer = WireWriter(capacity: 1024)
      writer.stringField(1, family.name)
      writer.stringField(2, family.help)
      writer.varintField(3, Self.number(of: family.type))
      for metric in family.metrics { writer.message(4) { Self.write(metric, family.type, &$0) } }
      if !family.unit.isEmpty { writer.stringField(5, family.unit) }
      let message = writer.finish()
      stream.writeVarint(UInt64(message.count))
      stream.write(message.span)
    }
    return stream.finish()
  }

  private static func number(of type: ExpositionType) -> UInt64 {
    switch type {
    case .counter: 0
    case .gauge: 1
    case .summary: 2
    case .histogram: 4
    case .gaugeHistogram: 5
    default: 3
    }
  }

  private static func write(_ metric: Metric, _ type: ExpositionType, _ writer: inout WireWriter) {
    for label in metric.labels { write(label, &writer) }
    let field: UInt32 =
      switch type {
      case .gauge: 2
      case .counter: 3
      case .summary: 4
      case .histogram, .gaugeHistogram: 7
      default: 5
      }
    writer.message(field) { writer in
      for point in metric.points {
        switch (point.suffix, point.bound) {
        case ("_count", _): writer.varintField(1, UInt64(point.value))
        case ("_sum", _): writer.doubleField(2, point.value)
        case ("_bucket", let bound?):
          writer.message(3) { writer in
            writer.varintField(1, UInt64(point.value))
            writer.doubleField(2, bound.value)
            if let exemplar = point.exemplar { write(exemplar, 3, &writer) }
          }
        case (_, let bound?):
          writer.message(3) { writer in
            writer.doubleField(1, bound.value)
            writer.doubleField(2, point.value)
          }
        default:
          writer.doubleField(1, point.value)
          if let exemplar = point.exemplar { write(exemplar, 2, &writer) }
        }
      }
    }
    if let timestamp = metric.timestamp { writer.intField(6, timestamp) }
  }

  private static func write(_ label: Label, _ writer: inout WireWriter) {
    writer.message(1) { writer in
      writer.stringField(1, label.name)
      writer.stringField(2, label.value)
    }
  }

  static func write(_ exemplar: ExpositionExemplar, _ field: UInt32, _ writer: inout WireWriter) {
    writer.message(field) { writer in
      for label in exemplar.labels { write(label, &writer) }
      writer.doubleField(2, exemplar.value)
      if let timestamp = exemplar.timestamp {
        writer.message(3) { writer in
          let seconds = timestamp >= 0 ? timestamp / 1000 : (timestamp - 999) / 1000
          writer.intField(1, seconds)
          writer.intField(2, (timestamp - seconds * 1000) * 1_000_000)
        }
      }
    }
  }
}
