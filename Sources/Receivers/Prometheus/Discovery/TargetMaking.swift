import ConfigSchema
import PrometheusData

/// Makes the targets of a job from what discovery found.
///
/// Source: Prometheus 3's behaviour: no default port is added to an address, `instance` is the address as it stands.
struct TargetMaking: Sendable {
  private let job: ScrapeJob
  private let defaults: [Label]

  /// Targets, how many relabeling dropped, and what is wrong with those that cannot be scraped.
  struct Result: Sendable {
    var found = DiscoveredTargets()
    var problems: [String] = []
  }

  init(_ job: ScrapeJob) {
    self.job = job
    defaults =
      [
        Label("job", job.name), Label("__scrape_interval__", "\(job.interval)"),
        Label("__scrape_timeout__", "\(job.timeout)"), Label("__metrics_path__", job.metricsPath),
        Label("__scheme__", job.scheme.rawValue),
      ] + job.params.compactMap { name, values in values.first.map { Label("__param_\(name)", $0) } }
  }

  /// All targets of the groups, each once and in their order.
  func targets(of groups: some Sequence<TargetGroup>) -> Result {
    var result = Result()
    var known = Set<ScrapeTarget>()
    for group in groups {
      for target in group.targets {
        var labels = target
        for label in group.labels where labels[label.name] == nil { labels[label.name] = label.value }
        for label in defaults where labels[label.name] == nil { labels[label.name] = label.value }
        let address = labels["__address__"] ?? ""
        guard job.targetRelabeling.apply(&labels) else {
          result.found.droppedCount += 1
          continue
        }
        switch scrapeTarget(labels) {
        case .success(let target):
          if known.insert(target).inserted { result.found.targets.append(target) }
        case .failure(let problem): result.problems.append("\(address): \(problem.reason)")
        }
      }
    }
    if job.targetLimit > 0, result.found.targets.count > job.targetLimit {
      result.found.failure =
        "target_limit exceeded (number of targets: \(result.found.targets.count), limit: \(job.targetLimit))"
    }
    return result
  }

  private struct Problem: Error { let reason: String }

  private func scrapeTarget(_ relabelled: LabelSet) -> Swift.Result<ScrapeTarget, Problem> {
    var labels = relabelled
    guard let address = labels["__address__"] else { return .failure(Problem(reason: "it has no address")) }
    if let problem = TargetAddress.problem(address) { return .failure(Problem(reason: problem.message)) }
    let scheme = labels["__scheme__"] ?? ""
    guard ScrapeScheme(rawValue: scheme) != nil else {
      return .failure(Problem(reason: "its scheme is \"\(scheme)\", neither http nor https"))
    }
    guard let interval = PrometheusDuration(labels["__scrape_interval__"] ?? ""), interval.milliseconds > 0
    else {
      return .failure(Problem(reason: "its __scrape_interval__ is not a duration longer than 0"))
    }
    guard let timeout = PrometheusDuration(labels["__scrape_timeout__"] ?? ""), timeout.milliseconds > 0
    else {
      return .failure(Problem(reason: "its __scrape_timeout__ is not a duration longer than 0"))
    }
    if timeout > interval {
      return .failure(
        Problem(reason: "its __scrape_timeout__ of \(timeout) is longer than the interval of \(interval)"))
    }
    let url = url(of: labels, scheme: scheme, address: address)
    if labels["instance"] == nil { labels["instance"] = address }
    labels.keep { !$0.hasPrefix("__") }
    return .success(
      ScrapeTarget(labels: labels, url: url, interval: interval.duration, timeout: timeout.duration))
  }

  /// The URL, its parameters sorted by name; `__param_…` labels replace the first value of theirs.
  private func url(of labels: LabelSet, scheme: String, address: String) -> String {
    var params: [String: [String]] = [:]
    for (name, values) in job.params { params[name] = values }
    for label in labels where label.name.hasPrefix("__param_") {
      let name = String(label.name.dropFirst("__param_".count))
      let rest = params[name]?.dropFirst() ?? []
      params[name] = [label.value] + rest
    }
    var query: [String] = []
    for (name, values) in params.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      for value in values {
        query.append(
          "\(URLText.encoded(name, spaceAsPlus: true))=\(URLText.encoded(value, spaceAsPlus: true))")
      }
    }
    var path = URLText.encodedPath(labels["__metrics_path__"] ?? "")
    if !path.isEmpty, !path.hasPrefix("/") { path = "/\(path)" }
    return "\(scheme)://\(address)\(path)\(query.isEmpty ? "" : "?")\(query.joined(separator: "&"))"
  }
}
