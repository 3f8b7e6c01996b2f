internal import PipelineKit
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// Answers `POST /api/traces` with a Thrift batch, on the event loop that read the request.
struct JaegerHTTPHandler: HTTPRequestHandler {
  static let path = "/api/traces"
  private static let contentTypes = ["application/x-thrift", "application/vnd.apache.thrift.binary"]

  let consumer: any Consumer
  let intake: TraceIntake

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    guard path == Self.path else {
      return .text(404, "nothing is served at this path; spans are taken at \(Self.path)")
    }
    guard method == "POST" else {
      var answer = HTTPAnswer.text(405, "the method must be POST")
      answer.headers = [("Allow", "POST")]
      return answer
    }
    guard let contentType, Self.contentTypes.contains(MediaType.essence(contentType)) else {
      return .text(415, "the content type must be \(Self.contentTypes.joined(separator: " or "))")
    }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    let reading: TraceReading
    do {
      reading = try JaegerReader.read(.thriftBatch, request.body)
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
