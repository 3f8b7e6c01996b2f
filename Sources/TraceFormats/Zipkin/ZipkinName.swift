/// The names that the mapping between OpenTelemetry and Zipkin gives to what has no field of its own.
///
/// Sources: OpenTelemetry specification, "OpenTelemetry to Zipkin Transformation", and the Collector's translator. What
/// Jaeger has a name for has the same one here, see ``JaegerName``.
enum ZipkinName {
  static let serviceNameSource = "otlp.service.name.source"
  /// With the number of the link behind it.
  static let link = "otlp.link."
  static let startTimeAbsent = "otel.zipkin.absentField.startTime"
  static let peerService = "peer.service"
  static let hostIP = "net.host.ip"
  static let hostPort = "net.host.port"
  static let peerIP = "net.peer.ip"
  static let peerPort = "net.peer.port"

  /// What names a service that has no `service.name`, in this order.
  static let serviceNames = ["faas.name", "k8s.deployment.name", "process.executable.name"]
  /// What names the other side of a client where there is no `peer.service`, in this order.
  static let peerNames = ["server.address", "net.peer.name", "peer.hostname", "peer.address", "db.name"]

  /// Whether a tag describes the process rather than the span.
  static func isOfResource(_ key: String) -> Bool { resourceNames.contains(key) }

  /// The attributes of resources in OpenTelemetry's conventions, as far as SDKs that export to Zipkin set them.
  private static let resourceNames: Set<String> = {
    let families: [(String, String)] = [
      ("cloud", "provider account.id region availability_zone platform resource_id"),
      ("aws.ecs", "container.arn cluster.arn launchtype task.arn task.family task.revision"),
      ("aws", "eks.cluster.arn log.group.names log.group.arns log.stream.names log.stream.arns"),
      ("container", "name id runtime image.name image.tag"),
      ("deployment", "environment environment.name"),
      ("device", "id model.identifier model.name"),
      ("faas", "name id version instance max_memory"),
      ("host", "id name type arch image.name image.id image.version"),
      ("k8s", "cluster.name node.name node.uid namespace.name pod.uid pod.name container.name"),
      (
        "k8s",
        "replicaset.uid replicaset.name deployment.uid deployment.name statefulset.uid statefulset.name"
      ),
      ("k8s", "daemonset.uid daemonset.name job.uid job.name cronjob.uid cronjob.name"),
      ("os", "type description name version"),
      ("process", "pid executable.name executable.path command command_line command_args owner"),
      ("process.runtime", "name version description"),
      ("service", "name namespace instance.id version"),
      ("telemetry", "sdk.name sdk.language sdk.version auto.version"),
      ("webengine", "name version description"),
      ("opencensus", "starttime exporterversion resourcetype"),
    ]
    return Set(families.flatMap { family, names in names.split(separator: " ").map { "\(family).\($0)" } })
  }()
}
