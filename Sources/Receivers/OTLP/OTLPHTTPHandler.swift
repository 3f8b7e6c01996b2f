internal import PipelineKit
internal import TelemetryData
internal import Transport

/// Answers OTLP/HTTP requests: bytes to batch to delivery, all on the event loop that read them.
struct OTLPHTTPHandler: HTTPRequestHandler {
  /// A path that takes one signal.
  struct Route: Sendable {
    let path: String
    let signal: Signal
    let consumer: any Consumer
  }

  let routes: [Route]
  let malformed: MalformedRequests

  func admit(method: String, path: String, contentType: String?) -> HTTPAnswer? {
    let encoding = OTLPEncoding(contentType: contentType)
    guard route(path) != nil else {
      let known = routes.map(\.path).joined(separator: ", ")
      return OTLPHTTPAnswers.failure(
        404, "nothing is served at this path; served are: \(known)", encoding ?? .json)
    }
    guard method == "POST" else {
      return OTLPHTTPAnswers.failure(
        405, "the method must be POST", encoding ?? .json, headers: [("Allow", "POST")])
    }
    guard encoding != nil else {
      let message = "the content type must be application/x-protobuf or application/json"
      return OTLPHTTPAnswers.failure(415, message, .json)
    }
    return nil
  }

  func handle(_ request: consuming ServerRequest, _ responder: HTTPResponder) {
    guard let route = route(request.path), let encoding = OTLPEncoding(contentType: request.contentType)
    else {
      responder.respond(OTLPHTTPAnswers.failure(404, "nothing is served here", .json))
      return
    }
    let batch: Batch
    do {
      switch encoding {
      case .protobuf: batch = try Batch(bytes: request.body, signal: route.signal, validation: .structure)
      case .json: batch = try Batch(json: request.body, signal: route.signal)
      }
    } catch {
      malformed.record(error, signal: route.signal, peer: request.peer)
      let message = encoding == .json ? "malformed OTLP-JSON: \(error)" : "\(error)"
      responder.respond(OTLPHTTPAnswers.failure(400, message, encoding))
      return
    }
    guard !batch.isEmpty else {
      responder.respond(OTLPHTTPAnswers.accepted(encoding))
      return
    }
    let answer = HTTPAnswerHandler(responder, signal: route.signal, encoding: encoding)
    let metadata = request.metadata.isEmpty ? nil : RequestMetadata(request.metadata)
    route.consumer.offer(Delivery(batch, metadata: metadata, handler: answer))
  }

  func failure(_ status: Int, _ message: String, contentType: String?) -> HTTPAnswer {
    let encoding = OTLPEncoding(contentType: contentType) ?? .json
    guard status == 429 || status == 503 else { return OTLPHTTPAnswers.failure(status, message, encoding) }
    return OTLPHTTPAnswers.refusal(status, message, after: nil, encoding)
  }

  private func route(_ path: String) -> Route? { routes.first { $0.path == path } }
}

/// Answers one HTTP request from its batch's outcome.
private final class HTTPAnswerHandler: OutcomeHandler {
  private let responder: HTTPResponder
  private let signal: Signal
  private let encoding: OTLPEncoding

  init(_ responder: HTTPResponder, signal: Signal, encoding: OTLPEncoding) {
    self.responder = responder
    self.signal = signal
    self.encoding = encoding
  }

  func resolved(_ outcome: Outcome) {
    responder.respond(OTLPHTTPAnswers.answer(outcome, signal: signal, encoding: encoding))
  }
}
