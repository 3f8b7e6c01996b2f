import ConfigSchema
import PrometheusData
import Transport

/// `docker_sd_configs`: the containers of a Docker engine.
///
/// Source: Prometheus' documentation of `<docker_sd_config>` and Docker's Engine API (`/containers/json`, `/networks`).
struct DockerTargets: Sendable {
  /// The most bytes of an answer of the engine.
  static let mostBytes = 64 << 20

  private let config: DockerDiscoveryConfig
  private let client: PrometheusClient

  init(_ config: DockerDiscoveryConfig, client: PrometheusClient) {
    self.config = config
    self.client = client
  }

  /// One group with all containers; throws what says why there is none.
  @Sendable func groups() async throws -> [TargetGroup] {
    var path = "/containers/json"
    if !config.filters.isEmpty { path += "?filters=\(URLText.encoded(filterText))" }
    let containers = try await ask(path).elements.map { DockerContainer($0) }
    let networks = try await ask("/networks").elements.map { DockerNetwork($0) }
    return [
      TargetGroup(targets: DockerTargetMaking(config, containers: containers, networks: networks).targets)
    ]
  }

  /// Docker's form of filters: an object of lists.
  private var filterText: String {
    ConfigLiteral.map(config.filters.map { .init($0.name, $0.values.literal) }).json
  }

  private func ask(_ path: String) async throws -> ConfigNode {
    let base = DockerAddress(config.host)?.base ?? ""
    var headers = [(name: "accept", value: "application/json")]
    // The path of a socket is no host that an engine would take.
    if base.hasPrefix("http+unix://") { headers.append((name: "host", value: "docker")) }
    let reply = try await client.get(
      url: base + path, headers: headers, limit: Self.mostBytes, timeout: config.refreshInterval.duration)
    let name = "\(config.host)\(path.prefix { $0 != "?" })"
    guard reply.status == 200 else {
      throw TargetList.Problem(description: "\(name) answers with the status \(reply.status)")
    }
    let node = try JSONReply.node(reply, from: name, limit: Self.mostBytes)
    guard node.kind == .list else { throw TargetList.Problem(description: "\(name) answers with no list") }
    return node
  }
}

/// A container as the engine lists it.
struct DockerContainer: Sendable {
  struct Port: Sendable {
    let isTCP: Bool
    let privatePort: String
    /// Empty or 0 for a port that is not published.
    let publicPort: String
    let publicIP: String
  }

  struct Attachment: Sendable {
    let name: String
    let networkID: String
    let address: String
  }

  let id: String
  /// Empty for a container that is just being made.
  let name: String
  let networkMode: String
  let labels: [Label]
  let ports: [Port]
  let attachments: [Attachment]

  init(_ node: ConfigNode) {
    id = node.text(["Id"])
    name = node["Names"]?.elements.first?.scalar?.text ?? ""
    networkMode = node.text(["HostConfig", "NetworkMode"])
    labels = node.labels("Labels")
    ports = (node["Ports"]?.elements ?? []).map { port in
      Port(
        isTCP: port.text(["Type"]) == "tcp", privatePort: port.text(["PrivatePort"]),
        publicPort: port.text(["PublicPort"]), publicIP: port.text(["IP"]))
    }
    attachments = (node.node(at: ["NetworkSettings", "Networks"])?.entries ?? []).compactMap { entry in
      guard !entry.value.isNull else { return nil }
      return Attachment(
        name: entry.key, networkID: entry.value.text(["NetworkID"]), address: entry.value.text(["IPAddress"]))
    }
  }
}

/// A network as the engine lists it.
struct DockerNetwork: Sendable {
  let id: String
  let metaLabels: [Label]

