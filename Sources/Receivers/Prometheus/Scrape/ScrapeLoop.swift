internal import Logging
internal import PipelineKit
internal import PrometheusData
internal import Synchronization
internal import TelemetryData

/// Scrapes one target at its interval until it is stopped, and then tells the end of its series.
final class ScrapeLoop: Sendable {
  /// What all loops of a job have in common.
  struct Job: Sendable {
    let settings: ScrapeSettings
    let histograms: HistogramChoice
    let request: ScrapeRequest
    let delivery: ScrapeDelivery
    let meters: ScrapeMeters
    let context: ComponentContext
    let name: String
    /// Before the first scrape; nil spreads the targets over their interval.
    let initialOffset: Duration?
    let scrapesOnShutdown: Bool
    let succession: ScrapeSuccession
  }

  let target: ScrapeTarget
  private let job: Job
  private let stopSignal = StopSignal()
  private let ended = StopSignal()
  private let forcedFailure = Mutex<String?>(nil)
  private let log: ScrapeLog
  private let isShuttingDown = Atomic(false)

  init(_ target: ScrapeTarget, _ job: Job) {
    self.target = target
    self.job = job
    log = ScrapeLog(target, job: job.name, context: job.context)
  }

  /// Has the loop end; what it still has to send it sends in ``run(after:)``.
  func stop(forShutdown: Bool = false) {
    if forShutdown { isShuttingDown.store(true, ordering: .relaxed) }
    stopSignal.stop()
  }

  /// Makes every scrape fail, or no longer.
  func fail(with reason: String?) { forcedFailure.withLock { $0 = reason } }

  /// Works until ``stop(forShutdown:)``.
  /// - Parameters:
  ///   - earlier: a loop over the same series that must have told their end first.
  ///   - inheritance: where a replaced receiver leaves what it knows of the target.
  func run(after earlier: ScrapeLoop?, _ inheritance: ScrapeSuccession.Inheritance?) async {
    await earlier?.ended.wait()
    await inheritance?.isComplete.wait()
    defer { ended.stop() }
    var state: ScrapeState
    if let known = inheritance?.take(target) {
      state = known
    } else {
      state = ScrapeState(settings, seed: UInt64(job.context.randomness.unit() * 0x1p53))
    }
    let clock = job.context.clock
    var due = clock.now + (job.initialOffset ?? offset())
    var isUp: Bool?
    var aligned: Int64?
    while await stopSignal.wait(until: due, clock) {
      let started = clock.now
      if due <= started {
        // Scrapes that could not be made in time are left out.
        let missed = (started - due).wholeNanoseconds / max(1, target.interval.wholeNanoseconds)
        due = due + .nanoseconds(missed * target.interval.wholeNanoseconds)
      }
      due = due + target.interval
      if let refusal = job.context.gate.refusal {
        job.meters.failed("refused")
        log.refused(refusal)
        continue
      }
      let time = scrapeTime(&aligned)
      let batches = await scrape(&state, at: time, started: started, &isUp)
      if let problem = await job.delivery.deliver(batches, until: due, stopSignal) { log.lost(problem) }
    }
    if isShuttingDown.load(ordering: .relaxed) {
      guard let left = job.succession.handOver(target, state) else {
        return job.meters.moved(from: isUp, to: nil)
      }
      state = left
    }
    await end(&state, &isUp)
  }

  /// Tells the end of all series.
  private func end(_ state: inout ScrapeState, _ isUp: inout Bool?) async {
    let clock = job.context.clock
    var batches: [Batch] = []
    if job.scrapesOnShutdown, isShuttingDown.load(ordering: .relaxed) {
      batches = await scrape(
        &state, at: milliseconds(), started: clock.now, &isUp, isLast: true)
      if let problem = await job.delivery.deliver(batches, until: clock.now, stopSignal) { log.lost(problem) }
    }
    batches = state.end(at: milliseconds())
    if let problem = await job.delivery.deliver(batches, until: clock.now, stopSignal) { log.lost(problem) }
    job.meters.moved(from: isUp, to: nil)
  }

