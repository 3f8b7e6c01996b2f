@testable import PrometheusData

/// What must hold for any bytes that a target may answer a scrape with.
///
/// They are refused with a place within them, or read; and reading samples as those of series already known gives what
/// reading them for the first time gave.
enum ExpositionOracle {
  static func check(_ input: [UInt8], format: ExpositionFormat) throws {
    switch format {
    case .text:
      var (first, second) = (TextReader(input.span), TextReader(input.span))
      try compare(&first, &second, input.count)
    case .openMetrics:
      var (first, second) = (OpenMetricsReader(input.span), OpenMetricsReader(input.span))
      try compare(&first, &second, input.count)
    case .protobuf:
      try checkProtobuf(input)
      // As one message too, for the mutations of its fields.
      try checkProtobuf(delimited(input))
    }
  }

  private static func checkProtobuf(_ input: [UInt8]) throws {
    for histograms in [ProtobufReader.Histograms.classic, .nativeOrClassic, .nativeAndClassic] {
      var first = ProtobufReader(input.span, histograms: histograms)
      var second = ProtobufReader(input.span, histograms: histograms)
      try compare(&first, &second, input.count)
    }
  }

  /// One reader meets every series for the first time, the other knows what comes.
  private static func compare<Source: ExpositionSource & ~Copyable & ~Escapable>(
    _ first: inout Source, _ second: inout Source, _ count: Int
  ) throws {
    while true {
      do throws(ExpositionError) {
        let entry = try first.next()
        let isSample = if case .sample = entry { true } else { false }
        let seen = Entry(entry, first)
        var isKnown = isSample
        if isSample {
          let longer = seen.series + [0x78]
          isKnown = try second.nextSample(like: longer.span)
          try requireRefused(isKnown)
          isKnown = try second.nextSample(like: seen.series.span)
        }
        // Blanks, comments and the like may stand before a sample.
        let again = isKnown ? entry : try second.next()
        try requireSame(seen, Entry(again, second))
        if case .end = entry { return }
      } catch {
        try require(error.line >= 1 && error.column >= 1, "an error at \(error.line):\(error.column)")
        try require(error.line <= count + 2, "an error in line \(error.line) of \(count) bytes")
        if error.reason == Self.differs { throw OracleFailure(description: error.reason) }
        return
      }
    }
  }

  private static let differs = "a sample of a known series differs from one of a new series"

  private static func requireRefused(_ isKnown: Bool) throws(ExpositionError) {
    if isKnown { throw ExpositionError(line: 1, column: 1, reason: differs) }
  }

  private static func requireSame(_ first: Entry, _ second: Entry) throws(ExpositionError) {
    if first != second { throw ExpositionError(line: 1, column: 1, reason: differs) }
  }

  /// All that can be asked after an entry.
  private struct Entry: Equatable {
    var kind: String
    var family = ""
    var text = ""
    var rawBytes = 0
    var series: [UInt8] = []
    var labels: LabelSet?
    var value: UInt64 = 0
    var times: [Int64?] = []
    var exemplars = 0
    var histogram: Int?

    init<Source: ExpositionSource & ~Copyable & ~Escapable>(
      _ entry: ExpositionEntry, _ reader: borrowing Source
    ) {
      kind = "\(entry)"
      switch entry {
      case .type, .help, .unit:
        family = reader.familyName
        text = reader.text
        rawBytes = reader.rawFamilyName.count + reader.rawText.count
      case .sample, .histogram:
        let raw = reader.series
        for index in raw.indices { series.append(raw[index]) }
        labels = try? reader.labels()
        value = reader.value.bitPattern
        times = [reader.timestamp, reader.createdTimestamp] + reader.exemplars.map(\.timestamp)
        exemplars = reader.exemplars.count
        if reader.hasExemplars != (exemplars > 0) { exemplars = -1 }
        if case .histogram = entry {
          let native = reader.histogram
          histogram = native.positiveCounts.count + native.negativeCounts.count
          value = 0
        }
      case .end: break
      }
    }
  }

  private static func delimited(_ message: [UInt8]) -> [UInt8] {
    var (length, bytes) = (message.count, [UInt8]())
    while length >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + message
  }

  // Seeds.

  static let textSeeds: [[UInt8]] = [
    """
    # HELP http_requests_total The "total" number \\\\ of \\n requests.
    # TYPE http_requests_total counter
    http_requests_total{method="post",code="200"} 1027 1395066363000
    http_requests_total{method="post",code="400",}    3 1395066363000
    # comment
    msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot \\"FILE.TXT\\"\\n"} 1.458255915e9
    metric_without_timestamp_and_labels 12.47
    something_weird{problem="division by zero"} +Inf -3982045
    # TYPE rpc summary
    rpc{quantile="0.5"} NaN
    {"my.metric", "label.x"="Grüße"} -1.5e-7

    """
  ].map { Array($0.utf8) }

  static let openMetricsSeeds: [[UInt8]] = [
    """
    # TYPE acme_http_router_request_seconds histogram
    # UNIT acme_http_router_request_seconds seconds
    # HELP acme_http_router_request_seconds Latency.
    acme_http_router_request_seconds_bucket{path="/api",le="1.0"} 8 # {trace_id="KOO5S4vxi0o"} 0.67
    acme_http_router_request_seconds_bucket{path="/api",le="+Inf"} 9 123.456 # {} 9.8 1520879607.789
    acme_http_router_request_seconds_created{path="/api"} 1605281325.0
    # TYPE "my.counter" counter
    {"my.counter_total","a b"="c"} 1 # {"x y"="z"} 1
    # TYPE state stateset
    state{state="up"} 1
    # EOF

    """
  ].map { Array($0.utf8) }

  /// Single messages; the oracle reads them with and without their length before them.
  static let protobufSeeds: [[UInt8]] = [
    // name "a_total", help "h", COUNTER, one metric: label b="c", counter 1.5 with an exemplar of label d="e".
    [
      0x0A, 7, 0x61, 0x5F, 0x74, 0x6F, 0x74, 0x61, 0x6C, 0x12, 1, 0x68, 0x18, 0, 0x22, 35, 0x0A, 6, 0x0A, 1,
      0x62,
      0x12, 1, 0x63, 0x1A, 25, 0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x12, 14, 0x0A, 6, 0x0A, 1, 0x64, 0x12, 1,
      0x65,
      0x1A, 4, 0x08, 5, 0x10, 1,
    ],
    // name "h", HISTOGRAM, one metric: count 3, sum 2, a bucket of 1 up to 1, schema 3, a span of two, deltas 1 and 0,
    // zero threshold 0.001, zero count 1.
    [
      0x0A, 1, 0x68, 0x18, 4, 0x22, 49, 0x3A, 47, 0x08, 3, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x1A, 11, 0x08, 1,
      0x11,
      0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x28, 6, 0x31, 0xFC, 0xA9, 0xF1, 0xD2, 0x4D, 0x62, 0x50, 0x3F, 0x38, 1,
      0x62, 4,
      0x08, 2, 0x10, 2, 0x6A, 2, 2, 0,
    ],
    // name "s", SUMMARY, one metric: count 1, sum 2, quantile 0.5 of 2.
    [
      0x0A, 1, 0x73, 0x18, 2, 0x22, 33, 0x22, 31, 0x08, 1, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x1A, 18, 0x09, 0,
      0, 0, 0,
      0, 0, 0xE0, 0x3F, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x40,
    ],
  ]
}