  init(_ node: ConfigNode) {
    id = node.text(["Id"])
    metaLabels =
      [
        Label("__meta_docker_network_id", id), Label("__meta_docker_network_name", node.text(["Name"])),
        Label("__meta_docker_network_scope", node.text(["Scope"])),
        Label("__meta_docker_network_internal", node.text(["Internal"], or: "false")),
        Label("__meta_docker_network_ingress", node.text(["Ingress"], or: "false")),
      ]
      + node.labels("Labels").map { label in
        Label("__meta_docker_network_label_\(DockerTargetMaking.labelName(label.name))", label.value)
      }
  }
}

/// Makes targets of containers: one for each network and published TCP port.
struct DockerTargetMaking: Sendable {
  private let config: DockerDiscoveryConfig
  private let containers: [DockerContainer]
  private let byID: [String: DockerContainer]
  private let networks: [String: DockerNetwork]

  init(_ config: DockerDiscoveryConfig, containers: [DockerContainer], networks: [DockerNetwork]) {
    self.config = config
    self.containers = containers
    byID = Dictionary(containers.map { ($0.id, $0) }) { first, _ in first }
    self.networks = Dictionary(networks.map { ($0.id, $0) }) { first, _ in first }
  }

  var targets: [LabelSet] { containers.flatMap(targets(of:)) }

  private func targets(of container: DockerContainer) -> [LabelSet] {
    guard !container.name.isEmpty else { return [] }
    var common = LabelSet([
      Label("__meta_docker_container_id", container.id),
      Label("__meta_docker_container_name", container.name),
      Label("__meta_docker_container_network_mode", container.networkMode),
    ])
    for label in container.labels {
      common["__meta_docker_container_label_\(Self.labelName(label.name))"] = label.value
    }
    var attachments = attachments(of: container).sorted { $0.name < $1.name }
    if config.matchFirstNetwork { attachments = Array(attachments.prefix(1)) }
    return attachments.flatMap { attachment in
      var labels = common
      labels["__meta_docker_network_ip"] = attachment.address
      for label in networks[attachment.networkID]?.metaLabels ?? [] { labels[label.name] = label.value }
      let ports = container.ports.filter(\.isTCP)
      guard ports.isEmpty else { return ports.map { target(labels, attachment, $0) } }
      labels["__address__"] =
        container.networkMode == "host"
        ? config.hostNetworkingHost : Self.address(attachment.address, "\(config.port)")
      return [labels]
    }
  }

  private func target(
    _ labels: LabelSet, _ attachment: DockerContainer.Attachment, _ port: DockerContainer.Port
  ) -> LabelSet {
    var labels = labels
    labels["__meta_docker_port_private"] = port.privatePort
    if !port.publicPort.isEmpty, port.publicPort != "0" {
      labels["__meta_docker_port_public"] = port.publicPort
      labels["__meta_docker_port_public_ip"] = port.publicIP
    }
    labels["__address__"] = Self.address(attachment.address, port.privatePort)
    return labels
  }

  /// The networks of a container; one that lives in the network of another has that one's.
  private func attachments(of container: DockerContainer) -> [DockerContainer.Attachment] {
    var current = container
    var seen: Set<String> = []
    while current.attachments.isEmpty, current.networkMode.hasPrefix("container:"),
      seen.insert(current.id).inserted, let other = byID[String(current.networkMode.dropFirst(10))]
    {
      current = other
    }
    return current.attachments
  }

  private static func address(_ host: String, _ port: String) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// A name with what label names cannot hold replaced by underscores.
  static func labelName(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar in
        scalar == "_" || scalar.isASCII && scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          ? Character(scalar) : "_"
      })
  }
}

extension ConfigNode {
  /// The text of the scalar at the end of a path; `fallback` where there is none.
  fileprivate func text(_ path: [String], or fallback: String = "") -> String {
    guard let node = node(at: path), !node.isNull else { return fallback }
    return node.scalar?.text ?? fallback
  }

  /// The texts of an object by their names.
  fileprivate func labels(_ key: String) -> [Label] {
    (self[key]?.entries ?? []).compactMap { entry in
      entry.value.scalar.map { Label(entry.key, entry.value.isNull ? "" : $0.text) }
    }
  }
}
