internal import NIOCore
internal import NIOHTTP2
internal import Synchronization

/// Takes the answer to one gRPC request, once, from any thread.
///
/// A second answer, and an answer to a request that was cancelled or whose connection is gone, are ignored. A
/// responder that is dropped without an answer answers INTERNAL, so that no client waits for ever.
package final class GRPCResponder: Sendable {
  private let connection: NIOLoopBound<GRPCConnection>
  private let streamID: HTTP2StreamID
  private let charge: Int
  private let budget: AdmissionBudget
  private let isAnswered = Atomic<Bool>(false)

  init(
    _ connection: GRPCConnection, loop: any EventLoop, streamID: HTTP2StreamID, charge: Int,
    budget: AdmissionBudget
  ) {
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.streamID = streamID
    self.charge = charge
    self.budget = budget
  }

  deinit {
    guard !isAnswered.load(ordering: .relaxed) else { return }
    budget.give(charge)
    Self.deliver(.failure(GRPCFailure(.internalError, "the request was dropped")), connection, streamID)
  }

  /// Answers with OK and a response message.
  package func respond(_ message: [UInt8]) { finish(.success(message)) }

  /// Answers with an error.
  /// - Parameter details: the bytes of a `google.rpc.Status`, sent as `grpc-status-details-bin`.
  package func fail(_ code: GRPCCode, _ message: String, details: [UInt8]? = nil) {
    finish(.failure(GRPCFailure(code, message, details: details)))
  }

  private func finish(_ answer: Result<[UInt8], GRPCFailure>) {
    guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
    budget.give(charge)
    Self.deliver(answer, connection, streamID)
  }

  private static func deliver(
    _ answer: Result<[UInt8], GRPCFailure>, _ connection: NIOLoopBound<GRPCConnection>,
    _ streamID: HTTP2StreamID
  ) {
    if connection.eventLoop.inEventLoop {
      connection.value.answer(answer, to: streamID)
    } else {
      connection.eventLoop.execute { connection.value.answer(answer, to: streamID) }
    }
  }
}

/// A gRPC status that is not OK.
struct GRPCFailure: Error {
  var code: GRPCCode
  var message: String
  var details: [UInt8]?
  /// The HTTP status, which is 200 unless the request was no gRPC at all.
  var httpStatus = 200
  /// What the refusal counts as; nil when it is none.
  var reason: RefusalReason?

  init(
    _ code: GRPCCode, _ message: String, details: [UInt8]? = nil, httpStatus: Int = 200,
    reason: RefusalReason? = nil
  ) {
    self.reason = reason
    self.code = code
    self.message = message
    self.details = details
    self.httpStatus = httpStatus
  }
}
