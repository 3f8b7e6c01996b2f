internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import Transport

/// `ec2`: the machine of AWS, as its metadata service describes it.
///
/// Source: AWS, "Use the Instance Metadata Service". A token is asked for first (IMDSv2); a service that gives out none
/// is asked without. `AWS_EC2_METADATA_SERVICE_ENDPOINT` names another address, `AWS_EC2_METADATA_DISABLED=true` leaves
/// the service alone, as for AWS' own libraries.
struct EC2Detector: ResourceDetector {
  let config: EC2DetectorConfig
  let surroundings: DetectorSurroundings
  let failsWhenMissing: Bool

  private static let tokenSeconds = "300"

  func detect() async throws -> [Attribute] {
    if surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return [] }
    let base = base
    let headers: [(name: String, value: String)]
    do { headers = try await credentials(base) } catch let error as ConnectionError {
      if failsWhenMissing { throw error }
      return []
    }
    let url = "\(base)/latest/dynamic/instance-identity/document"
    guard let text = try await surroundings.text(at: url, headers) else {
      if failsWhenMissing { throw DetectionFailure("\(url) has nothing") }
      return []
    }
    let document = try DetectorSurroundings.json(text, url)
    var found = DetectedAttributes(config)
    found.set("cloud.provider", "aws")
    found.set("cloud.platform", "aws_ec2")
    found.set("cloud.region", document.text("region"))
    found.set("cloud.account.id", document.text("accountId"))
    found.set("cloud.availability_zone", document.text("availabilityZone"))
    found.set("host.id", document.text("instanceId"))
    found.set("host.image.id", document.text("imageId"))
    found.set("host.type", document.text("instanceType"))
    if found.wants("host.name") {
      let name = try await surroundings.text(at: "\(base)/latest/meta-data/hostname", headers)
      // With several names there is a list; the first is that of the primary address.
      found.set("host.name", name?.split(separator: " ").first?.trimmingSpaces)
    }
    if config.tagsFromIMDS { try await addTags(base, headers, to: &found) }
    return found.attributes
  }

  private var base: String {
    let isIPv6 = surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
    let address =
      surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")
      ?? (isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    return address.hasSuffix("/") ? String(address.dropLast()) : address
  }

  private func credentials(_ base: String) async throws -> [(name: String, value: String)] {
    let reply = try await surroundings.client.put(
      url: "\(base)/latest/api/token",
      headers: [(name: "x-aws-ec2-metadata-token-ttl-seconds", value: Self.tokenSeconds)],
      limit: DetectorSurroundings.mostBytes, timeout: surroundings.probeTimeout)
    if reply.status == 403 || reply.status == 404 || reply.status == 405 { return [] }
    let token = try DetectorSurroundings.text(of: reply, "\(base)/latest/api/token").trimmingSpaces
    return [(name: "x-aws-ec2-metadata-token", value: token)]
  }

  private func addTags(
    _ base: String, _ headers: [(name: String, value: String)],
    to found: inout DetectedAttributes<EC2DetectorConfig>
  ) async throws {
    let folder = "\(base)/latest/meta-data/tags/instance"
    guard let list = try await surroundings.text(at: "\(folder)/", headers) else { return }
    for key in list.split(separator: "\n").map(\.trimmingSpaces)
    where config.tags.contains(where: { $0.pattern.matches(key) }) {
      guard let value = try await surroundings.text(at: "\(folder)/\(key)", headers) else { continue }
      found.add("ec2.tag.\(key)", value)
    }
  }
}
