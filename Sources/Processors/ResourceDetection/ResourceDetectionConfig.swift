package import ConfigSchema
package import Transport

extension ResourceDetectionProcessor {
  /// The settings of the `resource_detection` processor.
  package struct Config: ConfigGroup {
    package var detectors: [DetectorName] = [.env]
    package var overrides = true
    package var failOnMissingMetadata = false
    package var refreshInterval: Duration = .zero
    package var client = HTTPClientConfig(timeout: .seconds(5))
    package var system = SystemDetectorConfig()
    package var docker = DockerDetectorConfig()
    package var process = ProcessDetectorConfig()
    package var ec2 = EC2DetectorConfig()
    package var gcp = GCPDetectorConfig()
    package var azure = AzureDetectorConfig()
    package var k8sPod = PodDetectorConfig()

    package init() {}

    package static let fields: [Field<Self>] =
      [
        Field(
          "detectors", \.detectors, "What finds attributes out; the first that has an attribute decides it.",
          check: .nonEmpty),
        Field(
          "override", \.overrides,
          "Whether attributes that resources have already are replaced, or stay as they are."),
        Field(
          "fail_on_missing_metadata", \.failOnMissingMetadata,
          "Whether the collector does not start when a metadata service, Docker or Kubernetes is not there."),
        Field(
          "refresh_interval", \.refreshInterval,
          "How often detection is repeated; 0 detects once, at the start.",
          check: .atLeast(.zero)),
        Field("system", \.system, "The detector of this machine."),
        Field("docker", \.docker, "The detector that asks the Docker engine."),
        Field("process", \.process, "The detector of the collector's own process."),
        Field("ec2", \.ec2, "The detector for machines of AWS."),
        Field("gcp", \.gcp, "The detector for Google Cloud."),
        Field("azure", \.azure, "The detector for machines of Azure."),
        Field("k8s_pod", \.k8sPod, "The detector that reads what Kubernetes tells the collector's own pod."),
        .unsupported("attributes", "switch attributes with `resource_attributes` of their detector"),
        .group(\.client),
      ]
      + DetectorName.others.map { .unsupported($0, DetectorName.advice(without: $0)) }

    package func check(_ checker: inout ConfigChecker) {
      if !client.endpoint.isEmpty {
        checker.error(
          \.client.endpoint, "has no effect: each detector knows where to ask",
          help:
            "variables such as AWS_EC2_METADATA_SERVICE_ENDPOINT and GCE_METADATA_HOST name other addresses")
      }
      if Set(detectors).count < detectors.count, !checker.hasError(\.detectors) {
        checker.warning(
          \.detectors, "names a detector twice", help: "the first one decides: remove the others")
      }
    }
  }
}
