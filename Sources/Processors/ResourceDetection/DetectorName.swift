package import ConfigSchema

/// The detectors there are, as `detectors` names them.
package enum DetectorName: String, CaseIterable, Sendable {
  case env, system, docker, process, ec2, gcp, azure
  /// What Kubernetes tells a pod about itself; see ``PodDetector``.
  case k8sPod = "k8s_pod"

  /// Those that the Collector has besides.
  static let others = [
    "akamai", "aks", "alibaba_ecs", "azurecontainerapps", "consul", "digitalocean", "dynatrace", "ecs", "eks",
    "elastic_beanstalk", "elasticbeanstalk", "heroku", "hetzner", "ibmcloud_classic", "ibmcloud_vpc",
    "k8s_api",
    "k8snode", "kubeadm", "lambda", "nova", "openshift", "oraclecloud", "scaleway", "tencent_cvm", "upcloud",
    "vultr",
  ]

  /// What to do without a detector that is not there.
  static func advice(without name: String) -> String {
    switch name {
    case "k8s_api", "k8snode", "kubeadm", "openshift", "eks", "aks":
      "k8s_pod takes what the pod is told about itself; env takes OTEL_RESOURCE_ATTRIBUTES"
    default: "set OTEL_RESOURCE_ATTRIBUTES and use env, or set the attributes with the resource processor"
    }
  }
}

extension DetectorName: ConfigValue {
  package static var configType: ConfigType { .choice(allCases.map(\.rawValue)) }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    let names = allCases.map(\.rawValue)
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "the name of a detector, such as system")
      return nil
    }
    if let name = Self(rawValue: text) { return name }
    if others.contains(text) {
      context.report(
        .error, "unsupported-detector", "the detector \"\(text)\" is not supported", at: node.origin,
        help: advice(without: text))
    } else {
      context.mismatch(
        node, expected: "one of \(names.joined(separator: ", "))",
        help: Spelling.closest(to: text, among: names).map { "did you mean \"\($0)\"?" })
    }
    return nil
  }

  package var literal: ConfigLiteral { .string(rawValue) }
}
