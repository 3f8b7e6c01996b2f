import PrometheusData
import SeededRandom
import Testing

/// Families made at random, written in every format, are read back as they were.
struct ExpositionRoundTripTests {
  @Test(arguments: 0..<60)
  func `what is written in a format is read from it`(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let model = random.model()
    #expect(try Said.all(in: model.text(.text), format: .text) == model.said(in: .text))
    #expect(try Said.all(in: model.text(.openMetrics), format: .openMetrics) == model.said(in: .openMetrics))
    #expect(try Said.all(in: model.protobuf(), format: .protobuf) == model.said(in: .protobuf))
  }

  @Test(arguments: 0..<20)
  func `series that are known are read without a look at their labels`(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let model = random.model()
    let (text, openMetrics, protobuf) = (model.text(.text), model.text(.openMetrics), model.protobuf())
    var (first, second) = (TextReader(text.span), TextReader(text.span))
    try expectKnown(&first, &second)
    var (third, fourth) = (OpenMetricsReader(openMetrics.span), OpenMetricsReader(openMetrics.span))
    try expectKnown(&third, &fourth)
    var fifth = ProtobufReader(protobuf.span, histograms: .classic)
    var sixth = ProtobufReader(protobuf.span, histograms: .classic)
    try expectKnown(&fifth, &sixth)
  }

  private func expectKnown<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ first: inout Source, _ second: inout Source
  ) throws {
    let other: [UInt8] = [0x61]
    while true {
      let entry = try first.next()
      var known: [UInt8] = []
      if case .sample = entry {
        let series = first.series
        for index in series.indices { known.append(series[index]) }
        let (longer, shorter) = (known + [0x78], Array(known.dropLast()))
        #expect(try !second.nextSample(like: longer.span))
        #expect(try !second.nextSample(like: shorter.span))
        #expect(try second.nextSample(like: known.span))
        #expect(try Said.sample(first) == Said.sample(second))
      } else {
        #expect(try !second.nextSample(like: other.span))
        _ = try second.next()
      }
      if case .end = entry { return }
    }
  }

  static let others: [(text: String, known: String)] = [
    ("ab 1", "a"), ("a{b=\"c\"} 1", "a"), ("a", "a"), ("a 1", "a "), ("a{b=\"c\"}x 1", "a"), (" a 1", "a"),
    ("", "a"), ("# a", "a"), ("a 1", ""), ("b 1", "a"), ("a{b=\"c\"} 1", "a{b=\"d\"}"),
  ]

  @Test(arguments: others)
  func `a known series does not stand for another`(text: String, known: String) throws {
    let (bytes, name) = (Array(text.utf8), Array(known.utf8))
    var reader = TextReader(bytes.span)
    #expect(try !reader.nextSample(like: name.span))
    var strict = OpenMetricsReader(bytes.span)
    #expect(try !strict.nextSample(like: name.span))
  }

  @Test func `labels behind a blank are not a value`() throws {
    let (bytes, name) = (Array("a {b=\"c\"} 1".utf8), Array("a".utf8))
    var reader = TextReader(bytes.span)
    #expect(try !reader.nextSample(like: name.span))
    _ = try reader.next()
    #expect(try reader.labels() == LabelSet([Label("__name__", "a"), Label("b", "c")]))
  }

  @Test func `a bad value of a known series is refused with its place`() throws {
    let (bytes, name) = (Array("a 1\na x\n".utf8), Array("a".utf8))
    var reader = TextReader(bytes.span)
    #expect(try reader.nextSample(like: name.span))
    let reason = "the value is not a number, or too large a one"
    do {
      _ = try reader.nextSample(like: name.span)
      Issue.record("read")
    } catch {
      #expect(error == ExpositionError(line: 2, column: 3, reason: reason))
    }
  }
}

/// Makes models.
extension SeededGenerator {
  private mutating func text(_ pieces: [String], upTo count: Int) -> String {
    (0..<below(count + 1)).map { _ in pieces[below(pieces.count)] }.joined()
  }

  fileprivate mutating func model() -> ExpositionModel {
    let types: [ExpositionType] = [.counter, .gauge, .unknown, .summary, .histogram]
    var model = ExpositionModel()
    for number in 0...below(8) {
      let unit = below(3) == 0 ? "seconds" : ""
      let stem = ["plain_", "dotted.", "Grüße \"\n\\", "averyveryverylongname_"][below(4)]
      let type = types[below(types.count)]
      var name = "\(stem)x\(String(repeating: "i", count: number + 1))"
      if !unit.isEmpty { name += "_\(unit)" }
      let help = text(["word ", "\\", "\n", "\"", "é", "\\n", "#"], upTo: 12)
      var family = ExpositionModel.Family(name: name, type: type, help: help, unit: unit)
      for metric in 0...below(4) { family.metrics.append(self.metric(type, number: metric)) }
      // An OpenMetrics counter has its total under a name of its own, which protobuf cannot say.
      if type == .counter { family.metrics = family.metrics.map(withoutExemplars) }
      model.families.append(family)
    }
    return model
  }

  private mutating func metric(_ type: ExpositionType, number: Int) -> ExpositionModel.Metric {
    var labels = [Label("number", "\(number)")]
    for name in ["a", "b_c", "d.e", "f \"\\\n"] where below(2) == 0 {
      labels.append(Label(name, text(["v", "\"", "\\", "\n", "🌍", "{},=", "longer text "], upTo: 6) + "x"))
    }
    var metric = ExpositionModel.Metric(labels: labels)
    // Eighths of a second are exact in doubles.
    if below(3) == 0 { metric.timestamp = Int64(below(1 << 40)) * 125 + 125 }
    switch type {
    case .summary, .histogram:
      metric.points.append(.init(suffix: "_count", value: Double(below(1 << 50))))
      metric.points.append(.init(suffix: "_sum", value: value()))
      for bound in ExpositionModel.bounds where bound.value.isInfinite || below(2) == 0 {
        let name = type == .summary ? "quantile" : "le"
        metric.points.append(
          .init(
            suffix: type == .summary ? "" : "_bucket", bound: (name, bound.value, bound.text, bound.read),
            value: Double(below(1 << 50)), exemplar: type == .histogram ? exemplar() : nil))
      }
    default: metric.points.append(.init(value: value()))
    }
    return metric
  }

  private func withoutExemplars(_ metric: ExpositionModel.Metric) -> ExpositionModel.Metric {
    var metric = metric
    for index in metric.points.indices { metric.points[index].exemplar = nil }
    return metric
  }

  private mutating func exemplar() -> ExpositionExemplar? {
    if below(3) != 0 { return nil }
    let labels = LabelSet([
      Label("trace_id", "4bf92f35"), Label("x y", text(["\"", "é", "a"], upTo: 5) + "z"),
    ])
    let timestamp: Int64? = below(2) == 0 ? nil : Int64(below(1 << 40) - 1 << 39) * 125
    return ExpositionExemplar(labels: labels, value: value(), timestamp: timestamp)
  }

  private mutating func value() -> Double {
    switch below(6) {
    case 0: Double(below(1000))
    case 1: [.infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude][below(6)]
    case 2: Double.random(in: -1...1, using: &self)
    case 3: Double.random(in: 1e9...2e9, using: &self)
    default: finite(Double(bitPattern: next()))
    }
  }

  private func finite(_ value: Double) -> Double { value.isFinite ? value : 1 }
}
