import Logging
import PipelineKit
import Synchronization
import Testing

@Suite struct RateLimitedLogTests {
  @Test func `a flood is one line at once and one per interval with the count`() {
    let clock = SteppedClock()
    let lines = Lines()
    let log = RateLimitedLog(Logger(label: "test") { _ in lines }, clock: clock, interval: .seconds(10))
    for _ in 0..<5 { log.log(.warning, "refused", metadata: ["peer": "a"]) }
    #expect(lines.all == ["refused peer=a"])
    clock.step(.seconds(10))
    log.log(.warning, "refused", metadata: ["peer": "b"])
    log.log(.warning, "refused", metadata: ["peer": "c"])
    #expect(lines.all.dropFirst() == ["refused occurrences=5 peer=b"])
  }

  @Test func `a level that is off neither logs nor counts`() {
    let lines = Lines()
    let log = RateLimitedLog(Logger(label: "test") { _ in lines }, clock: SteppedClock())
    log.log(.debug, "refused")
    log.log(.warning, "refused")
    #expect(lines.all == ["refused "])
  }
}

private final class SteppedClock: PipelineClock {
  private let nanoseconds = Atomic<Int64>(0)
  var now: MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
  var unixNanoseconds: UInt64 { 0 }
  func step(_ duration: Duration) { nanoseconds.wrappingAdd(duration.wholeNanoseconds, ordering: .relaxed) }
  func schedule(at deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void) { action() }
}

private final class Lines: LogHandler {
  private let storage = Mutex<[String]>([])
  var all: [String] { storage.withLock { $0 } }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .info }
    set {}
  }
  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }
  func log(event: LogEvent) {
    let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    storage.withLock { $0.append("\(event.message) \(facts.joined(separator: " "))") }
  }
}
