internal import Dispatch
internal import NativeCodecs
internal import PrometheusData
internal import Transport

/// Answers scrapes of `/metrics`.
struct PrometheusScrapeHandler: HTTPRequestHandler {
  private let series: ExposedSeriesState
  private let offersOpenMetrics: Bool
  private let sendsTimestamps: Bool
  /// Where expositions are written: writing many series takes longer than an event loop may be kept from others.
  private let queue: DispatchQueue

  init(series: ExposedSeriesState, config: PrometheusExporterConfig, label: String) {
    self.series = series
    offersOpenMetrics = config.enableOpenMetrics
    sendsTimestamps = config.sendTimestamps
    queue = DispatchQueue(label: label)
  }

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    guard path == "/metrics" else { return .text(404, "not found; metrics are at /metrics\n") }
    guard method == "GET" || method == "HEAD" else {
      var answer = HTTPAnswer.text(405, "use GET\n")
      answer.headers = [("Allow", "GET, HEAD")]
      return answer
    }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let wanted = ExpositionNegotiation(
      accept: request.header("Accept"), offersOpenMetrics: offersOpenMetrics)
    let takesGzip = ExpositionNegotiation.acceptsGzip(request.header("Accept-Encoding"))
    queue.async { responder.respond(answer(wanted, takesGzip: takesGzip)) }
  }

  private func answer(_ wanted: ExpositionNegotiation, takesGzip: Bool) -> HTTPAnswer {
    var writing = ExpositionWriting(wanted.format, names: wanted.names)
    writing.sendsTimestamps = sendsTimestamps
    for family in series.snapshot() { writing.write(family) }
    var answer = HTTPAnswer(status: 200, contentType: wanted.contentType, body: writing.finish())
    answer.headers = [("Vary", "Accept, Accept-Encoding")]
    if takesGzip, answer.body.count > 1000, let body = try? Compressor(.gzip).compress(answer.body) {
      answer.body = body
      answer.headers.append(("Content-Encoding", "gzip"))
    }
    return answer
  }
}
