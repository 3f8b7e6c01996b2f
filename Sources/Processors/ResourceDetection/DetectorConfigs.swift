package import ConfigSchema

/// Where `host.name` comes from.
package enum HostnameSource: String, ConfigEnum {
  /// The full name from the hosts file or the DNS, or else what the DNS has for the host's address.
  case dns
  /// What the kernel calls the host.
  case os
  /// The full name from the hosts file or the DNS.
  case cname
  /// What the DNS has for the host's address.
  case lookup
}

/// The settings of the detector `system`.
package struct SystemDetectorConfig: DetectorSection {
  package var hostnameSources: [HostnameSource] = [.dns, .os]
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "host.name": true, "os.type": true, "host.arch": false, "host.id": false, "host.ip": false,
    "host.mac": false, "host.cpu.vendor.id": false, "host.cpu.family": false, "host.cpu.model.id": false,
    "host.cpu.model.name": false, "host.cpu.stepping": false, "host.cpu.cache.l2.size": false,
    "os.description": false, "os.name": false, "os.version": false,
  ]
  package static let fields: [Field<Self>] = [
    Field(
      "hostname_sources", \.hostnameSources, "Where host.name comes from: the first that has one.",
      check: .nonEmpty),
    switchesField(\.switches),
  ]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}

/// The settings of the detector `docker`.
package struct DockerDetectorConfig: DetectorSection {
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "host.name": true, "os.type": true, "container.name": false, "container.image.name": false,
    "container.image.id": false, "container.image.tags": false,
  ]
  package static let fields: [Field<Self>] = [switchesField(\.switches)]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}

/// The settings of the detector `process`.
package struct ProcessDetectorConfig: DetectorSection {
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "process.pid": true, "process.executable.name": true, "process.executable.path": true,
    "process.owner": true,
    "process.parent_pid": false, "process.command": false, "process.command_args": false,
    "process.command_line": false,
  ]
  package static let fields: [Field<Self>] = [switchesField(\.switches)]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}

/// The settings of the detector `ec2`.
package struct EC2DetectorConfig: DetectorSection {
  package var tags: [RegexText] = []
  package var tagsFromIMDS = false
  package var failOnMissingMetadata = false
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "cloud.provider": true, "cloud.platform": true, "cloud.account.id": true, "cloud.region": true,
    "cloud.availability_zone": true, "host.id": true, "host.image.id": true, "host.name": true,
    "host.type": true,
  ]
  package static let fields: [Field<Self>] = [
    Field(
      "tags", \.tags,
      "Regular expressions: tags of the instance with such keys become attributes `ec2.tag.<key>`; needs tags_from_imds."
    ),
    Field(
      "tags_from_imds", \.tagsFromIMDS,
      "Whether tags are read from the metadata service, where the instance must allow it."),
    .accepted("max_attempts", "detection is repeated until timeout"),
    .accepted("max_backoff", "detection is repeated until timeout"),
    .deprecated(
      "fail_on_missing_metadata", use: "fail_on_missing_metadata of the processor", \.failOnMissingMetadata),
    switchesField(\.switches),
  ]
  package func check(_ checker: inout ConfigChecker) {
    checkSwitches(&checker)
    if !tags.isEmpty, !tagsFromIMDS {
      checker.error(
        \.tags, "can be read from the metadata service only, not from the EC2 API",
        help: "set tags_from_imds: true, and allow tags in the instance's metadata options")
    }
  }
}

/// The settings of the detector `gcp`.
package struct GCPDetectorConfig: DetectorSection {
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "cloud.provider": true, "cloud.platform": true, "cloud.account.id": true, "cloud.region": true,
    "cloud.availability_zone": true, "host.id": true, "host.name": true, "host.type": true,
    "k8s.cluster.name": true, "faas.instance": true, "faas.name": true, "faas.version": true,
    "gcp.cloud_run.job.execution": true, "gcp.cloud_run.job.task_index": true,
    "gcp.gce.instance.hostname": false, "gcp.gce.instance.name": false,
  ]
  package static let fields: [Field<Self>] = [
    .unsupported("labels", "the labels of instances are not read: they need the Compute API"),
    switchesField(\.switches),
  ]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}

/// The settings of the detector `azure`.
package struct AzureDetectorConfig: DetectorSection {
  package var tags: [RegexText] = []
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "cloud.provider": true, "cloud.platform": true, "cloud.account.id": true, "cloud.region": true,
    "cloud.availability_zone": true, "host.id": true, "host.name": true, "azure.vm.name": true,
    "azure.vm.size": true, "azure.vm.scaleset.name": true, "azure.resourcegroup.name": true,
  ]
  package static let fields: [Field<Self>] = [
    Field(
      "tags", \.tags,
      "Regular expressions: tags of the machine with such keys become attributes `azure.tag.<key>`."),
    switchesField(\.switches),
  ]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}

/// The settings of the detector `k8s_pod`.
package struct PodDetectorConfig: DetectorSection {
  package var directory = "/etc/podinfo"
  package var labels: [RegexText] = []
  package var annotations: [RegexText] = []
  package var switches = ConfigMap<AttributeSwitch>()
  package init() {}

  package static let attributes: KeyValuePairs = [
    "k8s.pod.name": true, "k8s.pod.uid": true, "k8s.namespace.name": true, "k8s.node.name": true,
    "k8s.container.name": true, "k8s.cluster.name": true, "k8s.deployment.name": true, "k8s.pod.ip": false,
    "k8s.pod.hostname": false, "container.id": false,
  ]
  package static let fields: [Field<Self>] = [
    Field(
      "directory", \.directory,
      "Where a downwardAPI volume is mounted, with files such as `labels`, `annotations`, `name` and `namespace`.",
      check: .nonEmpty),
    Field(
      "labels", \.labels,
      "Regular expressions: labels of the pod with such keys become attributes `k8s.pod.label.<key>`."),
    Field(
      "annotations", \.annotations,
      "Regular expressions: annotations with such keys become attributes `k8s.pod.annotation.<key>`."),
    switchesField(\.switches),
  ]
  package func check(_ checker: inout ConfigChecker) { checkSwitches(&checker) }
}
