import PrometheusData
import SeededRandom
import Testing

/// What is written in each format comes back through the reader of that format.
@Suite struct ExpositionWritingTests {
  static func write(
    _ families: [ExposedFamily], _ format: ExpositionFormat, names: ExpositionWriting.Names = .underscores,
    timestamps: Bool = true
  ) -> [UInt8] {
    var writing = ExpositionWriting(format, names: names)
    writing.sendsTimestamps = timestamps
    for family in families { writing.write(family) }
    return writing.finish()
  }

  static func text(
    _ families: [ExposedFamily], _ format: ExpositionFormat = .text,
    names: ExpositionWriting.Names = .underscores
  ) -> String {
    String(decoding: write(families, format, names: names), as: UTF8.self)
  }

  static func family(
    _ name: String, _ type: ExpositionType, _ points: [ExposedPoint], help: String = "", unit: String = ""
  ) -> ExposedFamily {
    ExposedFamily(
      name: Array(name.utf8), type: type, help: Array(help.utf8), unit: Array(unit.utf8), points: points)
  }

  static let histogram = ExposedPoint(
    labels: ExposedLabels([("a", "b")]),
    value: .series([
      ExposedSeries(.bucket, bound: 0.5, value: 1), ExposedSeries(.bucket, bound: 1, value: 2, exemplar: 0),
      ExposedSeries(.bucket, bound: .infinity, value: 3), ExposedSeries(.sum, value: 4.25),
      ExposedSeries(.count, value: 3),
    ]), timestamp: 1500, start: 500,
    exemplars: [ExposedExemplar(labels: ExposedLabels([("trace_id", "x")]), value: 0.75, timestamp: 1250)])

