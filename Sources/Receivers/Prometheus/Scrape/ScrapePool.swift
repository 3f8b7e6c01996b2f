internal import Logging
internal import PipelineKit
internal import PrometheusData
internal import Synchronization

/// The targets of one job, each with its loop.
final class ScrapePool: Sendable {
  private let job: ScrapeLoop.Job
  private let client: PrometheusClient
  private let discovery: TargetDiscovery
  private let stopSignal = StopSignal()
  private let succession: ScrapeSuccession
  private let inheritance = Mutex<ScrapeSuccession.Inheritance?>(nil)

  init(
    _ job: ScrapeJob, _ config: PrometheusReceiverConfig, consumer: any Consumer, context: ComponentContext
  ) {
    client = PrometheusClient(job.http, context: context)
    discovery = TargetDiscovery(job, context: context)
    let meters = ScrapeMeters(job: job.name, context)
    let succession = ScrapeSuccession(
      ScrapeSuccession.Key(job, trimsSuffixes: config.trimMetricSuffixes, context))
    self.succession = succession
    self.job = ScrapeLoop.Job(
      settings: ScrapeSettings(job, trimsSuffixes: config.trimMetricSuffixes),
      histograms: HistogramChoice(job), request: ScrapeRequest(job, client: client),
      delivery: ScrapeDelivery(consumer: consumer, clock: context.clock, meters: meters), meters: meters,
      context: context, name: job.name,
      initialOffset: config.initialScrapeOffset > .zero ? config.initialScrapeOffset : nil,
      scrapesOnShutdown: config.scrapeOnShutdown, succession: succession)
  }

  /// Reads what clients need; throws a `StartError` that names what cannot be used.
  func start() async throws {
    do {
      try await client.start()
    } catch let error as StartError {
      throw StartError("job \"\(job.name)\": \(error.message)", help: error.help)
    }
    do {
      try await discovery.start()
    } catch {
      await client.stop()
      throw error
    }
    let inherited = succession.enter()
    inheritance.withLock { $0 = inherited }
  }

  func stop() {
    stopSignal.stop()
    succession.renounce()
  }

  /// Gives up what ``start()`` opened.
  func close() async {
    succession.leave()
    await discovery.stop()
    await client.stop()
  }

  /// Scrapes until ``stop()``, and until every loop has told the end of its series.
  func run() async {
    let (found, input) = AsyncStream<DiscoveredTargets>.makeStream(bufferingPolicy: .bufferingNewest(1))
    await withTaskGroup { group in
      group.addTask { [discovery] in await discovery.run { input.yield($0) } }
      group.addTask { [stopSignal] in
        await stopSignal.wait()
        input.finish()
      }
      await scrape(found)
      succession.close()
      group.cancelAll()
    }
  }

  /// Tells the end of the series of inherited targets that have no loop.
  private func end(_ inheritance: ScrapeSuccession.Inheritance, except wanted: Set<ScrapeTarget>) async {
    await inheritance.isComplete.wait()
    for target in inheritance.targets where !wanted.contains(target) {
      let loop = ScrapeLoop(target, job)
      loop.stop()
      await loop.run(after: nil, inheritance)
    }
  }

  private func scrape(_ found: AsyncStream<DiscoveredTargets>) async {
    await withDiscardingTaskGroup { group in
      var loops: [ScrapeTarget: ScrapeLoop] = [:]
      let inheritance = inheritance.withLock { $0 }
      for await discovered in found {
        let wanted = Set(discovered.targets)
        var ending: [LabelSet: ScrapeLoop] = [:]
        for (target, loop) in loops where !wanted.contains(target) {
          loop.stop()
          ending[target.labels] = loop
          loops[target] = nil
        }
        for target in discovered.targets {
          let loop = loops[target] ?? ScrapeLoop(target, job)
          loop.fail(with: discovered.failure)
          if loops.updateValue(loop, forKey: target) == nil {
            let earlier = ending[target.labels]
            group.addTask { await loop.run(after: earlier, inheritance) }
          }
        }
        // What was left for targets that there are no longer.
        if discovered.isComplete, let inheritance {
          group.addTask { [self] in await end(inheritance, except: wanted) }
        }
      }
      for loop in loops.values { loop.stop(forShutdown: true) }
      if let inheritance {
        let wanted = Set(loops.keys)
        group.addTask { [self] in await end(inheritance, except: wanted) }
      }
    }
  }
}

extension ScrapeSettings {
  /// What a job says about taking expositions; the target's own parts are still to come.
  init(_ job: ScrapeJob, trimsSuffixes: Bool) {
    self.init()
    honorsLabels = job.honorLabels
    honorsTimestamps = job.honorTimestamps
    tracksTimestampStaleness = job.trackTimestampsStaleness
    if !job.metricRelabeling.isEmpty {
      let rules = job.metricRelabeling
      relabel = { rules.apply(&$0) }
    }
    hasLegacyNames = job.nameValidation == .legacy
    externalLabels = job.externalLabels
    self.trimsSuffixes = trimsSuffixes
    sampleLimit = job.sampleLimit
    labelLimit = job.labelLimit
    labelNameLengthLimit = job.labelNameLengthLimit
    labelValueLengthLimit = job.labelValueLengthLimit
    bucketLimit = job.nativeHistogramBucketLimit
    bucketFactor = job.nativeHistogramMinBucketFactor
    reportsLimits = job.extraScrapeMetrics
  }
}

extension HistogramChoice {
  init(_ job: ScrapeJob) {
    self =
      if !job.scrapeNativeHistograms { .classic } else if job.alwaysScrapeClassicHistograms {
        .nativeAndClassic
      } else {
        .nativeOrClassic
      }
  }
}
