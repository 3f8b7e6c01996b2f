internal import PipelineKit
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// Answers `POST` requests with spans, on the event loop that read them.
///
/// As with the Collector, the path does not matter, except that the first version of the format is not taken; what is no
/// protobuf is taken as JSON.
struct ZipkinHandler: HTTPRequestHandler {
  let consumer: any Consumer
  let intake: TraceIntake
  let parsesTags: Bool

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    if path.contains("api/v1/spans") {
      return .text(404, "Zipkin's first format is not taken; send JSON v2 or protobuf to /api/v2/spans")
    }
    guard method == "POST" else {
      var answer = HTTPAnswer.text(405, "the method must be POST")
      answer.headers = [("Allow", "POST")]
      return answer
    }
    if MediaType.essence(contentType ?? "") == "application/x-thrift" {
      return .text(415, "the content type must be application/json or application/x-protobuf")
    }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let isProtobuf = MediaType.essence(request.contentType ?? "") == "application/x-protobuf"
    let reading: TraceReading
    do {
      reading = try ZipkinReader.read(
        isProtobuf ? .protobuf : .json, request.body, parsesTags: parsesTags)
    } catch {
      intake.record(error, peer: request.peer)
      return responder.respond(.text(error.reason == .tooLarge ? 413 : 400, "\(error)"))
    }
    intake.record(reading.faults, peer: request.peer)
    guard !reading.batch.isEmpty else {
      let isClean = reading.faults.total == 0
      return responder.respond(
        isClean ? HTTPAnswer(status: 202) : .text(400, TraceIntake.explanation(reading.faults)))
    }
    let metadata = request.metadata.isEmpty ? nil : RequestMetadata(request.metadata)
    consumer.offer(Delivery(reading.batch, metadata: metadata, handler: TraceHTTPAnswer(responder)))
  }
}
