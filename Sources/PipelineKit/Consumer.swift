public import TelemetryData

/// Where a node sends what it produces: the next stage, a channel, or a fan-out. Made by the engine.
public protocol Consumer: Sendable {
  /// Takes the delivery without suspending, for callers on an event loop.
  ///
  /// When the next channel is full the delivery waits there for a bounded time, and is then refused retryably; the
  /// caller learns of it through the delivery's completion.
  func offer(_ delivery: consuming Delivery)

  /// Takes the delivery, suspending until the next channel has room. Never refuses for want of room.
  func send(_ delivery: consuming Delivery) async
}

extension Consumer {
  /// Sends a batch and waits for its outcome: for receivers that read, such as a scraper or a file tailer.
  public func deliver(_ batch: Batch, metadata: RequestMetadata? = nil) async -> Outcome {
    let (outcome, handler) = AwaitedOutcome.make()
    await send(Delivery(batch, metadata: metadata, handler: handler))
    return await outcome()
  }
}

/// Turns a completion into something a task can await.
private final class AwaitedOutcome: OutcomeHandler {
  private let stream: AsyncStream<Outcome>
  private let continuation: AsyncStream<Outcome>.Continuation

  private init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  static func make() -> (@Sendable () async -> Outcome, AwaitedOutcome) {
    let handler = AwaitedOutcome()
    return (
      {
        for await outcome in handler.stream { return outcome }
        return .refused(reason: "cancelled", after: nil)
      }, handler
    )
  }

  func resolved(_ outcome: Outcome) {
    continuation.yield(outcome)
    continuation.finish()
  }
}

/// What a node that buffers (batch, tail sampling) reads from: the engine's channel in front of it.
public protocol Intake: Sendable {
  /// The next delivery; suspends until there is one, `deadline` passes, or the channel is closed and empty.
  ///
  /// - Parameters:
  ///   - deadline: when to come back without one; nil waits for as long as it takes.
  ///   - items: how many items the reader would rather have waiting before it is woken. A full channel and the
  ///     deadline wake it earlier; without a deadline the first delivery does. Waking a task costs more than many a
  ///     delivery, so that a node which only gathers should say so.
  func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent

  /// A delivery that is waiting; nil when there is none.
  func poll() -> Delivery?
}

extension Intake {
  /// The next delivery, as soon as there is one.
  public func next(before deadline: MonotonicInstant?) async -> IntakeEvent {
    await next(before: deadline, gathering: 1)
  }
}

/// What ``Intake/next(before:gathering:)`` came back with.
public enum IntakeEvent: ~Copyable, Sendable {
  case delivery(Delivery)
  case deadline
  /// No more will come: flush what is held and return.
  case closed
}
