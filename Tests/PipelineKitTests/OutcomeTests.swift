import PipelineKit
import Synchronization
import TelemetryData
import Testing

@Suite struct OutcomeTests {
  final class Keep: OutcomeHandler {
    let outcomes = Mutex<[Outcome]>([])
    func resolved(_ outcome: Outcome) { outcomes.withLock { $0.append(outcome) } }
    var all: [Outcome] { outcomes.withLock { $0 } }
  }

  @Test func `a fan-out tells the worst outcome, once, after the last branch`() {
    let keep = Keep()
    let branches = Delivery(Batch(signal: .traces), handler: keep).copies(3)
    branches[0].resolve(.rejected(reason: "bad"))
    branches[1].resolve(.refused(reason: "later", after: .seconds(3)))
    #expect(keep.all.isEmpty)
    branches[2].resolve(.accepted)
    #expect(keep.all == [.refused(reason: "later", after: .seconds(3))])
  }

  @Test func `the parts of a split add up`() {
    let keep = Keep()
    let parts = Completion(keep).splitting([10, 20, 30])
    parts[2].resolve(.partial(rejected: 4, message: "four"))
    parts[0].resolve(.rejected(reason: "all ten"))
    parts[1].resolve(.accepted)
    #expect(keep.all == [.partial(rejected: 14, message: "four")])
  }

  @Test func `a merged batch tells every input, and rejected items are laid on them in order`() {
    let keeps = (0..<3).map { _ in Keep() }
    let merged = Completion.merging(keeps.map { (Completion($0), 5) })
    #expect(merged.isAwaited)
    merged.resolve(.partial(rejected: 7, message: "seven"))
    #expect(keeps[0].all == [.partial(rejected: 5, message: "seven")])
    #expect(keeps[1].all == [.partial(rejected: 2, message: "seven")])
    #expect(keeps[2].all == [.accepted])
  }

  @Test func `an outcome is told once`() {
    let keep = Keep()
    let completion = Completion(keep)
    completion.resolve(.accepted)
    completion.resolve(.rejected(reason: "late"))
    #expect(keep.all == [.accepted])
  }

  @Test func `two refusals keep the longer wait`() {
    let worse = Outcome.refused(reason: "a", after: .seconds(2)).worse(
      .refused(reason: "b", after: .seconds(5)))
    #expect(worse == .refused(reason: "a", after: .seconds(5)))
  }

  @Test func `the ledger balances what came in against what ended`() {
    let ledger = Ledger(metrics: SelfMetrics())
    ledger.record(.received, 100, signal: .logs)
    ledger.record(.copied, 50, signal: .logs)
    ledger.record(.delivered, 120, signal: .logs, reason: "file")
    ledger.record(.dropped, 10, signal: .logs, reason: "retries_exhausted")
    #expect(ledger.balance(of: .logs, inFlight: 20).unaccounted == 0)
    #expect(ledger.balance(of: .logs, inFlight: 0).unaccounted == 20)
    #expect(ledger.balance(of: .traces, inFlight: 0).lines.isEmpty)
  }
}
