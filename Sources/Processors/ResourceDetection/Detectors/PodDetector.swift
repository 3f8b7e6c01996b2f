internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData

/// `k8s_pod`: what Kubernetes tells the collector's own pod, in environment variables and files, without its API.
///
/// Source: Kubernetes, "Downward API". Variables count by the names that are usual for them, such as `K8S_POD_NAME` and
/// `POD_NAME`; files are those of a `downwardAPI` volume, `labels` and `annotations` among them. Nothing is found outside
/// of Kubernetes.
struct PodDetector: ResourceDetector {
  let config: PodDetectorConfig
  let surroundings: DetectorSurroundings
  let failsWhenMissing: Bool

  private static let namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

  func detect() async throws -> [Attribute] { try await BlockingWork.run { try find() } }

  private func find() throws -> [Attribute] {
    var found = DetectedAttributes(config)
    let isInside = surroundings.variable("KUBERNETES_SERVICE_HOST") != nil
    found.set(
      "k8s.pod.name",
      surroundings.variable("K8S_POD_NAME", "POD_NAME", "KUBE_POD_NAME", "MY_POD_NAME") ?? file(
        "name", "podname")
        // A pod is called like its host, unless it says otherwise.
        ?? (isInside ? surroundings.variable("HOSTNAME") : nil))
    found.set(
      "k8s.pod.uid",
      surroundings.variable("K8S_POD_UID", "POD_UID", "KUBE_POD_UID", "MY_POD_UID") ?? file("uid", "poduid"))
    found.set(
      "k8s.namespace.name",
      surroundings.variable(
        "K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "K8S_POD_NAMESPACE", "POD_NAMESPACE", "KUBE_NAMESPACE",
        "MY_POD_NAMESPACE", "NAMESPACE")
        ?? file("namespace", "podnamespace") ?? (isInside ? surroundings.line(Self.namespaceFile) : nil))
    found.set(
      "k8s.node.name",
      surroundings.variable("K8S_NODE_NAME", "NODE_NAME", "KUBE_NODE_NAME", "MY_NODE_NAME")
        ?? file("nodename", "node"))
    found.set(
      "k8s.container.name",
      surroundings.variable("K8S_CONTAINER_NAME", "CONTAINER_NAME") ?? file("container", "containername"))
    found.set("k8s.cluster.name", surroundings.variable("K8S_CLUSTER_NAME", "CLUSTER_NAME"))
    found.set(
      "k8s.deployment.name", surroundings.variable("K8S_DEPLOYMENT_NAME", "DEPLOYMENT_NAME"))
    found.set(
      "k8s.pod.ip", surroundings.variable("K8S_POD_IP", "POD_IP", "MY_POD_IP") ?? file("podip", "ip"))
    if isInside { found.set("k8s.pod.hostname", surroundings.variable("HOSTNAME")) }
    if found.wants("container.id") { found.set("container.id", containerID()) }
    add("labels", config.labels, as: "k8s.pod.label.", to: &found)
    add("annotations", config.annotations, as: "k8s.pod.annotation.", to: &found)
    if failsWhenMissing, found.attributes.isEmpty {
      throw DetectionFailure("neither variables nor files of a pod are there")
    }
    return found.attributes
  }

  /// The first file of the volume that is there.
  private func file(_ names: String...) -> String? {
    for name in names {
      if let line = surroundings.line("\(config.directory)/\(name)") { return line }
    }
    return nil
  }

  private func add(
    _ name: String, _ patterns: [RegexText], as prefix: String,
    to found: inout DetectedAttributes<PodDetectorConfig>
  ) {
    if patterns.isEmpty { return }
    for (key, value) in Self.entries(surroundings.file("\(config.directory)/\(name)") ?? "") {
      if patterns.contains(where: { $0.pattern.matches(key) }) { found.add(prefix + key, value) }
    }
  }

  /// The lines `key="value"` of a file, whose values are quoted as in Go.
  static func entries(_ text: String) -> [(key: String, value: String)] {
    text.split(separator: "\n").compactMap { (line: Substring) -> (key: String, value: String)? in
      guard let equals = line.firstIndex(of: "=") else { return nil }
      var value = String(line[equals...].dropFirst())
      if value.hasPrefix("\""), value.hasSuffix("\""), value.count > 1 {
        value = unquoted(value.dropFirst().dropLast())
      }
      return (String(line[..<equals]), value)
    }
  }

  private static func unquoted(_ text: Substring) -> String {
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let code = rest.popFirst() else {
        result.append(scalar)
        continue
      }
      let digits: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
      if let count = digits[code] {
        let number = UInt32(String(String.UnicodeScalarView(rest.prefix(count))), radix: 16)
        rest.removeFirst(min(count, rest.count))
        result.append(number.flatMap(Unicode.Scalar.init) ?? "\u{FFFD}")
      } else {
        switch code {
        case "n": result.append("\n")
        case "r": result.append("\r")
        case "t": result.append("\t")
        default: result.append(code)
        }
      }
    }
    return String(result)
  }

  /// The id of the container: 64 hexadecimal digits in the name of its control group, or in a mount of it.
  private func containerID() -> String? {
    for path in ["/proc/self/cgroup", "/proc/self/mountinfo"] {
      for line in (surroundings.file(path) ?? "").split(separator: "\n") {
        for part in line.split(whereSeparator: { !$0.isHexDigit }) where part.count == 64 {
          return String(part)
        }
      }
    }
    return nil
  }
}
