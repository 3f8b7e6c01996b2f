internal import NIOCore
internal import Synchronization

/// Takes the answer to one request, once, from any thread.
///
/// A second answer, and an answer to a connection that is gone, are ignored. A responder that is dropped without an
/// answer answers 500, so that no client waits for ever.
package final class HTTPResponder: Sendable {
  private let connection: NIOLoopBound<HTTPConnection>
  private let exchange: UInt64
  private let charge: Int
  private let budget: AdmissionBudget
  private let isAnswered = Atomic<Bool>(false)

  /// - Parameters:
  ///   - exchange: which request of the connection this is.
  ///   - charge: bytes to give back to the budget with the answer.
  init(
    _ connection: HTTPConnection, loop: any EventLoop, exchange: UInt64, charge: Int, budget: AdmissionBudget
  ) {
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.exchange = exchange
    self.charge = charge
    self.budget = budget
  }

  deinit {
    guard !isAnswered.load(ordering: .relaxed) else { return }
    Self.deliver(.text(500, "the request was dropped"), connection, exchange)
    budget.give(charge)
  }

  /// Answers.
  package func respond(_ answer: HTTPAnswer) {
    guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
    budget.give(charge)
    Self.deliver(answer, connection, exchange)
  }

  private static func deliver(
    _ answer: HTTPAnswer, _ connection: NIOLoopBound<HTTPConnection>, _ exchange: UInt64
  ) {
    if connection.eventLoop.inEventLoop {
      connection.value.answer(answer, exchange: exchange)
    } else {
      connection.eventLoop.execute { connection.value.answer(answer, exchange: exchange) }
    }
  }
}
