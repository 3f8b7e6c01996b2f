import PipelineKit
import PipelineTestKit
import Testing

@testable import Engine

@Suite struct BackoffTests {
  @Test func `waits grow to the longest one, and never end before the backend asked for`() {
    var backoff = Backoff(RetrySettings())
    let random = FixedRandomness(0.5)
    let waits = (0..<7).map { _ in backoff.next(random, atLeast: nil) }
    #expect(waits.prefix(3) == [.seconds(5), .seconds(7.5), .seconds(11.25)])
    #expect(waits.last == .seconds(30))
    #expect(backoff.next(random, atLeast: .seconds(100)) == .seconds(100))
    #expect(backoff.next(FixedRandomness(0), atLeast: nil) == .seconds(15))
  }

  @Test func `a multiplier beyond all measure leads to the longest wait`() {
    var settings = RetrySettings()
    settings.multiplier = 1e300
    var backoff = Backoff(settings)
    _ = backoff.next(FixedRandomness(0.5), atLeast: nil)
    #expect(backoff.next(FixedRandomness(0.5), atLeast: nil) == .seconds(30))
  }

  @Test func `an instant beyond the last one is the last one, not the first`() {
    let now = MonotonicInstant(nanoseconds: 1_000)
    #expect(now + .nanoseconds(Int64.max) == MonotonicInstant(nanoseconds: .max))
    #expect(now + .seconds(Int64.max) > now)
  }
}
