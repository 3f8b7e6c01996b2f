package import ConfigSchema
package import Transport

/// The settings of the `otlp` receiver.
package struct OTLPReceiverConfig: ConfigGroup {
  package var protocols = Protocols()
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("protocols", \.protocols, "The protocols to listen for; a protocol that is not named is off.")
  ]

  package func check(_ checker: inout ConfigChecker) {
    if let grpc = protocols.grpc, let http = protocols.http, grpc.endpoint == http.server.endpoint,
      !grpc.endpoint.hasSuffix(":0")
    {
      checker.error(
        \.protocols, at: "http.endpoint", "\(grpc.endpoint) is the address of grpc already",
        help: "give each protocol its own port, such as 4317 for grpc and 4318 for http")
    }
    guard protocols.grpc == nil, protocols.http == nil else { return }
    checker.error(
      \.protocols, "must specify at least one protocol",
      help: "write \"grpc:\" or \"http:\" (or both) below \"protocols:\"; an empty value means all defaults")
  }

  /// `protocols`: what to listen for.
  package struct Protocols: ConfigGroup {
    package var grpc: GRPCServerConfig?
    package var http: HTTPProtocol?
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("grpc", \.grpc, "OTLP over gRPC.", initial: GRPCServerConfig(endpoint: "localhost:4317")),
      Field("http", \.http, "OTLP over HTTP, protobuf and JSON."),
    ]
  }

  /// `protocols.http`: the server, and the paths it answers.
  package struct HTTPProtocol: ConfigGroup {
    package var server = HTTPServerConfig(endpoint: "localhost:4318")
    package var tracesURLPath = "/v1/traces"
    package var metricsURLPath = "/v1/metrics"
    package var logsURLPath = "/v1/logs"

    package init() {}

    package static let fields: [Field<Self>] = [
      .group(\.server),
      Field("traces_url_path", \.tracesURLPath, "The path that takes traces.", check: .nonEmpty),
      Field("metrics_url_path", \.metricsURLPath, "The path that takes metrics.", check: .nonEmpty),
      Field("logs_url_path", \.logsURLPath, "The path that takes logs.", check: .nonEmpty),
    ]

    package func check(_ checker: inout ConfigChecker) {
      let paths = [tracesURLPath, metricsURLPath, logsURLPath].map(Self.absolute)
      if paths[1] == paths[0] {
        checker.error(
          \.metricsURLPath, "\"\(paths[1])\" takes traces already; each signal needs its own path")
      }
      if paths[2] == paths[0] || paths[2] == paths[1] {
        checker.error(
          \.logsURLPath, "\"\(paths[2])\" takes another signal already; each signal needs its own path")
      }
    }

    /// The path with the slash in front that may be left out in the file.
    static func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "/" + path }
  }
}
