internal import NativeCodecs
internal import TelemetryData
internal import Transport

/// `gcp`: where on Google Cloud the collector runs, from its metadata server and the environment.
///
/// Source: Google, "About VM metadata", and the environment variables of Cloud Run, Cloud Functions and App Engine.
/// `GCE_METADATA_HOST` names another server, as for Google's own libraries.
struct GCPDetector: ResourceDetector {
  let config: GCPDetectorConfig
  let surroundings: DetectorSurroundings
  let failsWhenMissing: Bool

  private static let flavor = (name: "metadata-flavor", value: "Google")

  private typealias Found = DetectedAttributes<GCPDetectorConfig>

  func detect() async throws -> [Attribute] {
    do {
      let reply = try await surroundings.client.get(
        url: base, headers: [Self.flavor], limit: DetectorSurroundings.mostBytes,
        timeout: surroundings.probeTimeout)
      guard reply.header("metadata-flavor") == "Google" else {
        if failsWhenMissing { throw DetectionFailure("\(base) is no metadata server of Google") }
        return []
      }
    } catch let error as ConnectionError {
      if failsWhenMissing { throw error }
      return []
    }
    var found = Found(config)
    found.set("cloud.provider", "gcp")
    found.set("cloud.account.id", try await ask("project/project-id"))
    if surroundings.variable("KUBERNETES_SERVICE_HOST") != nil,
      try await ask("instance/attributes/cluster-name") != nil
    {
      try await addKubernetes(to: &found)
    } else if surroundings.variable("FUNCTION_TARGET") != nil {
      try await addService("gcp_cloud_functions", to: &found)
    } else if surroundings.variable("K_CONFIGURATION", "CLOUD_RUN_WORKER_POOL") != nil {
      try await addService("gcp_cloud_run", to: &found)
    } else if surroundings.variable("CLOUD_RUN_JOB") != nil {
      try await addJob(to: &found)
    } else if surroundings.variable("GAE_SERVICE") != nil {
      try await addApplication(to: &found)
    } else {
      try await addMachine(to: &found)
    }
    return found.attributes
  }

  private var base: String { "http://\(surroundings.variable("GCE_METADATA_HOST") ?? "169.254.169.254")/" }

  private func ask(_ path: String) async throws -> String? {
    try await surroundings.text(at: "\(base)computeMetadata/v1/\(path)", [Self.flavor])?.trimmingSpaces
  }

  /// What stands behind the last slash of `projects/17/zones/europe-west1-b`.
  private func askName(_ path: String) async throws -> String? {
    try await ask(path)?.split(separator: "/").last.map(String.init)
  }

  private func addZone(_ zone: String?, to found: inout Found) {
    found.set("cloud.availability_zone", zone)
    if let zone, let dash = zone.lastIndex(of: "-") { found.set("cloud.region", String(zone[..<dash])) }
  }

  private func addMachine(to found: inout Found) async throws {
    found.set("cloud.platform", "gcp_compute_engine")
    addZone(try await askName("instance/zone"), to: &found)
    found.set("host.type", try await ask("instance/machine-type"))
    found.set("host.id", try await ask("instance/id"))
    found.set("host.name", try await ask("instance/name"))
    if found.wants("gcp.gce.instance.hostname") {
      found.set("gcp.gce.instance.hostname", try await ask("instance/hostname"))
    }
    if found.wants("gcp.gce.instance.name") {
      found.set("gcp.gce.instance.name", try await ask("instance/name"))
    }
  }

  private func addKubernetes(to found: inout Found) async throws {
    found.set("cloud.platform", "gcp_kubernetes_engine")
    let location = try await ask("instance/attributes/cluster-location")
    // A zone has two dashes, a region one.
    if let location, location.split(separator: "-").count == 2 {
      found.set("cloud.region", location)
    } else {
      addZone(location, to: &found)
    }
    found.set("k8s.cluster.name", try await ask("instance/attributes/cluster-name"))
    found.set("host.id", try await ask("instance/id"))
    found.set("host.name", try await ask("instance/name"))
  }

  private func addService(_ platform: String, to found: inout Found) async throws {
    found.set("cloud.platform", platform)
    found.set("cloud.region", try await askName("instance/region"))
    found.set("faas.instance", try await ask("instance/id"))
    found.set("faas.name", surroundings.variable("K_SERVICE", "CLOUD_RUN_WORKER_POOL"))
    found.set("faas.version", surroundings.variable("K_REVISION", "CLOUD_RUN_WORKER_POOL_REVISION"))
  }

  private func addJob(to found: inout Found) async throws {
    found.set("cloud.platform", "gcp_cloud_run")
    found.set("cloud.region", try await askName("instance/region"))
    found.set("faas.instance", try await ask("instance/id"))
    found.set("faas.name", surroundings.variable("CLOUD_RUN_JOB"))
    found.set("gcp.cloud_run.job.execution", surroundings.variable("CLOUD_RUN_EXECUTION"))
    found.set("gcp.cloud_run.job.task_index", surroundings.variable("CLOUD_RUN_TASK_INDEX"))
  }

  private func addApplication(to found: inout Found) async throws {
    found.set("cloud.platform", "gcp_app_engine")
    addZone(try await askName("instance/zone"), to: &found)
    found.set("faas.instance", surroundings.variable("GAE_INSTANCE"))
    found.set("faas.name", surroundings.variable("GAE_SERVICE"))
    found.set("faas.version", surroundings.variable("GAE_VERSION"))
  }
}
