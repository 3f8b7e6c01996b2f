internal import ConfigSchema
internal import Logging
package import PipelineKit
internal import PrometheusData

/// What discovery knows of a job's targets at one moment.
package struct DiscoveredTargets: Sendable, Hashable {
  /// All of them, each once.
  package var targets: [ScrapeTarget] = []
  /// How many relabeling dropped.
  package var droppedCount = 0
  /// Why none of them can be scraped, such as a `target_limit` that is exceeded: every scrape then fails with it.
  package var failure: String?
  /// Whether everything that lists targets has done so.
  package var isComplete = false

  package init() {}
}

/// Finds the targets of a job, and tells of every change.
package final class TargetDiscovery: Sendable {
  /// One of the job's `…_sd_configs`.
  private struct Provider: Sendable {
    let name: String
    let start: @Sendable () async throws -> Void
    /// Works until its task is cancelled; calls back with all groups on each change.
    let run: @Sendable (@escaping @Sendable ([TargetGroup]) -> Void) async -> Void
    let stop: @Sendable () async -> Void
  }

  private let making: TargetMaking
  private let fixed: [TargetGroup]
  private let providers: [Provider]
  private let logger: Logger
  private let invalid: SelfMetricCell
  private let job: String

  package init(_ job: ScrapeJob, context: ComponentContext) {
    making = TargetMaking(job)
    fixed = job.discovery.fixed.map { TargetGroup($0) }
    providers = Self.providers(job, context)
    logger = context.logger
    self.job = job.name
    invalid = context.metrics.counter(
      "millrace_prometheus_invalid_targets", help: "Targets found that cannot be scraped as they are.",
      labels: [("receiver", context.id.description), ("job", job.name)])
  }

  /// Reads what discovery's clients need; throws a `StartError` that names what cannot be used.
  package func start() async throws {
    for provider in providers {
      do {
        try await provider.start()
      } catch let error as StartError {
        throw StartError("job \"\(job)\": \(provider.name).\(error.message)", help: error.help)
      }
    }
  }

  /// Looks for targets until the task is cancelled.
  ///
  /// - Parameter update: called with everything known, first with what is written out, then on each change; never
  ///   twice at once.
  package func run(_ update: @Sendable (DiscoveredTargets) async -> Void) async {
    let first = make([], isComplete: providers.isEmpty)
    await update(first)
    guard !providers.isEmpty else { return await Self.waitForCancellation() }
    let (found, input) = AsyncStream<(index: Int, groups: [TargetGroup])>.makeStream()
    await withTaskGroup { group in
      for (index, provider) in providers.enumerated() {
        group.addTask { await provider.run { input.yield((index, $0)) } }
      }
      var known = [[TargetGroup]](repeating: [], count: providers.count)
      var last = first
      var silent = Set(providers.indices)
      for await (index, groups) in found {
        if silent.remove(index) == nil, known[index] == groups { continue }
        known[index] = groups
        let targets = make(known, isComplete: silent.isEmpty)
        if targets == last { continue }
        last = targets
        await update(targets)
      }
      group.cancelAll()
    }
  }

  package func stop() async {
    for provider in providers { await provider.stop() }
  }

  private func make(_ known: [[TargetGroup]], isComplete: Bool) -> DiscoveredTargets {
    var result = making.targets(of: fixed + known.flatMap { $0 })
    result.found.isComplete = isComplete
    if !result.problems.isEmpty {
      invalid.add(result.problems.count)
      logger.error(
        "targets cannot be scraped",
        metadata: [
          "job": "\(job)", "count": "\(result.problems.count)",
          "first": "\(result.problems.prefix(3).joined(separator: "; "))",
        ])
    }
    return result.found
  }

  private static func waitForCancellation() async {
    let (never, _) = AsyncStream<Void>.makeStream()
    for await _ in never {}
  }

  private static func providers(_ job: ScrapeJob, _ context: ComponentContext) -> [Provider] {
    let discovery = job.discovery
    var providers: [Provider] = []
    for (index, config) in discovery.file.enumerated() {
      let source = FileTargets(config, context: context)
      providers.append(
        Provider(name: "file_sd_configs[\(index)]", start: {}, run: { await source.run($0) }, stop: {}))
    }
    for (index, config) in discovery.http.enumerated() {
      let client = PrometheusClient(config.http, context: context)
      let source = HTTPTargets(config, client: client)
      providers.append(
        asked(
          "http_sd_configs[\(index)]", every: config.refreshInterval, client: client, context,
          source.groups))
    }
    for (index, config) in discovery.dns.enumerated() {
      let source = DNSTargets(config)
      providers.append(
        asked("dns_sd_configs[\(index)]", every: config.refreshInterval, client: nil, context, source.groups))
    }
    for (index, config) in discovery.docker.enumerated() {
      let client = PrometheusClient(config.http, context: context)
      let source = DockerTargets(config, client: client)
      providers.append(
        asked(
          "docker_sd_configs[\(index)]", every: config.refreshInterval, client: client, context,
          source.groups))
    }
    return providers
  }

  /// A provider that is asked at once and then at an interval; what it found last stays while it fails.
  private static func asked(
    _ name: String, every interval: PrometheusDuration, client: PrometheusClient?,
    _ context: ComponentContext,
    _ ask: @escaping @Sendable () async throws -> [TargetGroup]
  ) -> Provider {
    let failures = context.metrics.counter(
      "millrace_prometheus_discovery_failures", help: "Times that targets could not be listed.",
      labels: [("receiver", context.id.description), ("source", name)])
    return Provider(
      name: name, start: { try await client?.start() },
      run: { found in
        var complaint: String?
        while !Task.isCancelled {
          do {
            found(try await ask())
            if complaint != nil {
              context.logger.info("targets are listed again", metadata: ["source": "\(name)"])
            }
            complaint = nil
          } catch {
            if Task.isCancelled { return }
            failures.add()
            let text = "\(error)"
            if complaint != text {
              context.logger.error(
                "targets cannot be listed, the last ones stay",
                metadata: ["source": "\(name)", "error": "\(text)"])
            }
            complaint = text
          }
          guard (try? await context.clock.sleep(for: interval.duration)) != nil else { return }
        }
      },
      stop: { await client?.stop() })
  }
}

extension TargetGroup {
  init(_ config: StaticConfig) {
    self.init(addresses: config.targets, labels: LabelSet(config.labels.map { Label($0.key, $0.value) }))
  }
}
