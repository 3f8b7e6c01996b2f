internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import Transport

/// `docker`: what the Docker engine says about its host, and about the container that the collector runs in.
///
/// Source: Docker's Engine API (`/info`, `/containers/{id}/json`, `/images/{id}/json`). The engine is the one that
/// `DOCKER_HOST` names, or else that behind `/var/run/docker.sock`.
struct DockerDetector: ResourceDetector {
  let config: DockerDetectorConfig
  let surroundings: DetectorSurroundings
  let failsWhenMissing: Bool

  func detect() async throws -> [Attribute] {
    guard let base = Self.base(surroundings.variable("DOCKER_HOST") ?? "unix:///var/run/docker.sock") else {
      throw DetectionFailure(
        "DOCKER_HOST is not the address of an engine, such as unix:///var/run/docker.sock")
    }
    var found = DetectedAttributes(config)
    let info: ConfigNode
    do { info = try await ask(base, "/info") } catch let error as ConnectionError {
      if failsWhenMissing { throw error }
      return []
    }
    found.set("host.name", info.text("Name"))
    found.set("os.type", info.text("OSType"))
    let ofContainer = [
      "container.name", "container.image.name", "container.image.id", "container.image.tags",
    ]
    if ofContainer.contains(where: found.wants) { try await addContainer(base, to: &found) }
    return found.attributes
  }

  /// The engine knows the container by the host name that it has given it.
  private func addContainer(
    _ base: String, to found: inout DetectedAttributes<DockerDetectorConfig>
  ) async throws {
    guard let id = surroundings.variable("HOSTNAME") ?? HostNames.own else { return }
    let container = try await ask(base, "/containers/\(id)/json")
    found.set("container.name", String(container.text("Name").trimmingPrefix("/")))
    found.set("container.image.name", Self.name(ofImage: container.text("Config", "Image")))
    let image = container.text("Image")
    found.set("container.image.id", image)
    if found.wants("container.image.tags"), !image.isEmpty {
      let tags = try await ask(base, "/images/\(image)/json")["RepoTags"]?.elements ?? []
      found.set("container.image.tags", tags.compactMap(\.text).map { Self.tag(ofImage: $0) })
    }
  }

  private func ask(_ base: String, _ path: String) async throws -> ConfigNode {
    var headers = [(name: "accept", value: "application/json")]
    // The path of a socket is no host that an engine would take.
    if base.hasPrefix("http+unix://") { headers.append((name: "host", value: "docker")) }
    let reply = try await surroundings.client.get(
      url: base + path, headers: headers, limit: DetectorSurroundings.mostBytes, timeout: surroundings.timeout
    )
    return try DetectorSurroundings.json(
      try DetectorSurroundings.text(of: reply, "docker \(path)"), "docker \(path)")
  }

  /// The beginning of an engine's URLs; nil for an address that names none.
  static func base(_ address: String) -> String? {
    let parts = address.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty else { return nil }
    let rest = parts[1].hasSuffix("/") ? parts[1].dropLast() : parts[1]
    switch parts[0] {
    case "unix": return rest.hasPrefix("/") ? "http+unix://\(rest.replacing("/", with: "%2F"))" : nil
    case "tcp", "http": return "http://\(rest)"
    case "https": return "https://\(rest)"
    default: return nil
    }
  }

  /// An image's name without tag and digest.
  static func name(ofImage text: String) -> String {
    let name = text.prefix { $0 != "@" }
    let start = name.lastIndex(of: "/") ?? name.startIndex
    guard let colon = name[start...].lastIndex(of: ":") else { return String(name) }
    return String(name[..<colon])
  }

  private static func tag(ofImage text: String) -> String {
    let name = name(ofImage: text)
    return text.count > name.count + 1 ? String(text.dropFirst(name.count + 1)) : text
  }
}
