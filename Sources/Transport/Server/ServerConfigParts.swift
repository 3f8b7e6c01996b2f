package import ConfigSchema

/// The kind of socket a server listens on.
package enum ListenTransport: String, ConfigEnum {
  case tcp
  case unix

  /// The Collector's names for TCP over one family of addresses; the endpoint already tells the family.
  package static let alternatives: [String: ListenTransport] = ["tcp4": .tcp, "tcp6": .tcp]
}

/// Cross-origin requests of browsers, as the WHATWG Fetch standard describes them.
package struct CORSConfig: ConfigGroup {
  package var allowedOrigins: [String] = []
  package var allowedHeaders: [String] = []
  package var exposedHeaders: [String] = []
  package var maxAge = 0

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "allowed_origins", \.allowedOrigins,
      "Origins that may send from a browser; `*` stands for any text, such as `https://*.example.com`."),
    Field(
      "allowed_headers", \.allowedHeaders,
      "Request headers allowed besides Accept, Content-Type and X-Requested-With; `*` allows all."),
    Field("exposed_headers", \.exposedHeaders, "Response headers that scripts may read."),
    Field(
      "max_age", \.maxAge, "Seconds for which a browser may keep the answer to a preflight.",
      check: .atLeast(0)),
  ]
}

/// Server keepalive of gRPC.
package struct KeepaliveServerConfig: ConfigGroup {
  package var serverParameters = KeepaliveServerParameters()
  package var enforcementPolicy = KeepaliveEnforcementPolicy()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("server_parameters", \.serverParameters, "When the server pings, and how long connections live."),
    Field("enforcement_policy", \.enforcementPolicy, "How often clients may ping."),
  ]
}

/// When a gRPC server pings, and how long its connections live. Zero means "the default of gRPC".
package struct KeepaliveServerParameters: ConfigGroup {
  package var maxConnectionIdle: Duration = .zero
  package var maxConnectionAge: Duration = .zero
  package var maxConnectionAgeGrace: Duration = .zero
  package var time: Duration = .zero
  package var timeout: Duration = .zero

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "max_connection_idle", \.maxConnectionIdle,
      "Close a connection that had no request for so long; 0 never does.", check: .atLeast(.zero)),
    Field(
      "max_connection_age", \.maxConnectionAge,
      "Ask the client to reconnect after so long, give or take 10 %; 0 never does.", check: .atLeast(.zero)),
    Field(
      "max_connection_age_grace", \.maxConnectionAgeGrace,
      "How long requests under way may take after `max_connection_age`; 0 sets no limit.",
      check: .atLeast(.zero)),
    Field(
      "time", \.time, "Ping a client that sent nothing for so long; 0 stands for 2h.", check: .atLeast(.zero)),
    Field(
      "timeout", \.timeout, "Close the connection when the ping is not answered in time; 0 stands for 20s.",
      check: .atLeast(.zero)),
  ]
}

/// How often clients may ping a gRPC server.
package struct KeepaliveEnforcementPolicy: ConfigGroup {
  package var minTime: Duration = .zero
  package var permitWithoutStream = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "min_time", \.minTime, "Shortest time between two pings of a client; 0 stands for 5m.",
      check: .atLeast(.zero)),
    Field(
      "permit_without_stream", \.permitWithoutStream, "Whether clients may ping while no request is open."),
  ]
}

/// Why keys are refused: said once.
enum UnsupportedReason {
  static let middlewares = "extensions that wrap servers are not supported by this version: leave the key out"
}
