internal import ConfigSchema
internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Asks all detectors at once, each again and again until it answers or the time is over.
struct Detection: Sendable {
  let detectors: [(name: DetectorName, detector: any ResourceDetector)]
  /// How long all of it may take; zero asks each detector once.
  let timeout: Duration
  let clock: any PipelineClock
  let logger: Logger

  private static let firstPause = Duration.seconds(1)

  /// The attributes that were found: of several with one key, that of the first detector.
  ///
  /// - Throws: a ``DetectionFailure`` that names every detector that failed.
  func run() async throws -> [Attribute] {
    let deadline = clock.now + timeout
    var results: [Int: Result<[Attribute], any Error>] = [:]
    await withTaskGroup(of: (Int, Result<[Attribute], any Error>).self) { group in
      for (index, entry) in detectors.enumerated() {
        group.addTask { (index, await ask(entry.name, entry.detector, until: deadline)) }
      }
      for await (index, result) in group { results[index] = result }
    }
    var failures: [String] = []
    var attributes: [Attribute] = []
    var keys: Set<String> = []
    for (index, entry) in detectors.enumerated() {
      switch results[index] {
      case .success(let found): attributes += found.filter { keys.insert($0.key).inserted }
      case .failure(let error): failures.append("\(entry.name.rawValue): \(error)")
      case nil: continue
      }
    }
    if !failures.isEmpty { throw DetectionFailure(failures.joined(separator: "; ")) }
    return attributes
  }

  private func ask(
    _ name: DetectorName, _ detector: any ResourceDetector, until deadline: MonotonicInstant
  ) async -> Result<[Attribute], any Error> {
    var pause = Self.firstPause
    var first: (any Error)?
    while true {
      do {
        return .success(try await limited(detector, until: deadline))
      } catch {
        logger.warning(
          "a resource was not detected", metadata: ["detector": "\(name.rawValue)", "reason": "\(error)"])
        // The first says why; what follows is often only that the time was over.
        first = first ?? error
        let now = clock.now
        if timeout <= .zero || deadline <= now + pause { return .failure(first ?? error) }
      }
      do { try await clock.sleep(for: pause) } catch { return .failure(first ?? error) }
      pause *= 2
    }
  }

  /// One attempt, which ends when the time is over: what still blocks is left to end by itself.
  private func limited(
    _ detector: any ResourceDetector, until deadline: MonotonicInstant
  ) async throws -> [Attribute] {
    if timeout <= .zero { return try await detector.detect() }
    return try await withThrowingTaskGroup(of: [Attribute].self) { group in
      group.addTask { try await detector.detect() }
      group.addTask { [clock, timeout] in
        try await clock.sleep(for: deadline - clock.now)
        throw DetectionFailure("there is no answer within \(GoDuration.text(timeout))")
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
  }
}
