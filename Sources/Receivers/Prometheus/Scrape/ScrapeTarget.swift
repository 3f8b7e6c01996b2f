package import PrometheusData

/// One endpoint that a job scrapes, as discovery and relabeling made it.
///
/// Two targets that are equal are the same target: a discovery that finds it again changes nothing about its scrapes.
package struct ScrapeTarget: Sendable, Hashable {
  /// After relabeling: `job` and `instance` among them, and none that begins with `__`.
  package var labels: LabelSet
  /// With scheme, address, path and parameters.
  package var url: String
  package var interval: Duration
  package var timeout: Duration

  package init(labels: LabelSet, url: String, interval: Duration, timeout: Duration) {
    self.labels = labels
    self.url = url
    self.interval = interval
    self.timeout = timeout
  }
}
