import PrometheusData
import Testing
import WireFormat

struct ProtobufReaderTests {
  /// A family of one metric, with its length before it.
  static func family(
    _ name: String = "h", type: UInt64 = 4, help: String = "", unit: String = "", field: UInt32 = 7,
    labels: [Label] = [], timestamp: Int64? = nil, _ point: (inout WireWriter) -> Void
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 256)
    if !name.isEmpty { writer.stringField(1, name) }
    if !help.isEmpty { writer.stringField(2, help) }
    if type != 0 { writer.varintField(3, type) }
    writer.message(4) { writer in
      for label in labels {
        writer.message(1) { writer in
          writer.stringField(1, label.name)
          writer.stringField(2, label.value)
        }
      }
      writer.message(field) { point(&$0) }
      if let timestamp { writer.intField(6, timestamp) }
    }
    if !unit.isEmpty { writer.stringField(5, unit) }
    let message = writer.finish()
    var stream = WireWriter(capacity: 256)
    stream.writeVarint(UInt64(message.count))
    stream.write(message.span)
    return stream.finish()
  }

  static func said(
    _ bytes: [UInt8], _ histograms: ProtobufReader.Histograms = .nativeOrClassic
  ) throws(ExpositionError) -> [Said] {
    try Said.all(in: bytes, format: .protobuf, histograms: histograms)
  }

  private static func span(_ field: UInt32, _ offset: Int64, _ length: UInt64, _ writer: inout WireWriter) {
    writer.message(field) { writer in
      writer.sintField(1, offset)
      writer.varintField(2, length)
    }
  }

  private static func time(_ field: UInt32, seconds: Int64, nanoseconds: Int64, _ writer: inout WireWriter) {
    writer.message(field) { writer in
      writer.intField(1, seconds)
      writer.intField(2, nanoseconds)
    }
  }

  /// Buckets 1: 2, 2: 0, 3: 1, 5: 3 above zero, −4: 1 below, 1 at zero, 8 in all; two classic buckets.
  private static let integers = family(type: 4, timestamp: 5000) { writer in
    writer.varintField(1, 8)
    writer.doubleField(2, 3.5)
    writer.message(3) { writer in
      writer.varintField(1, 2)
      writer.doubleField(2, 1)
      ExpositionModel.write(
        ExpositionExemplar(labels: LabelSet([Label("a", "b")]), value: 0.5, timestamp: 1500), 3, &writer)
    }
    writer.sintField(5, 3)
    writer.doubleField(6, 0.001)
    writer.varintField(7, 1)
    span(9, -4, 1, &writer)
    writer.sintField(10, 1)
    span(12, 1, 3, &writer)
    span(12, 1, 1, &writer)
    // Packed; the negative ones are not.
    writer.packedVarintField(13, [2, -2, 1, 2].map(ZigZag.encode))
    time(15, seconds: 1, nanoseconds: 999_999_999, &writer)
  }

  private static var integerHistogram: NativeHistogram {
    var histogram = NativeHistogram()
    histogram.schema = 3
    histogram.zeroThreshold = 0.001
    histogram.zeroCount = 1
    histogram.count = 8
    histogram.sum = 3.5
    // The empty bucket is left out, as Prometheus does.
    histogram.positiveSpans = [
      BucketSpan(offset: 1, length: 1), BucketSpan(offset: 1, length: 1), BucketSpan(offset: 1, length: 1),
    ]
    histogram.positiveCounts = [2, 1, 3]
    histogram.negativeSpans = [BucketSpan(offset: -4, length: 1)]
    histogram.negativeCounts = [1]
    return histogram
  }

  private static let exemplar = ExpositionExemplar(
    labels: LabelSet([Label("a", "b")]), value: 0.5, timestamp: 1500)

  @Test func `a native histogram with whole counts is read`() throws {
    let sample = SaidSample(["__name__": "h"], 0, timestamp: 5000, created: 1999, exemplars: [Self.exemplar])
    var said = try Self.said(Self.integers)
    if case .histogram(var last, let histogram) = said.removeLast() {
      last.bits = 0
      #expect(last == sample)
      #expect(histogram == Self.integerHistogram)
    } else {
      Issue.record("no histogram")
    }
    #expect(said == [.type("h", .histogram)])
  }

  @Test func `classic series come instead of a native histogram, or with it`() throws {
    let classic: [Said] = [
      .sample(SaidSample(["__name__": "h_count"], 8, timestamp: 5000, created: 1999)),
      .sample(SaidSample(["__name__": "h_sum"], 3.5, timestamp: 5000, created: 1999)),
      .sample(
        SaidSample(
          ["__name__": "h_bucket", "le": "1.0"], 2, timestamp: 5000, created: 1999, exemplars: [Self.exemplar]
        )),
      .sample(SaidSample(["__name__": "h_bucket", "le": "+Inf"], 8, timestamp: 5000, created: 1999)),
    ]
    #expect(try Self.said(Self.integers, .classic) == [.type("h", .histogram)] + classic)
    #expect(try Self.said(Self.integers, .nativeAndClassic).suffix(4) == classic[...])
    #expect(try Self.said(Self.integers, .nativeAndClassic).count == 6)
  }

  @Test func `a native histogram with fractions of counts is read`() throws {
    let bytes = Self.family(type: 5) { writer in
      writer.doubleField(4, 4.5)
      writer.doubleField(2, -1)
      writer.sintField(5, -4)
      writer.doubleField(8, 0.5)
      Self.span(12, 0, 2, &writer)
      writer.packedDoubleField(14, [1.5, 2.5])
    }
    guard case .histogram(_, let histogram) = try Self.said(bytes).last else {
      Issue.record("no histogram")
      return
    }
    var wanted = NativeHistogram()
    wanted.schema = -4
    (wanted.count, wanted.sum, wanted.zeroCount) = (4.5, -1, 0.5)
    wanted.positiveSpans = [BucketSpan(offset: 0, length: 2)]
    wanted.positiveCounts = [1.5, 2.5]
    (wanted.isFloat, wanted.isGauge) = (true, true)
    #expect(histogram == wanted)
  }

  @Test func `an empty native histogram is told by its empty span`() throws {
    let native = Self.family { Self.span(12, 0, 0, &$0) }
    guard case .histogram(_, let histogram) = try Self.said(native).last else {
      Issue.record("no histogram")
      return
    }
    #expect(histogram == NativeHistogram())
    let classic = Self.family { $0.varintField(1, 0) }
    #expect(
      try Self.said(classic) == [
        .type("h", .histogram), .sample(SaidSample(["__name__": "h_count"], 0)),
        .sample(SaidSample(["__name__": "h_sum"], 0)),
        .sample(SaidSample(["__name__": "h_bucket", "le": "+Inf"], 0)),
      ])
  }

  @Test func `exemplars of a native histogram without a time are left out`() throws {
    let bytes = Self.family { writer in
      Self.span(12, 0, 0, &writer)
      ExpositionModel.write(ExpositionExemplar(labels: LabelSet(), value: 1), 16, &writer)
      ExpositionModel.write(Self.exemplar, 16, &writer)
    }
    guard case .histogram(let sample, _) = try Self.said(bytes).last else {
      Issue.record("no histogram")
      return
    }
    #expect(sample.exemplars == [Self.exemplar])
  }

  @Test func `a counter has its exemplar and its created timestamp`() throws {
    let bytes = Self.family("c_seconds_total", type: 0, help: "h", unit: "seconds", field: 3) { writer in
      writer.doubleField(1, 2)
      ExpositionModel.write(Self.exemplar, 2, &writer)
      Self.time(3, seconds: -1, nanoseconds: 500_000_000, &writer)
    }
    #expect(
      try Self.said(bytes) == [
        .type("c_seconds_total", .counter), .help("c_seconds_total", "h"),
        .unit("c_seconds_total", "seconds"),
        .sample(SaidSample(["__name__": "c_seconds_total"], 2, created: -500, exemplars: [Self.exemplar])),
      ])
  }

  @Test func `a summary is taken apart`() throws {
    let bytes = Self.family("s", type: 2, field: 4, labels: [Label("a.b", "c\"")], timestamp: 0) { writer in
      writer.varintField(1, 3)
      writer.doubleField(2, 4.5)
      writer.message(3) { writer in
        writer.doubleField(1, 0.99)
        writer.doubleField(2, .infinity)
      }
    }
    let labels = ["a.b": "c\""]
    #expect(
      try Self.said(bytes) == [
        .type("s", .summary), .sample(SaidSample(labels.merging(["__name__": "s_count"]) { $1 }, 3)),
        .sample(SaidSample(labels.merging(["__name__": "s_sum"]) { $1 }, 4.5)),
        .sample(SaidSample(labels.merging(["__name__": "s", "quantile": "0.99"]) { $1 }, .infinity)),
      ])
  }

  static let texts: [(name: String, labels: [Label], series: String)] = [
    ("a", [], "a"), ("a:b_1", [Label("c", "d")], #"a:b_1{c="d"}"#),
    ("a.b", [], #"{"a.b"}"#), ("a.b", [Label("c", "d")], #"{"a.b",c="d"}"#),
    ("a", [Label("z", "1"), Label("b.c", "\"\\\n"), Label("d:e", "")], #"a{z="1","b.c"="\"\\\n","d:e"=""}"#),
    ("1a\"", [Label("1b", "é")], #"{"1a\"","1b"="é"}"#),
  ]

  @Test(arguments: texts)
  func `series are rendered as the text formats have them`(name: String, labels: [Label], series: String)
    throws
  {
    let bytes = Self.family(name, type: 1, field: 2, labels: labels) { $0.doubleField(1, 1) }
    var reader = ProtobufReader(bytes.span, histograms: .classic)
    _ = try reader.next()
    _ = try reader.next()
    let raw = reader.series
    var text: [UInt8] = []
    for index in raw.indices { text.append(raw[index]) }
    #expect(String(decoding: text, as: UTF8.self) == series)
    // And the other formats' readers understand them.
    let line = Array("\(series) 1\n# EOF\n".utf8)
    let labels = try reader.labels()
    for format in [ExpositionFormat.text, .openMetrics] {
      var sample = SaidSample([:], 1)
      sample.labels = labels
      #expect(try Said.all(in: line, format: format) == [.sample(sample)])
    }
  }

  static let faults: [(name: String, bytes: [UInt8], column: Int?, reason: String)] = [
    ("truncated", [5, 0x0A], nil, "a length points beyond the end of its message"),
    ("wire type", [1, 0x07], nil, "the tag has an unknown wire type"),
    ("type", family(type: 6) { _ in }, nil, "unknown type 6 of a family"),
    ("name", family("") { _ in }, nil, "a family without a name"),
    ("not UTF-8", [3, 0x0A, 1, 0xFF], 3, "a string field is not valid UTF-8"),
    ("label", family(labels: [Label("", "x")]) { _ in }, nil, "a label without a name"),
    ("value", family(field: 5) { _ in }, nil, "a metric without a value"),
    (
      "unit", family("a_bytes", unit: "seconds") { _ in }, nil,
      "the name of the family does not end in its unit"
    ),
    (
      "twice", family(labels: [Label("a", "b"), Label("a", "c")]) { _ in }, nil, "the label a is there twice"
    ),
    (
      "schema",
      family { writer in
        writer.sintField(5, 9)
        writer.doubleField(6, 1)
      }, nil, "schema 9 of a native histogram"
    ),
    (
      "spans", family { span(12, 0, 1, &$0) }, nil, "a native histogram whose spans and buckets do not fit"
    ),
    (
      "a span backwards",
      family { writer in
        writer.varintField(1, 2)
        span(12, 0, 1, &writer)
        span(12, -1, 1, &writer)
        writer.packedVarintField(13, [2, 0])
      }, nil, "a native histogram whose spans and buckets do not fit"
    ),
    (
      "a huge span",
      family { span(12, 0, 0xFFFF_FFFF, &$0) }, nil, "a native histogram whose spans and buckets do not fit"
    ),
    (
      "negative",
      family { writer in
        span(12, 0, 1, &writer)
        writer.sintField(13, -1)
      }, nil, "a native histogram with a negative count"
    ),
    (
      "count",
      family { writer in
        writer.varintField(1, 3)
        span(12, 0, 1, &writer)
        writer.sintField(13, 2)
      }, nil, "a native histogram whose buckets do not add up to its count"
    ),
  ]

  @Test(arguments: faults)
  func `a bad message is refused with its number`(name: String, bytes: [UInt8], column: Int?, reason: String)
  {
    let good = Self.family { $0.varintField(1, 1) }
    for (prefix, line) in [([], 1), (good, 2)] as [([UInt8], Int)] {
      do {
        _ = try Self.said(prefix + bytes)
        Issue.record("\(name) was read")
      } catch {
        #expect(error.line == line)
        #expect(error.reason == reason)
        if let column { #expect(error.column == column) }
      }
    }
  }

  @Test func `families without metrics are passed over`() throws {
    let empty: [UInt8] = [3, 0x0A, 1, 0x61]
    let good = Self.family("g", type: 1, field: 2) { $0.doubleField(1, 1) }
    let said: [Said] = [.type("g", .gauge), .sample(SaidSample(["__name__": "g"], 1))]
    #expect(try Self.said(empty + [0] + good + empty) == said)
    #expect(try Self.said([]) == [])
  }
}