  private func scrape(
    _ state: inout ScrapeState, at time: Int64, started: MonotonicInstant, _ isUp: inout Bool?,
    isLast: Bool = false
  ) async -> [Batch] {
    var bodySize = 0
    var failure: ScrapeFailure?
    do {
      let (bytes, format) = try await body(isLast: isLast)
      bodySize = bytes.count
      state.begin(at: time)
      do throws(ScrapeError) {
        try state.read(bytes.span, format, histograms: job.histograms)
      } catch {
        failure = ScrapeFailure(reason: error.reason, text: "\(error)", bodySize: bodySize)
      }
    } catch let error as ScrapeFailure {
      state.begin(at: time)
      failure = error
      bodySize = error.bodySize
    } catch {
      // Stopped in the middle: not the target's failure.
      return []
    }
    let duration = job.context.clock.now - started
    let batches = state.finish(
      ScrapeReport(
        isUp: failure == nil, duration: Double(duration.wholeNanoseconds) / 1e9, bodySize: bodySize))
    job.meters.count(state.counts)
    job.meters.moved(from: isUp, to: failure == nil)
    isUp = failure == nil
    if let failure { job.meters.failed(failure.reason) }
    log.scraped(failure)
    return batches
  }

  /// Asks the target; given up when it is time to stop.
  private func body(isLast: Bool) async throws -> (bytes: [UInt8], format: ExpositionFormat) {
    if let reason = forcedFailure.withLock({ $0 }) {
      throw ScrapeFailure(reason: "target_limit", text: reason)
    }
    if isLast { return try await job.request.body(of: target) }
    return try await withThrowingTaskGroup(of: (bytes: [UInt8], format: ExpositionFormat)?.self) { group in
      group.addTask { [job, target] in try await job.request.body(of: target) }
      group.addTask { [stopSignal] in
        await stopSignal.wait()
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let body = first else { throw CancellationError() }
      return body
    }
  }

  private var settings: ScrapeSettings {
    var settings = job.settings
    settings.labels = target.labels
    settings.timeout = Double(target.timeout.wholeMilliseconds) / 1000
    let parts = TargetURL(target.url)
    settings.scheme = parts.scheme
    settings.host = parts.host
    settings.port = parts.port
    return settings
  }

  // Time.

  private func milliseconds() -> Int64 {
    Int64(clamping: job.context.clock.unixNanoseconds / 1_000_000)
  }

  /// The time of this scrape: where it is no more than 2 ms, and 1 % of the interval, behind its place in the rhythm, that
  /// place. Even distances take less room in a database.
  private func scrapeTime(_ aligned: inout Int64?) -> Int64 {
    let now = milliseconds()
    let interval = max(1, target.interval.wholeMilliseconds)
    guard let last = aligned, now >= last else {
      aligned = now
      return now
    }
    let place = last + (now - last) / interval * interval
    aligned = place
    return now - place <= min(2, interval / 100) ? place : now
  }

  /// How long until the first scrape: each target has its place in the interval, the same after every start.
  private func offset() -> Duration {
    let interval = max(1, target.interval.wholeNanoseconds)
    let place = Int64(target.placement % UInt64(interval))
    let now = Int64(clamping: job.context.clock.unixNanoseconds) % interval
    return .nanoseconds(place >= now ? place - now : place - now + interval)
  }
}

extension ScrapeTarget {
  /// A hash that is the same in every process (FNV-1a).
  var placement: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    for label in labels {
      add(label.name)
      add(label.value)
    }
    add(url)
    return hash
  }
}

/// Scheme, host and port of a target's URL.
struct TargetURL {
  var scheme = ""
  var host = ""
  var port = ""

  init(_ url: String) {
    guard let start = url.firstRange(of: "://") else { return }
    scheme = String(url[..<start.lowerBound])
    let authority = url[start.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
      host = String(authority[authority.index(after: authority.startIndex)..<close])
      let rest = authority[authority.index(after: close)...]
      port = rest.hasPrefix(":") ? String(rest.dropFirst()) : ""
    } else if let colon = authority.lastIndex(of: ":") {
      host = String(authority[..<colon])
      port = String(authority[authority.index(after: colon)...])
    } else {
      host = String(authority)
    }
    if port.isEmpty { port = scheme == "https" ? "443" : "80" }
  }
}