  @Test func `text has what version 0_0_4 has`() {
    let families = [
      Self.family(
        "jobs_total", .counter, [ExposedPoint(labels: ExposedLabels(), value: .number(3), start: 5)],
        help: "Back\\slash,\nline \"quoted\"."),
      Self.family("latency_seconds", .histogram, [Self.histogram], unit: "seconds"),
      Self.family(
        "odd", .unknown,
        [ExposedPoint(labels: ExposedLabels([("v", "\\ \n \"")]), value: .number(-.infinity))]),
    ]
    #expect(
      Self.text(families) == #"""
        # HELP jobs_total Back\\slash,\nline "quoted".
        # TYPE jobs_total counter
        jobs_total 3
        # TYPE latency_seconds histogram
        latency_seconds_bucket{a="b",le="0.5"} 1 1500
        latency_seconds_bucket{a="b",le="1.0"} 2 1500
        latency_seconds_bucket{a="b",le="+Inf"} 3 1500
        latency_seconds_sum{a="b"} 4.25 1500
        latency_seconds_count{a="b"} 3 1500
        # TYPE odd untyped
        odd{v="\\ \n \""} -Inf

        """#)
  }

  @Test func `OpenMetrics has units, exemplars, creation times and an end`() {
    let families = [
      Self.family(
        "jobs_total", .counter, [ExposedPoint(labels: ExposedLabels(), value: .number(3), start: 5)],
        help: "\"quoted\""),
      Self.family("latency_seconds", .histogram, [Self.histogram], unit: "seconds"),
      Self.family(
        "target_info", .info, [ExposedPoint(labels: ExposedLabels([("v", "1")]), value: .number(1))]),
      Self.family(
        "state", .stateSet, [ExposedPoint(labels: ExposedLabels([("state", "on")]), value: .number(1))]),
    ]
    #expect(
      Self.text(families, .openMetrics) == #"""
        # TYPE jobs counter
        # HELP jobs \"quoted\"
        jobs_total 3
        jobs_created 0.005
        # TYPE latency_seconds histogram
        # UNIT latency_seconds seconds
        latency_seconds_bucket{a="b",le="0.5"} 1 1.500
        latency_seconds_bucket{a="b",le="1.0"} 2 1.500 # {trace_id="x"} 0.75 1.250
        latency_seconds_bucket{a="b",le="+Inf"} 3 1.500
        latency_seconds_sum{a="b"} 4.25 1.500
        latency_seconds_count{a="b"} 3 1.500
        latency_seconds_created{a="b"} 0.500 1.500
        # TYPE target info
        target_info{v="1"} 1
        # TYPE state stateset
        state{state="on"} 1
        # EOF

        """#)
  }

  @Test func `an exemplar tells its time where samples do not`() {
    let bytes = Self.write(
      [Self.family("latency_seconds", .histogram, [Self.histogram])], .openMetrics, timestamps: false)
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.contains("# {") }
    #expect(line == #"latency_seconds_bucket{a="b",le="1.0"} 2 # {trace_id="x"} 0.75 1.250"#)
  }

  @Test func `names beyond ASCII are quoted or escaped, as was agreed`() {
    let family = Self.family(
      "http.requests", .counter,
      [ExposedPoint(labels: ExposedLabels([("é.x", "1")]), value: .number(1))])
    #expect(
      Self.text([family], names: .utf8) == """
        # TYPE "http.requests" counter
        {"http.requests","é.x"="1"} 1

        """)
    #expect(
      Self.text([family]) == """
        # TYPE http_requests counter
        http_requests{__x="1"} 1

        """)
  }

  @Test(arguments: [ExpositionFormat.text, .openMetrics, .protobuf])
  func `what was generated and written is read back`(format: ExpositionFormat) throws {
    var random = SeededGenerator(20_261_125)
    for _ in 0..<80 {
      let families = (0..<Int.random(in: 1...8)).map { Self.generated($0, format, &random) }
      let bytes = Self.write(families, format, names: .utf8)
      let said = try Said.all(in: bytes, format: format)
      var samples: [Row] = []
      for entry in said {
        switch entry {
        case .sample(let sample): samples.append(Row(sample))
        case .histogram(let sample, let histogram): samples.append(Row(sample, histogram))
        default: break
        }
      }
      let expected = families.flatMap { Self.rows($0, format) }
      #expect(Set(samples) == Set(expected), "\(String(decoding: bytes, as: UTF8.self))")
    }
  }

  /// A sample to compare.
  struct Row: Hashable {
    var labels: LabelSet
    var bits: UInt64
    var timestamp: Int64?
    var histogram: NativeHistogram?
    var exemplars: [ExpositionExemplar] = []

    init(_ sample: SaidSample, _ histogram: NativeHistogram? = nil) {
      labels = sample.labels
      // The value of a native histogram is its sum in one reader and nothing in another.
      bits = histogram == nil ? sample.bits : 0
      timestamp = sample.timestamp
      exemplars = sample.exemplars
      self.histogram = histogram
    }

    init(
      _ name: String, _ labels: LabelSet, _ value: Double, _ timestamp: Int64?,
      _ exemplar: ExpositionExemplar? = nil
    ) {
      self.labels = labels
      self.labels["__name__"] = name
      bits = value.bitPattern
      self.timestamp = timestamp
      exemplars = exemplar.map { [$0] } ?? []
    }
  }

  private static func labels(_ labels: ExposedLabels) -> LabelSet {
    var found: [Label] = []
    labels.forEach { name, value in
      found.append(
        Label(
          String(decoding: labels.bytes[name], as: UTF8.self),
          String(decoding: labels.bytes[value], as: UTF8.self)))
    }
    return LabelSet(found)
  }

  private static func rows(_ family: ExposedFamily, _ format: ExpositionFormat) -> [Row] {
    let name = String(decoding: family.name, as: UTF8.self)
    let takesExemplars = format != .text
    return family.points.flatMap { point -> [Row] in
      let labels = labels(point.labels)
      let exemplars = point.exemplars.map {
        ExpositionExemplar(labels: Self.labels($0.labels), value: $0.value, timestamp: $0.timestamp)
      }
      var rows: [Row] = []
      switch point.value {
      case .number(let value):
        let hasExemplar = takesExemplars && family.type == .counter
        rows.append(Row(name, labels, value, point.timestamp, hasExemplar ? exemplars.first : nil))
      case .series(let parts):
        for part in parts {
          var labels = labels
          let exemplar = takesExemplars && part.exemplar >= 0 ? exemplars[Int(part.exemplar)] : nil
          switch part.part {
          case .bucket:
            labels["le"] = ExpositionFloat.text(part.bound)
            rows.append(Row(name + "_bucket", labels, part.value, point.timestamp, exemplar))
          case .quantile:
            labels["quantile"] = ExpositionFloat.text(part.bound)
            rows.append(Row(name, labels, part.value, point.timestamp))
          case .sum: rows.append(Row(name + "_sum", labels, part.value, point.timestamp))
          case .count: rows.append(Row(name + "_count", labels, part.value, point.timestamp))
          }
        }
      case .native(let histogram):
        var row = Row(name, labels, 0, point.timestamp)
        row.bits = 0
        row.histogram = histogram
        row.exemplars = exemplars
        rows.append(row)
      }
      if format == .openMetrics, point.start > 0, family.type != .gauge, family.type != .unknown {
        let base = name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        rows.append(Row(base + "_created", labels, Double(point.start) / 1000, point.timestamp))
      }
      return rows
    }
  }

  private static func generated(
    _ number: Int, _ format: ExpositionFormat, _ random: inout some RandomNumberGenerator
  ) -> ExposedFamily {
    var types: [ExpositionType] = [.counter, .gauge, .unknown, .histogram, .summary]
    if format == .protobuf { types.append(.gaugeHistogram) }
    let type = types.randomElement(using: &random) ?? .gauge
    let name =
      (["x", "é.y", "a b"].randomElement(using: &random) ?? "x") + "\(number)"
      + (type == .counter ? ["_total", "_seconds_total"].randomElement(using: &random) ?? "" : "_seconds")
    let points = (0..<Int.random(in: 1...3, using: &random)).map { index in
      let value = ["", "plain", "\\ \" \n", "ü"].randomElement(using: &random) ?? ""
      return point(
        type, ExposedLabels([("n", "\(index)")] + (value.isEmpty ? [] : [("ä", value)])), format, &random)
    }
    return family(name, type, points, help: "Help \\ \"me\"\n.", unit: "seconds")
  }

  private static func point(
    _ type: ExpositionType, _ labels: ExposedLabels, _ format: ExpositionFormat,
    _ random: inout some RandomNumberGenerator
  ) -> ExposedPoint {
    let exemplar = ExposedExemplar(
      labels: ExposedLabels([("trace_id", "00ff"), ("é", "\"")]), value: 1.5, timestamp: 123_456)
    var point = ExposedPoint(
      labels: labels, value: .number(0), timestamp: Bool.random(using: &random) ? 1_700_000_000_123 : nil,
      start: Bool.random(using: &random) ? 1_600_000_000_250 : 0)
    let hasExemplar = Bool.random(using: &random)
    switch type {
    case .histogram where format == .protobuf && Bool.random(using: &random), .gaugeHistogram:
      point.value = .native(native(type, &random))
      if hasExemplar { point.exemplars = [exemplar] }
    case .histogram:
      if hasExemplar { point.exemplars = [exemplar] }
      point.value = .series([
        ExposedSeries(.bucket, bound: 1e-5, value: 0), ExposedSeries(.bucket, bound: 2.5, value: 3),
        ExposedSeries(.bucket, bound: .infinity, value: 1e15, exemplar: hasExemplar ? 0 : -1),
        ExposedSeries(.sum, value: -0.1), ExposedSeries(.count, value: 1e15),
      ])
    case .summary:
      point.value = .series([
        ExposedSeries(.quantile, bound: 0.5, value: 0.1), ExposedSeries(.quantile, bound: 1, value: 1e300),
        ExposedSeries(.sum, value: 7), ExposedSeries(.count, value: 9),
      ])
    default:
      let values: [Double] = [
        0, -0.0, 1, 1.5, .leastNonzeroMagnitude, 1.7976931348623157e308, 1e16, 123_456_789, .infinity,
      ]
      point.value = .number(values.randomElement(using: &random) ?? 0)
      if type == .counter, hasExemplar { point.exemplars = [exemplar] }
    }
    return point
  }

  private static func native(
    _ type: ExpositionType, _ random: inout some RandomNumberGenerator
  ) -> NativeHistogram {
    var native = NativeHistogram()
    native.schema = Int32.random(in: -4...8, using: &random)
    native.isGauge = type == .gaugeHistogram
    native.zeroThreshold = 1e-128
    native.zeroCount = 2
    native.count = 12
    native.sum = 30.25
    native.positiveSpans = [BucketSpan(offset: -3, length: 2), BucketSpan(offset: 5, length: 1)]
    native.positiveCounts = [1, 4, 3]
    native.negativeSpans = [BucketSpan(offset: 1, length: 1)]
    native.negativeCounts = [2]
    return native
  }

  struct Negotiated: Sendable, CustomTestStringConvertible {
    var accept: String?
    var openMetrics = true
    var format: ExpositionFormat
    var type: String
    var testDescription: String { accept ?? "nothing" }
  }

  static let negotiated = [
    Negotiated(accept: nil, format: .text, type: "text/plain; version=0.0.4; charset=utf-8"),
    Negotiated(
      // Prometheus 2.42.
      accept:
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      format: .openMetrics, type: "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    Negotiated(
      accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      openMetrics: false, format: .text, type: "text/plain; version=0.0.4; charset=utf-8"),
    Negotiated(
      accept:
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
        + "text/plain;q=0.5",
      format: .protobuf,
      type:
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"),
    Negotiated(
      // Prometheus 3.
      accept:
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
        + "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      format: .openMetrics,
      type: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
    Negotiated(
      accept: "text/html, application/xml;q=0.9, image/webp, */*;q=0.8", format: .text,
      type: "text/plain; version=0.0.4; charset=utf-8"),
    Negotiated(
      accept: "application/json", format: .text, type: "text/plain; version=0.0.4; charset=utf-8"),
  ]

  @Test(arguments: negotiated)
  func `the most welcome format is given`(_ wanted: Negotiated) {
    let given = ExpositionNegotiation(accept: wanted.accept, offersOpenMetrics: wanted.openMetrics)
    #expect(given.format == wanted.format)
    #expect(given.contentType == wanted.type)
  }

  @Test(arguments: [
    ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false), ("*", true), ("identity", false),
  ])
  func `gzip is given where it is asked for`(header: String, expected: Bool) {
    #expect(ExpositionNegotiation.acceptsGzip(header) == expected)
  }
}
