import Foundation
import PrometheusData
import SeededRandom
import TelemetryData
import Testing
import WireFormat

@Suite struct RemoteWriteReaderTests {
  typealias Message = RemoteWriteReader.Message

  static func body(_ message: Message, _ series: [WrittenSeries]) -> [UInt8] {
    message == .v1 ? WrittenRequest.v1(series) : WrittenRequest.v2(series)
  }

  static func read(
    _ message: Message, _ series: [WrittenSeries],
    metadata: RemoteWriteMetadataCache = RemoteWriteMetadataCache()
  ) throws -> RemoteWriteReading {
    try RemoteWriteReader(message, metadata: metadata).read(body(message, series))
  }

  @Test(arguments: ["rw-001", "rw-007", "rw-008"])
  func `what Prometheus sent comes through sample by sample`(name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "RemoteWriteBodies")
    let body = [UInt8](try Data(contentsOf: folder.appending(path: "\(name).pb")))
    let reading = try RemoteWriteReader(.v1, metadata: RemoteWriteMetadataCache()).read(body)
    let expected = FlatSample.all(of: try WrittenRequest.read(v1: body))
    #expect(reading.rejectedSeries == 0)
    #expect(reading.written.samples == expected.count)
    #expect(FlatSample.all(in: reading.batch) == expected)
    #expect(throws: Never.self) {
      try Batch(bytes: reading.batch.bytes, signal: .metrics, validation: .structure)
    }
  }

  @Test(arguments: Message.allCases)
  func `generated series come through sample by sample`(message: Message) throws {
    var random = SeededGenerator(20_261_125)
    for _ in 0..<60 {
      let series = (0..<Int.random(in: 1...60)).map { _ in Self.series(&random) }
      let reading = try Self.read(message, series)
      #expect(reading.rejectedSeries == 0, "\(reading.firstFault)")
      #expect(FlatSample.all(in: reading.batch) == FlatSample.all(of: series))
      _ = try Batch(bytes: reading.batch.bytes, signal: .metrics, validation: .structure)
    }
  }

  private static func series(_ random: inout some RandomNumberGenerator) -> WrittenSeries {
    func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
    var labels: Set<String> = []
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      labels.insert(
        pick(["job", "instance", "le", "a", "b", "é", "service.name", "otel_scope_name", "otel_scope_x"]))
    }
    let samples = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      WrittenSeries.Sample(
        [0, -0.0, 1.5, .nan, .infinity, StaleMarker.value].randomElement(using: &random) ?? 0,
        Int64.random(in: 0...2_000_000_000_000, using: &random))
    }
    var series = WrittenSeries(
      pick(["up", "requests_total", "é.x", "latency_bucket"]),
      labels.map { Label($0, pick(["x", "a/b", "/c", "d/", "", "long value with ünicode"])) }, samples)
    series.type = UInt64.random(in: 0...8, using: &random)
    series.help = pick(["", "how many"])
    series.unit = pick(["", "seconds"])
    return series
  }

  struct BadSeries: Sendable, CustomTestStringConvertible {
    let name: String
    let labels: [Label]
    let samples: [WrittenSeries.Sample]
    let reason: String
    var testDescription: String { name }
    init(_ name: String, _ labels: [Label], _ samples: [WrittenSeries.Sample] = [.init(1, 1)], reason: String)
    {
      (self.name, self.labels, self.samples, self.reason) = (name, labels, samples, reason)
    }
  }

  static let badSeries = [
    BadSeries("no name", [Label("a", "1")], reason: "series 2: the label __name__ is missing"),
    BadSeries("an empty name", [Label("__name__", "")], reason: "series 2: the label __name__ is missing"),
    BadSeries(
      "unsorted", [Label("__name__", "x"), Label("b", "1"), Label("a", "1")],
      reason: "series 2: labels are not sorted by name: \"a\" comes too late"),
    BadSeries(
      "a label twice", [Label("__name__", "x"), Label("b", "1"), Label("b", "1")],
      reason: "series 2: the label \"b\" is there twice"),
    BadSeries(
      "a label without a name", [Label("", "1"), Label("__name__", "x")],
      reason: "series 2: a label has an empty name"),
    BadSeries(
      "no sample", [Label("__name__", "x")], [],
      reason: "series 2: a series has neither a sample nor a histogram"),
    BadSeries(
      "a time before the epoch", [Label("__name__", "x")], [.init(1, -1)],
      reason: "series 2: timestamp -1 cannot be represented"),
    BadSeries(
      "a time beyond the end", [Label("__name__", "x")], [.init(1, .max)],
      reason: "series 2: timestamp 9223372036854775807 cannot be represented"),
  ]

  @Test(arguments: badSeries, Message.allCases)
  func `a series that is not valid is left out and the others are taken`(
    bad: BadSeries, message: Message
  ) throws {
    var series = WrittenSeries()
    series.labels = bad.labels
    series.samples = bad.samples
    let good = [WrittenSeries("up", [], [.init(1, 1)]), WrittenSeries("down", [], [.init(2, 3)])]
    let reading = try Self.read(message, [good[0], series, good[1]])
    #expect(reading.rejectedSeries == 1)
    #expect(reading.firstFault == bad.reason)
    #expect(FlatSample.all(in: reading.batch) == FlatSample.all(of: good))
    #expect(reading.written == RemoteWriteCounts(samples: 2))
  }

  @Test func `symbols outside of the table, odd references and invalid UTF-8 cost the series only`() throws {
    func request(_ references: [UInt64]) throws -> RemoteWriteReading {
      var writer = WireWriter()
      for symbol in [[], Array("__name__".utf8), Array("up".utf8), [0xFF]] { writer.bytesField(4, symbol) }
      writer.message(5) { writer in
        writer.packedVarintField(1, references)
        writer.message(2) { $0.doubleField(1, 1) }
      }
      return try RemoteWriteReader(.v2, metadata: RemoteWriteMetadataCache()).read(writer.finish())
    }
    #expect(try request([1, 2]).batch.itemCount == 1)
    #expect(try request([1, 4]).firstFault == "series 1: symbol 4 is not in the table")
    #expect(try request([1, 2, 2]).firstFault == "series 1: labels_refs must be pairs of a name and a value")
    #expect(try request([1, 3]).firstFault == "series 1: a label is not valid UTF-8")
  }

  @Test func `a symbol table must begin with the empty string`() throws {
    var writer = WireWriter()
    writer.stringField(4, "__name__")
    writer.message(5) { $0.message(2) { $0.doubleField(1, 1) } }
    let body = writer.finish()
    #expect(throws: RemoteWriteReadingError.symbols) {
      try RemoteWriteReader(.v2, metadata: RemoteWriteMetadataCache()).read(body)
    }
  }

  @Test(arguments: Message.allCases)
  func `a request cut short is malformed as a whole, and never more`(message: Message) throws {
    let body = Self.body(
      message,
      [
        WrittenSeries("up", [Label("job", "a")], [.init(1, 1)]),
        WrittenSeries("down", [Label("job", "a")], [.init(1, 1)]),
      ])
    for length in 1..<body.count {
      let reader = RemoteWriteReader(message, metadata: RemoteWriteMetadataCache())
      do {
        _ = try reader.read(Array(body.prefix(length)))
      } catch RemoteWriteReadingError.malformed(let error) {
        #expect(error.offset <= length)
      } catch RemoteWriteReadingError.symbols {
        #expect(message == .v2)
      }
    }
  }

  @Test(arguments: Message.allCases)
  func `labels written out for very many samples are refused before they take memory`(
    message: Message
  ) throws {
    let series = WrittenSeries(
      "up", [Label("bomb", String(repeating: "x", count: 10_000))],
      (0..<1000).map { .init(1, Int64($0)) })
    let reader = RemoteWriteReader(message, metadata: RemoteWriteMetadataCache(), limit: 1 << 20)
    #expect(throws: RemoteWriteReadingError.tooLarge(limit: 1 << 20)) {
      try reader.read(Self.body(message, [series]))
    }
  }

  @Test func `types, help and units come from the series in 2_0`() throws {
    var counter = WrittenSeries("requests_total", [], [.init(3, 5000)])
    (counter.type, counter.help, counter.unit, counter.created) = (1, "How many.", "requests", 2000)
    var state = WrittenSeries("feature", [], [.init(1, 5000)])
    state.type = 7
    let batch = try Self.read(.v2, [counter, state, WrittenSeries("x", [], [.init(1, 5000)])]).batch
    #expect(batch.recordCount == 3)
    let sum = batch.metric(at: 0)
    #expect(sum.isMonotonic && sum.aggregationTemporality == .cumulative)
    #expect(sum.description.string == "How many." && sum.unit.string == "requests")
    sum.numberDataPoints.forEach { #expect($0.startTime == 2_000_000_000 && $0.time == 5_000_000_000) }
    #expect(batch.metric(at: 1).kind == .sum && !batch.metric(at: 1).isMonotonic)
    #expect(batch.metric(at: 1).metadata.first("prometheus.type")?.value.text == "stateset")
    #expect(batch.metric(at: 2).kind == .gauge)
    #expect(batch.metric(at: 2).metadata.first("prometheus.type")?.value.text == "unknown")
  }

  @Test func `types come from earlier requests in 1_0`() throws {
    let cache = RemoteWriteMetadataCache()
    let body = WrittenRequest.v1(
      [], metadata: [("requests", 1, "How many.", ""), ("latency", 3, "How long.", "seconds")])
    #expect(try RemoteWriteReader(.v1, metadata: cache).read(body).batch.isEmpty)
    let names = ["requests_total", "latency_bucket", "latency_count", "latency_total"]
    let batch = try Self.read(.v1, names.map { WrittenSeries($0, [], [.init(1, 1)]) }, metadata: cache).batch
    #expect((batch.metric(at: 0).isMonotonic) == true)
    #expect(batch.metric(at: 0).description.string == "How many.")
    for index in 1...2 {
      #expect(batch.metric(at: index).kind == .gauge)
      #expect(batch.metric(at: index).metadata.first("prometheus.type")?.value.text == "histogram")
    }
    #expect(batch.metric(at: 3).metadata.first("prometheus.type")?.value.text == "unknown")
  }

  @Test func `what is kept of families is bounded, and what is in use stays`() throws {
    let cache = RemoteWriteMetadataCache(limit: 20_000)
    for number in 0..<10_000 {
      let body = WrittenRequest.v1(
        [WrittenSeries("used", [], [.init(1, 1)])],
        metadata: number == 0 ? [("used", 1, "", "")] : [("family\(number)", 2, "help", "")])
      let batch = try RemoteWriteReader(.v1, metadata: cache).read(body).batch
      #expect((batch.metric(at: 0).isMonotonic) == true)
      if !batch.metric(at: 0).isMonotonic { break }
    }
    #expect(cache.count < 130)
  }

  @Test(arguments: Message.allCases)
  func `target_info becomes attributes of its resource`(message: Message) throws {
    let target = [Label("instance", "i:1"), Label("job", "shop/api")]
    let info = WrittenSeries("target_info", target + [Label("version", "7")], [.init(1, 9)])
    let other = WrittenSeries("up", target, [.init(1, 9)])
    let batch = try Self.read(message, [info, other]).batch
    #expect(batch.itemCount == 1 && batch.resourceCount == 1)
    let attributes = batch.resource(at: 0).attributes.values
    #expect(
      attributes == [
        "service.namespace": "shop", "service.name": "api", "service.instance.id": "i:1", "version": "7",
      ])
    // Alone, or not 1, it would be lost: then it stays a series.
    #expect(FlatSample.all(in: try Self.read(message, [info]).batch) == FlatSample.all(of: [info]))
    var stale = info
    stale.samples = [.init(StaleMarker.value, 9)]
    let both = [stale, other]
    #expect(FlatSample.all(in: try Self.read(message, both).batch) == FlatSample.all(of: both))
  }

  @Test(arguments: Message.allCases)
  func `exemplars of a series of their own join the sample with the same labels`(message: Message) throws {
    let labels = [Label("job", "a")]
    var loose = WrittenSeries("x_total", labels)
    loose.exemplars = [
      .init(
        labels: [
          Label("span_id", "0123456789abcdef"), Label("trace_id", "00112233445566778899aabbccddeeff"),
          Label("user", "7"),
        ], value: 2, time: 4)
    ]
    var lost = loose
    lost.labels = WrittenSeries("y_total", labels).labels
    let reading = try Self.read(message, [loose, lost, WrittenSeries("x_total", labels, [.init(1, 5)])])
    #expect(reading.written == RemoteWriteCounts(samples: 1, exemplars: 1))
    #expect(reading.lostExemplars == 1)
    var found = 0
    reading.batch.metric(at: 0).numberDataPoints.forEach { point in
      point.exemplars.forEach { exemplar in
        found += 1
        #expect(exemplar.traceID.hex == "00112233445566778899aabbccddeeff")
        #expect(exemplar.spanID.hex == "0123456789abcdef")
        #expect(exemplar.filteredAttributes.values == ["user": "7"])
        #expect(exemplar.value == .double(2) && exemplar.time == 4_000_000)
      }
    }
    #expect(found == 1)
  }
}
