package import ConfigSchema
package import Transport

/// The settings of the `prometheus_remote_write` receiver: an HTTP server.
package struct PrometheusRemoteWriteReceiverConfig: ConfigGroup {
  package var server = HTTPServerConfig(endpoint: "localhost:9090")

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.server)]
}
