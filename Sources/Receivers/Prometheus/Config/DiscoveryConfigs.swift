package import ConfigSchema

/// Where the targets of a job come from: the `…_sd_configs` of a scrape configuration.
package struct DiscoveryConfigs: ConfigGroup {
  package var fixed: [StaticConfig] = []
  package var file: [FileDiscoveryConfig] = []
  package var http: [HTTPDiscoveryConfig] = []
  package var dns: [DNSDiscoveryConfig] = []
  package var docker: [DockerDiscoveryConfig] = []

  package init() {}

  package static let fields: [Field<Self>] =
    [
      Field("static_configs", \.fixed, "Targets written out."),
      Field(
        "file_sd_configs", \.file, "Targets in JSON or YAML files, which are read again when they change."),
      Field("http_sd_configs", \.http, "Targets that an HTTP server lists."),
      Field("dns_sd_configs", \.dns, "Targets that DNS records list."),
      Field("docker_sd_configs", \.docker, "The containers of a Docker engine."),
    ] + unsupportedKinds.map { kind, instead in .unsupported("\(kind)_sd_configs", instead) }

  /// The kinds of Prometheus that are not there, with what to use instead.
  private static let unsupportedKinds: [(String, String)] = {
    let exported = "have its targets written to a file for file_sd_configs, or served for http_sd_configs"
    let kinds = [
      "azure", "consul", "digitalocean", "dockerswarm", "ec2", "ecs", "elasticache", "eureka", "gce",
      "hetzner",
      "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon", "msk", "nerve", "nomad", "oci",
      "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton",
      "uyuni", "vultr", "aws",
    ]
    return kinds.map { kind in
      switch kind {
      case "kubernetes":
        (
          kind,
          "use dns_sd_configs with a headless service, or http_sd_configs fed by the OpenTelemetry target allocator"
        )
      case "consul":
        (kind, "use dns_sd_configs with Consul's DNS names, or \(exported)")
      case "dockerswarm":
        (kind, "use docker_sd_configs on each node, or dns_sd_configs with tasks.SERVICE")
      case "puppetdb", "uyuni", "ec2", "gce", "azure", "aws", "ecs", "lightsail":
        (kind, "\(exported) by a scheduled query")
      default: (kind, exported)
      }
    }
  }()

  /// Whether no kind is configured.
  var isEmpty: Bool { fixed.isEmpty && file.isEmpty && http.isEmpty && dns.isEmpty && docker.isEmpty }
}

/// A group of targets with labels of their own.
package struct StaticConfig: ConfigGroup {
  package var targets: [String] = []
  package var labels = ConfigMap<String>()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("targets", \.targets, "Addresses, `host:port` or `host`."),
    Field("labels", \.labels, "Labels of every sample of these targets."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    for label in labels where label.key.isEmpty {
      checker.error(\.labels, "a label must have a name")
    }
  }
}

/// `file_sd_configs`.
package struct FileDiscoveryConfig: ConfigGroup {
  package var files: [String] = []
  package var refreshInterval = PrometheusDuration.seconds(300)

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "files", \.files,
      "Paths of files ending in .json, .yml or .yaml; the last part of a path may hold `*`.",
      check: .nonEmpty,
      required: true),
    Field(
      "refresh_interval", \.refreshInterval,
      "How often files are read again whether or not they seem to have changed; changes are looked for every second.",
      check: .positive),
  ]

  package func check(_ checker: inout ConfigChecker) {
    for path in files where !Self.isReadable(path) {
      checker.error(
        \.files, "\"\(path)\" is not the path of a .json, .yml or .yaml file",
        help: "only the last part of the path may hold a `*`")
    }
    // A warning only: files of targets come and change while the receiver runs, and each is read on its own.
    for path in files.filter(Self.isReadable).flatMap({ FileGlob.paths($0) }) {
      do {
        _ = try FileTargets.groups(of: path)
      } catch {
        checker.warning(\.files, "the targets of a file cannot be used: \(error)")
      }
    }
  }

  private static func isReadable(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let name = parts.last ?? ""
    return parts.dropLast().allSatisfy { !$0.contains("*") }
      && [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"].contains { name.hasSuffix($0) }
  }
}

/// `http_sd_configs`.
package struct HTTPDiscoveryConfig: ConfigGroup {
  package var url = ""
  package var refreshInterval = PrometheusDuration.seconds(60)
  package var http = PrometheusHTTPConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "url", \.url, "URL that answers with a JSON list of groups of targets.",
      check: .custom { FieldCheck<String>.url.problem($0)?.message }, required: true),
    Field("refresh_interval", \.refreshInterval, "How often it is asked.", check: .positive),
    .group(\.http),
  ]
}

/// `dns_sd_configs`.
package struct DNSDiscoveryConfig: ConfigGroup {
  package enum RecordType: String, ConfigEnum {
    case srv = "SRV"
    case a = "A"
    case aaaa = "AAAA"
    case mx = "MX"
    case ns = "NS"
    package static var ignoresCase: Bool { true }
  }

  package var names: [String] = []
  package var type = RecordType.srv
  package var port = 0
  package var refreshInterval = PrometheusDuration.seconds(30)

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("names", \.names, "The domain names to ask for.", check: .nonEmpty, required: true),
    Field("type", \.type, "The kind of record to ask for."),
    Field(
      "port", \.port, "The port of the targets; records other than SRV do not hold one.",
      check: .range(0...65_535)),
    Field("refresh_interval", \.refreshInterval, "How often the names are asked for.", check: .positive),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if type != .srv, port == 0 {
      checker.error(\.port, "is required for records of type \(type.rawValue), which hold none")
    }
    for name in names {
      if let problem = DNSName.problem(name) { checker.error(\.names, "\"\(name)\" \(problem)") }
    }
  }
}

/// `docker_sd_configs`.
package struct DockerDiscoveryConfig: ConfigGroup {
  package var host = ""
  package var port = 80
  package var hostNetworkingHost = "localhost"
  package var matchFirstNetwork = true
  package var filters: [Filter] = []
  package var refreshInterval = PrometheusDuration.seconds(60)
  package var http = PrometheusHTTPConfig()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "host", \.host, "The engine: unix:///var/run/docker.sock, tcp://host:port, http:// or https://.",
      check: .custom {
        DockerAddress($0) == nil ? "must begin with unix://, tcp://, http:// or https://" : nil
      },
      required: true),
    Field("port", \.port, "The port of containers that publish none.", check: .range(0...65_535)),
    Field("host_networking_host", \.hostNetworkingHost, "The host of containers on the host's network."),
    Field(
      "match_first_network", \.matchFirstNetwork,
      "Take only the first network of a container that is in several."),
    Field("filters", \.filters, "Limits which containers the engine lists."),
    Field("refresh_interval", \.refreshInterval, "How often the engine is asked.", check: .positive),
    .group(\.http),
  ]

  /// A filter of Docker's `GET /containers/json`.
  package struct Filter: ConfigGroup {
    package var name = ""
    package var values: [String] = []
    package init() {}
    package static let fields: [Field<Self>] = [
      Field("name", \.name, "Such as `label` or `network`.", check: .nonEmpty, required: true),
      Field("values", \.values, "What to look for.", check: .nonEmpty, required: true),
    ]
  }
}
