internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import Transport

/// `azure`: the machine of Azure, as its metadata service describes it.
///
/// Source: Microsoft, "Azure Instance Metadata Service", version 2021-12-13. `AZURE_POD_IDENTITY_AUTHORITY_HOST` names
/// another address, as for Azure's own libraries.
struct AzureDetector: ResourceDetector {
  let config: AzureDetectorConfig
  let surroundings: DetectorSurroundings
  let failsWhenMissing: Bool

  func detect() async throws -> [Attribute] {
    let host = surroundings.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? "http://169.254.169.254"
    let base = host.hasSuffix("/") ? String(host.dropLast()) : host
    let url = "\(base)/metadata/instance/compute?api-version=2021-12-13&format=json"
    let reply: HTTPReply
    do {
      reply = try await surroundings.client.get(
        url: url, headers: [(name: "metadata", value: "True")], limit: DetectorSurroundings.mostBytes,
        timeout: surroundings.probeTimeout)
    } catch let error as ConnectionError {
      if failsWhenMissing { throw error }
      return []
    }
    // Another cloud's service is at the same address, and knows no such path.
    if reply.status != 200, !failsWhenMissing { return [] }
    let compute = try DetectorSurroundings.json(try DetectorSurroundings.text(of: reply, url), url)
    var found = DetectedAttributes(config)
    found.set("cloud.provider", "azure")
    found.set("cloud.platform", "azure_vm")
    found.set("cloud.account.id", compute.text("subscriptionId"))
    found.set("cloud.region", compute.text("location"))
    found.set("cloud.availability_zone", compute.text("zone"))
    found.set("host.id", compute.text("vmId"))
    let computer = compute.text("osProfile", "computerName")
    found.set("host.name", computer.isEmpty ? compute.text("name") : computer)
    found.set("azure.vm.name", compute.text("name"))
    found.set("azure.vm.size", compute.text("vmSize"))
    found.set("azure.vm.scaleset.name", compute.text("vmScaleSetName"))
    found.set("azure.resourcegroup.name", compute.text("resourceGroupName"))
    for tag in compute["tagsList"]?.elements ?? [] {
      let key = tag.text("name")
      if config.tags.contains(where: { $0.pattern.matches(key) }) {
        found.add("azure.tag.\(key)", tag.text("value"))
      }
    }
    return found.attributes
  }
}
