internal import PipelineKit
internal import TelemetryData
internal import Transport

/// Answers OTLP/gRPC `Export` calls: bytes to batch to delivery, all on the event loop that read them.
struct OTLPGRPCHandler: GRPCRequestHandler {
  /// The service of one signal.
  struct Route: Sendable {
    let path: String
    let signal: Signal
    let consumer: any Consumer

    init(signal: Signal, consumer: any Consumer) {
      path = signal.exportMethod
      self.signal = signal
      self.consumer = consumer
    }
  }

  let routes: [Route]
  let malformed: MalformedRequests

  func admits(path: String) -> Bool { route(path) != nil }

  func handle(_ request: consuming GRPCRequest, _ responder: GRPCResponder) {
    guard let route = route(request.path) else {
      responder.fail(.unimplemented, "there is no method \(request.path)", details: nil)
      return
    }
    let batch: Batch
    do {
      batch = try Batch(bytes: request.message, signal: route.signal, validation: .structure)
    } catch {
      malformed.record(error, signal: route.signal, peer: request.peer)
      responder.fail(.invalidArgument, "\(error)", details: nil)
      return
    }
    guard !batch.isEmpty else {
      responder.respond([])
      return
    }
    let answer = GRPCAnswerHandler(responder)
    let metadata = request.metadata.isEmpty ? nil : RequestMetadata(request.metadata)
    route.consumer.offer(Delivery(batch, metadata: metadata, handler: answer))
  }

  func overloadDetails(_ message: String) -> [UInt8]? { Refusal.details(message, after: nil) }

  private func route(_ path: String) -> Route? { routes.first { $0.path == path } }
}

/// Answers one call from its batch's outcome (OTLP specification, "OTLP/gRPC Response").
private final class GRPCAnswerHandler: OutcomeHandler {
  private let responder: GRPCResponder

  init(_ responder: GRPCResponder) { self.responder = responder }

  func resolved(_ outcome: Outcome) {
    switch outcome {
    case .accepted:
      responder.respond([])
    case .partial(let rejected, let message):
      let partial = PartialSuccess(rejected: Int64(rejected), message: message)
      responder.respond(PartialSuccess.encodeResponse(partial))
    case .refused(let reason, let after):
      responder.fail(.unavailable, reason, details: Refusal.details(reason, after: after))
    case .rejected(let reason):
      responder.fail(.invalidArgument, reason, details: nil)
    }
  }
}
