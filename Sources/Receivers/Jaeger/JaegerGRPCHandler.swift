internal import PipelineKit
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// Answers `jaeger.api_v2.CollectorService/PostSpans`, on the event loop that read the call.
struct JaegerGRPCHandler: GRPCRequestHandler {
  static let path = "/jaeger.api_v2.CollectorService/PostSpans"

  let consumer: any Consumer
  let intake: TraceIntake

  func admits(path: String) -> Bool { path == Self.path }

  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder) {
    let reading: TraceReading
    do {
      reading = try JaegerReader.read(.postSpans, request.message)
    } catch {
      intake.record(error, peer: request.peer)
      return responder.fail(.invalidArgument, "\(error)", details: nil)
    }
    intake.record(reading.faults, peer: request.peer)
    guard !reading.batch.isEmpty else {
      if reading.faults.total == 0 { return responder.respond([]) }
      return responder.fail(.invalidArgument, TraceIntake.explanation(reading.faults), details: nil)
    }
    let metadata = request.metadata.isEmpty ? nil : RequestMetadata(request.metadata)
    consumer.offer(Delivery(reading.batch, metadata: metadata, handler: Answer(responder)))
  }

  func overloadDetails(_ message: String) -> [UInt8]? { Refusal.details(message, after: nil) }

  /// Answers one call from its batch's outcome. The response has no fields: a part that was rejected is not told.
  private final class Answer: OutcomeHandler {
    private let responder: GRPCResponder

    init(_ responder: GRPCResponder) { self.responder = responder }

    func resolved(_ outcome: Outcome) {
      switch outcome {
      case .accepted, .partial: responder.respond([])
      case .refused(let reason, let after):
        responder.fail(.unavailable, reason, details: Refusal.details(reason, after: after))
      case .rejected(let reason): responder.fail(.invalidArgument, reason, details: nil)
      }
    }
  }
}
