import PrometheusData
import Testing

struct ScrapeProtocolTests {
  static let types: [(type: String?, format: ExpositionFormat)] = [
    ("text/plain; version=0.0.4; charset=utf-8", .text),
    ("text/plain;version=1.0.0;escaping=allow-utf-8", .text),
    ("text/plain; version=1.0.0; charset=utf-8", .text), ("text/plain", .text),
    (" Text/Plain ;validchars=utf8", .text),
    ("application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores", .openMetrics),
    ("application/openmetrics-text;version=0.0.1", .openMetrics),
    (
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
      .protobuf
    ), ("application/vnd.google.protobuf;encoding=\"delimited\"", .protobuf),
    ("application/vnd.google.protobuf", .protobuf),
  ]

  @Test(arguments: types)
  func `a content type tells the format`(type: String?, format: ExpositionFormat) throws {
    #expect(try ExpositionFormat(contentType: type, fallback: nil) == format)
    // What is known is not overruled.
    #expect(try ExpositionFormat(contentType: type, fallback: .openMetrics) == format)
  }

  static let unknown: [String?] = [
    nil, "", "text/html", "application/json; charset=utf-8", "application/openmetrics", "text", ";",
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text",
  ]

  @Test(arguments: unknown)
  func `an unknown content type is refused, or taken for the fallback`(type: String?) throws {
    #expect(throws: ContentTypeError.self) { try ExpositionFormat(contentType: type, fallback: nil) }
    for fallback in ScrapeProtocol.allCases {
      #expect(try ExpositionFormat(contentType: type, fallback: fallback.format) == fallback.format)
    }
  }

  @Test func `the refusal says what was sent and what to set`() {
    let reason =
      "the Content-Type \"text/html\" is none of Prometheus' formats, and fallback_scrape_protocol is not set"
    #expect(throws: ContentTypeError(reason: reason)) {
      try ExpositionFormat(contentType: "text/html", fallback: nil)
    }
  }

  @Test func `the accept header is the one of Prometheus 3`() {
    #expect(
      ScrapeProtocol.acceptHeader(for: ScrapeProtocol.usual)
        == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
    #expect(
      ScrapeProtocol.acceptHeader(for: [.prometheusProto, .text100], escaping: .underscores)
        == "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
        + "text/plain;version=1.0.0;escaping=underscores;q=0.5,*/*;q=0.4")
    #expect(ScrapeProtocol.acceptHeader(for: []) == "*/*;q=0.6")
  }

  @Test func `protocols have the names of the configuration`() {
    #expect(
      ScrapeProtocol.allCases.map(\.rawValue) == [
        "PrometheusProto", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusText0.0.4",
        "PrometheusText1.0.0",
      ])
  }
}
