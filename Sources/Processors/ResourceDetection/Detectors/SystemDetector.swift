internal import NativeCodecs
internal import TelemetryData

/// `system`: this machine, its names, addresses, processor and operating system.
struct SystemDetector: ResourceDetector {
  let config: SystemDetectorConfig
  let surroundings: DetectorSurroundings

  func detect() async throws -> [Attribute] { try await BlockingWork.run { try find() } }

  private func find() throws -> [Attribute] {
    var found = DetectedAttributes(config)
    if found.wants("host.name") {
      guard let name = hostName() else {
        let sources = config.hostnameSources.map(\.rawValue).joined(separator: ", ")
        throw DetectionFailure("no name of this host was found (hostname_sources: \(sources))")
      }
      found.set("host.name", name)
    }
    found.set("os.type", "linux")
    found.set("host.id", hostID())
    let system = SystemName()
    found.set("host.arch", Self.architecture(system?.machine ?? ""))
    if found.wants("host.ip") || found.wants("host.mac") {
      let addresses = HostAddresses.all()
      found.set("host.ip", addresses.ip)
      found.set("host.mac", addresses.mac)
    }
    addProcessor(to: &found)
    addSystem(system, to: &found)
    return found.attributes
  }

  private func hostName() -> String? {
    guard let own = HostNames.own, !own.isEmpty else { return nil }
    for source in config.hostnameSources {
      let name: String?
      switch source {
      case .os: name = own
      case .cname: name = HostNames.canonicalName(of: own)
      case .lookup: name = HostNames.reverseName(of: own)
      case .dns: name = HostNames.canonicalName(of: own) ?? HostNames.reverseName(of: own)
      }
      if let name, !name.isEmpty { return name }
    }
    return nil
  }

  private func hostID() -> String? {
    surroundings.line("/etc/machine-id") ?? surroundings.line("/var/lib/dbus/machine-id")
  }

  /// The name that OpenTelemetry has for what `uname` calls the machine.
  static func architecture(_ machine: String) -> String {
    switch machine {
    case "x86_64": "amd64"
    case "aarch64": "arm64"
    case "i386", "i486", "i586", "i686": "x86"
    case "armv6l", "armv7l", "armv8l": "arm32"
    case "ppc": "ppc32"
    case "ppc64", "ppc64le": "ppc64"
    default: machine
    }
  }

  /// The first processor of `/proc/cpuinfo`, as the Collector reads it: the cache in KiB.
  private func addProcessor(to found: inout DetectedAttributes<SystemDetectorConfig>) {
    guard let text = surroundings.file("/proc/cpuinfo") else { return }
    var values: [String: String] = [:]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty { break }
      let pair = line.split(separator: ":", maxSplits: 1)
      if pair.count == 2 { values[pair[0].trimmingSpaces] = pair[1].trimmingSpaces }
    }
    found.set("host.cpu.vendor.id", values["vendor_id"] ?? values["CPU implementer"])
    found.set("host.cpu.family", values["cpu family"] ?? values["CPU architecture"])
    found.set("host.cpu.model.id", values["model"] ?? values["CPU part"])
    found.set("host.cpu.model.name", values["model name"])
    found.set("host.cpu.stepping", values["stepping"] ?? values["CPU revision"])
    if let size = values["cache size"]?.split(separator: " ").first.flatMap({ Int64($0) }) {
      found.set("host.cpu.cache.l2.size", .int(size))
    }
  }

  private func addSystem(_ system: SystemName?, to found: inout DetectedAttributes<SystemDetectorConfig>) {
    guard ["os.description", "os.name", "os.version"].contains(where: found.wants) else { return }
    let release = Self.release(
      surroundings.file("/etc/os-release") ?? surroundings.file("/usr/lib/os-release") ?? "")
    found.set("os.name", release["NAME"])
    found.set("os.version", release["VERSION_ID"])
    guard let system else { return found.set("os.description", release["PRETTY_NAME"]) }
    let kernel = "\(system.system) \(system.node) \(system.release) \(system.version) \(system.machine)"
    let name = release["PRETTY_NAME"] ?? release["NAME"]
    found.set("os.description", name.map { "\($0) (\(kernel))" } ?? kernel)
  }

  /// The variables of an `os-release` file: `NAME=value`, in quotes where it has spaces.
  static func release(_ text: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { continue }
      var value = pair[1].trimmingSpaces
      if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
        value = String(value.dropFirst().dropLast()).replacing("\\\(quote)", with: "\(quote)")
      }
      values[pair[0].trimmingSpaces] = value
    }
    return values
  }
}
